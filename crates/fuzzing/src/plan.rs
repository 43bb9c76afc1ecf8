//! Plans from the function's environment.

use arbitrary::{Result, Unstructured};
use failover::name::Name;
use failover::plan::{Names, Plan, alarm_name};

use crate::json;
use crate::workload::PLAN;

/// A plan that is read names what it protects and by which alarms; any other text is refused.
pub fn plan(bytes: &[u8]) {
    read(&String::from_utf8_lossy(bytes));
    if let Ok(text) = like_the_templates(&mut Unstructured::new(bytes)) {
        read(&text);
    }
}

fn like_the_templates(bytes: &mut Unstructured<'_>) -> Result<String> {
    let plan = serde_json::from_str(PLAN).expect("it is JSON");
    Ok(json::edited(bytes, plan)?.to_string())
}

fn read(text: &str) {
    let plan = match Plan::parse(text) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(error.to_string().starts_with("HOLDFAST_PLAN"), "{error} does not say what to put right");
            return;
        }
    };
    assert!(!plan.zones.is_empty() && !plan.alarms.is_empty());
    assert!(plan.alarms.iter().all(|arn| alarm_name(arn).is_some_and(|name| !name.is_empty())));
    for (nth, zone) in plan.zones.iter().enumerate() {
        assert!(!zone.id.is_empty() && plan.zones[..nth].iter().all(|other| other.id != zone.id));
        let Names::Listed(names) = &zone.names else { continue };
        assert!(!names.is_empty());
        for (nth, name) in names.iter().enumerate() {
            assert_eq!(name.as_str().parse::<Name>().as_ref(), Ok(name));
            assert!(!names[..nth].contains(name), "{name} is protected twice");
        }
    }
    if let Some(fence) = &plan.fence {
        assert!(!fence.region.is_empty() && !fence.security_group.is_empty() && !fence.databases.is_empty());
    }
}
