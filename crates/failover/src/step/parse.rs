//! The steps as the template's parameters say them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Entry, List, Steps, Target};
use crate::plan::{alarm_name, arn_region};

/// The environment variable that holds the steps; of preparer alone, since a function's variables end at 4 KB.
pub const STEPS_VARIABLE: &str = "HOLDFAST_STEPS";

/// The most instances or tasks that a step may ask for: more is a slip of the finger.
const SIZE_MAX: u32 = 10_000;

/// Why the steps are refused; each says which parameter, which entry, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Not JSON, or not of the steps' shape.
    #[error(
        "{STEPS_VARIABLE} says no steps: {0}; template.yaml builds it from Prepare, After, StepResources and PrepareAfterMinutes: let none have \
         a quote, a backslash, a line break or another control character, the last be a whole number, and deploy again"
    )]
    Shape(String),
    /// Neither list has an entry.
    #[error(
        "{STEPS_VARIABLE}: Prepare and After are both empty; give one an entry, or deploy the template without both"
    )]
    Empty,
    /// The alarm is not given by its ARN.
    #[error("{STEPS_VARIABLE}: an alarm is {0:?}, which is no alarm ARN; deploy template.yaml again")]
    Alarm(String),
    /// An entry that cannot be honoured.
    #[error("{STEPS_VARIABLE}: the template's {list} has {entry:?}: {fault}")]
    Entry {
        /// Which parameter.
        list: List,
        /// The entry as it stands there.
        entry: String,
        /// What is wrong with it, and the remedy.
        fault: Fault,
    },
}

/// What is wrong with an entry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no `=`.
    #[error("it does not say what the resource is to be; write ARN=6, ARN=on, ARN=off or ARN=call")]
    NothingWanted,
    /// It begins with no ARN that Holdfast knows.
    #[error(
        "this is no ARN of an Auto Scaling group, an ECS service, an EventBridge rule, a Lambda function or an event source mapping; copy it from \
         the resource, whole"
    )]
    Arn,
    /// Another region.
    #[error("the resource is in {0}, and steps are taken in the DR region {1}; name the one there")]
    Region(String, String),
    /// A version or an alias.
    #[error("it names a version or an alias; name the function itself, since its tags keep the record of the call")]
    Qualified,
    /// The ARN of a service from before 2018, without its cluster: such a service cannot carry tags.
    #[error(
        "it does not name the service's cluster; write …:service/CLUSTER/NAME, as ECS shows it for services that can carry tags"
    )]
    NoCluster,
    /// What the kind of resource cannot be.
    #[error("{0}")]
    Wanted(&'static str),
    /// Holdfast has no rights to it.
    #[error("StepResources does not have this ARN, so Holdfast may not touch it; add it there, exactly as it is here")]
    NotInResources,
    /// The same resource again.
    #[error("the resource is in Prepare or After already, and can be made one thing only; name it once")]
    Twice,
}

/// The shape of the JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSteps {
    prepare: String,
    after: String,
    resources: Vec<String>,
    region: String,
    bus: String,
    site_down_alarm: String,
    blind_alarm: String,
    prepare_after_minutes: u32,
}

impl Steps {
    /// Reads the steps.
    ///
    /// # Errors
    /// The first thing that cannot be honoured, with its remedy.
    pub fn parse(json: &str) -> Result<Self, StepError> {
        let raw: RawSteps = serde_json::from_str(json).map_err(|error| StepError::Shape(error.to_string()))?;
        let (site_down_alarm, blind_alarm) = (raw.site_down_alarm, raw.blind_alarm);
        let blind_alarm = Some(blind_alarm).filter(|arn| !arn.is_empty());
        if let Some(arn) = [&site_down_alarm].into_iter().chain(&blind_alarm).find(|arn| alarm_name(arn).is_none()) {
            return Err(StepError::Alarm(arn.clone()));
        }
        let granted: BTreeSet<_> = raw.resources.iter().map(|arn| arn.trim()).collect();
        let mut entries: Vec<Entry> = Vec::new();
        for (list, text) in [(List::Prepare, &raw.prepare), (List::After, &raw.after)] {
            for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
                let read = read(list, entry, &raw.region, &granted).and_then(|read| {
                    let is_known = entries.iter().any(|known| known.arn == read.arn);
                    if is_known { Err(Fault::Twice) } else { Ok(read) }
                });
                entries.push(read.map_err(|fault| StepError::Entry { list, entry: entry.to_owned(), fault })?);
            }
        }
        if entries.is_empty() {
            return Err(StepError::Empty);
        }
        let left = granted.into_iter().filter(|arn| arn_region(arn) == Some(&raw.region)).filter_map(left_over);
        let left: Vec<_> = left.filter(|left| !entries.iter().any(|entry| entry.arn == left.arn)).collect();
        entries.extend(left);
        Ok(Self {
            bus: raw.bus,
            site_down_alarm,
            blind_alarm,
            prepare_after_minutes: raw.prepare_after_minutes,
            entries,
        })
    }
}

/// What Holdfast may touch, and is to make nothing of. What it is wanted to be counts for nothing.
fn left_over(arn: &str) -> Option<Entry> {
    let target = ["1", "on", "call"].into_iter().find_map(|any| target(arn, any).ok())?;
    Some(Entry { list: List::Neither, arn: arn.to_owned(), target })
}

fn read(list: List, entry: &str, region: &str, granted: &BTreeSet<&str>) -> Result<Entry, Fault> {
    let (arn, wanted) = entry.rsplit_once('=').ok_or(Fault::NothingWanted)?;
    let (arn, wanted) = (arn.trim(), wanted.trim());
    let target = target(arn, wanted)?;
    let of = arn_region(arn).unwrap_or_default();
    if of != region {
        return Err(Fault::Region(of.to_owned(), region.to_owned()));
    }
    match granted.contains(arn) {
        true => Ok(Entry { list, arn: arn.to_owned(), target }),
        false => Err(Fault::NotInResources),
    }
}

/// By the ARN formats of the service authorization reference.
fn target(arn: &str, wanted: &str) -> Result<Target, Fault> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(_), Some(service), Some(_), Some(_), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::Arn);
    };
    let kind = resource.split([':', '/']).next().unwrap_or_default();
    let named = |prefix: &str| {
        let name = resource.strip_prefix(prefix).filter(|name| !name.is_empty());
        name.map(str::to_owned).ok_or(Fault::Arn)
    };
    match (service, kind) {
        ("autoscaling", "autoScalingGroup") => {
            let (_, name) = resource.split_once(":autoScalingGroupName/").ok_or(Fault::Arn)?;
            let size = count(wanted)
                .ok_or(Fault::Wanted("an Auto Scaling group is to have 1 to 10000 instances, as in ARN=6"))?;
            Ok(Target::Group { name: name.to_owned(), size })
        }
        ("ecs", "service") => {
            let service = named("service/")?;
            let (cluster, name) = service.split_once('/').ok_or(Fault::NoCluster)?;
            let count =
                count(wanted).ok_or(Fault::Wanted("an ECS service is to have 1 to 10000 tasks, as in ARN=6"))?;
            Ok(Target::Service { cluster: cluster.to_owned(), name: name.to_owned(), count })
        }
        ("events", "rule") => {
            let rule = named("rule/")?;
            let (bus, name) = match rule.rsplit_once('/') {
                Some((bus, name)) => (Some(bus.to_owned()), name.to_owned()),
                None => (None, rule),
            };
            let on = is_on(wanted).ok_or(Fault::Wanted("an EventBridge rule is to be on or off, as in ARN=on"))?;
            Ok(Target::Rule { bus, name, on })
        }
        ("lambda", "function") => {
            let name = named("function:")?;
            match (name.contains(':'), wanted) {
                (true, _) => Err(Fault::Qualified),
                (false, "call") => Ok(Target::Function { name }),
                (false, _) => Err(Fault::Wanted("a function can only be called, as in ARN=call")),
            }
        }
        ("lambda", "event-source-mapping") => {
            let id = named("event-source-mapping:")?;
            let on = is_on(wanted).ok_or(Fault::Wanted("an event source mapping is to be on or off, as in ARN=on"))?;
            Ok(Target::Mapping { id, on })
        }
        _ => Err(Fault::Arn),
    }
}

fn count(wanted: &str) -> Option<u32> {
    wanted.parse().ok().filter(|count| (1..=SIZE_MAX).contains(count))
}

fn is_on(wanted: &str) -> Option<bool> {
    match wanted {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: &str = "arn:aws:cloudwatch:eu-central-1:1:alarm:shop-site-down";
    const GROUP: &str = "arn:aws:autoscaling:eu-central-1:1:autoScalingGroup:u:autoScalingGroupName/shop";
    const RULE: &str = "arn:aws:events:eu-central-1:1:rule/nightly";
    const OF_BUS: &str = "arn:aws:events:eu-central-1:1:rule/jobs/nightly";
    const SERVICE: &str = "arn:aws:ecs:eu-central-1:1:service/main/shop";
    const MAPPING: &str = "arn:aws:lambda:eu-central-1:1:event-source-mapping:0a-1";
    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:1:function:warm-caches";

    fn steps(prepare: &str, after: &str, resources: &[&str]) -> Result<Steps, StepError> {
        let json = serde_json::json!({"prepare": prepare, "after": after, "resources": resources, "region": "eu-central-1",
            "bus": "holdfast", "site_down_alarm": ALARM, "blind_alarm": "", "prepare_after_minutes": 2});
        Steps::parse(&json.to_string())
    }

    #[test]
    fn each_kind_of_resource_is_known_by_its_arn() {
        let prepare = format!("{GROUP}=6, {SERVICE}=4, {FUNCTION}=call");
        let after = format!("{RULE}=on,{OF_BUS}=off,{MAPPING}=on,");
        let left = OF_BUS.replace("nightly", "weekly");
        let read = steps(&prepare, &after, &[GROUP, SERVICE, FUNCTION, RULE, OF_BUS, MAPPING, &left, "arn:aws:s3:::x"])
            .unwrap();
        let told = |entry: &Entry| format!("{}: {} is to {}", entry.list, entry.target, entry.wanted());
        assert_eq!(
            read.entries.iter().map(told).collect::<Vec<_>>(),
            [
                "Prepare: Auto Scaling group shop is to have at least 6 instances",
                "Prepare: service shop of cluster main is to have at least 4 tasks",
                "Prepare: function warm-caches is to be called once",
                "After: rule nightly is to be on",
                "After: rule nightly of bus jobs is to be off",
                "After: event source mapping 0a-1 is to be on",
                "Neither: rule weekly of bus jobs is to be what it was before, as it is in neither Prepare nor After",
            ]
        );
        assert_eq!((read.prepare_after_minutes, read.entries[0].arn.as_str()), (2, GROUP));
    }

    #[test]
    fn a_bad_entry_is_refused_by_its_parameter_and_its_words_with_the_remedy() {
        for (entry, remedy) in [
            (GROUP.to_owned(), "ARN=call"),
            (format!("{GROUP}="), "1 to 10000"),
            (format!("{GROUP}=0"), "1 to 10000"),
            (format!("{GROUP}=10001"), "1 to 10000"),
            (format!("{GROUP}=-6"), "1 to 10000"),
            (format!("{GROUP}=on"), "1 to 10000"),
            (format!("{RULE}=6"), "on or off"),
            (format!("{OF_BUS}=On"), "on or off"),
            (format!("{SERVICE}=0"), "1 to 10000 tasks"),
            (format!("{SERVICE}=on"), "1 to 10000 tasks"),
            (format!("{}=4", SERVICE.replace("main/", "")), "name the service's cluster"),
            (format!("{SERVICE}/x=4"), "StepResources"),
            (format!("{MAPPING}=call"), "on or off"),
            (format!("{MAPPING}=6"), "on or off"),
            ("arn:aws:lambda:eu-central-1:1:event-source-mapping:=on".to_owned(), "no ARN"),
            ("arn:aws:ecs:eu-central-1:1:cluster/main=4".to_owned(), "no ARN"),
            (format!("{FUNCTION}=on"), "ARN=call"),
            (format!("{FUNCTION}:live=call"), "the function itself"),
            ("shop=6".to_owned(), "no ARN"),
            ("arn:aws:events:eu-central-1:1:rule/=on".to_owned(), "no ARN"),
            ("arn:aws:rds:eu-central-1:1:db:shop=6".to_owned(), "no ARN"),
            (format!("{}=6", GROUP.replace("eu-central-1", "us-east-1")), "DR region eu-central-1"),
            (format!("{}=6", GROUP.replace("shop", "other")), "StepResources"),
        ] {
            let refused =
                steps("", &entry, &[GROUP, RULE, OF_BUS, FUNCTION, SERVICE, MAPPING]).unwrap_err().to_string();
            assert!(refused.contains("After") && refused.contains(&format!("{entry:?}")), "{refused}");
            assert!(refused.contains(remedy), "{entry}: {refused}");
        }
    }

    #[test]
    fn a_resource_is_named_once_in_both_lists_together() {
        let once = format!("{RULE}=on");
        for (prepare, after) in [(format!("{once},{once}"), String::new()), (once.clone(), format!("{RULE}=off"))] {
            let refused = steps(&prepare, &after, &[RULE]).unwrap_err();
            assert!(matches!(refused, StepError::Entry { fault: Fault::Twice, .. }), "{refused}");
        }
    }

    #[test]
    fn steps_without_an_entry_and_texts_of_another_shape_are_refused() {
        assert_eq!(steps("", " ,", &[""]), Err(StepError::Empty));
        let of = |prepare: &str, minutes: &str| {
            format!(
                r#"{{"prepare":"{prepare}","after":"","resources":[],"region":"r","bus":"b","site_down_alarm":"{ALARM}","blind_alarm":"",
                "prepare_after_minutes":{minutes}}}"#
            )
        };
        assert_eq!(Steps::parse(&of("", "2")), Err(StepError::Empty));
        for bad in ["", "{}", "[]", &of("a\n", "2"), &of("", "2.5")] {
            let refused = Steps::parse(bad).unwrap_err();
            assert!(matches!(refused, StepError::Shape(_)), "{bad}: {refused}");
            assert!(refused.to_string().contains("Prepare, After, StepResources and PrepareAfterMinutes"), "{refused}");
        }
        let json = r#"{"prepare":"","after":"","resources":[],"region":"r","bus":"b","site_down_alarm":"down","blind_alarm":"","prepare_after_minutes":2}"#;
        assert_eq!(Steps::parse(json), Err(StepError::Alarm("down".to_owned())));
    }
}
