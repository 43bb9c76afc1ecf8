//! What steps around a failover are about: a group and a service that are too small for all users, rules and a mapping that are off, functions of
//! the user's.

use lab::Lab;
use lab::autoscaling;
use lab::ecs;
use lab::events::RuleConfig;
use lab::functions::{FunctionConfig, Functions, mappings};

use super::{DR, SetupError, Stage};

/// The function that takes the steps.
pub(crate) const PREPARER: &str = "holdfast-preparer";

const GROUP: &str = "shop";
/// How many instances the group is to have before anything happens.
pub(super) const BEFORE: u32 = 2;
/// How many it is to have then.
pub(super) const WANTED: u32 = 6;
const SIZES: [u32; 3] = [1, 8, BEFORE];
const RULES: [&str; 2] = ["refresh", "nightly"];
const CLUSTER: &str = "main";
const SERVICE: &str = "shop";
const TASKS: u32 = 2;
const MAPPING: &str = "0a1b2c3d-0000-4000-8000-000000000001";
const FUNCTIONS: [&str; 2] = ["warm-caches", "resume-jobs"];

pub(super) const SETTLES_SOON: (&str, &str) = ("SettleSeconds", "120");
pub(super) const PREPARE: (&str, &str) = (
    "Prepare",
    "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0:autoScalingGroupName/shop=6,\
     arn:aws:ecs:eu-central-1:123456789012:service/main/shop=6,\
     arn:aws:events:eu-central-1:123456789012:rule/refresh=on,\
     arn:aws:lambda:eu-central-1:123456789012:function:warm-caches=call",
);
pub(super) const AFTER: (&str, &str) = (
    "After",
    "arn:aws:events:eu-central-1:123456789012:rule/nightly=on,\
     arn:aws:lambda:eu-central-1:123456789012:event-source-mapping:0a1b2c3d-0000-4000-8000-000000000001=on,\
     arn:aws:lambda:eu-central-1:123456789012:function:resume-jobs=call",
);
pub(super) const RESOURCES: (&str, &str) = (
    "StepResources",
    "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0:autoScalingGroupName/shop,\
     arn:aws:ecs:eu-central-1:123456789012:service/main/shop,\
     arn:aws:events:eu-central-1:123456789012:rule/refresh,\
     arn:aws:events:eu-central-1:123456789012:rule/nightly,\
     arn:aws:lambda:eu-central-1:123456789012:event-source-mapping:0a1b2c3d-0000-4000-8000-000000000001,\
     arn:aws:lambda:eu-central-1:123456789012:function:warm-caches,\
     arn:aws:lambda:eu-central-1:123456789012:function:resume-jobs",
);

/// Parameters that prepare DR, and let jobs run there once the failover is over.
pub const STEPS: &[(&str, &str)] = &[SETTLES_SOON, PREPARE, AFTER, RESOURCES];
/// The same where DNS moves by Holdfast alone.
pub const STEPS_ON_SWITCH: &[(&str, &str)] = &[SETTLES_SOON, ("DnsMoves", "by-holdfast"), PREPARE, AFTER, RESOURCES];

/// What steps change, as it is at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// The group's least, most and desired instances.
    pub sizes: [u32; 3],
    /// How many tasks the service is to have.
    pub tasks: u32,
    /// Which rules are on, and the mapping if it is.
    pub on: Vec<&'static str>,
    /// How many resources carry a record of Holdfast's in their tags.
    pub records: usize,
}

impl Stepped {
    /// Before anything happened.
    #[must_use]
    pub fn untouched() -> Self {
        Self { sizes: SIZES, tasks: TASKS, on: Vec::new(), records: 0 }
    }

    /// With all that `Prepare` names as it is to be, and all that `After` names if `over`.
    #[must_use]
    pub fn whole(over: bool) -> Self {
        let (on, records) = if over { (vec![RULES[0], RULES[1], MAPPING], 7) } else { (vec![RULES[0]], 4) };
        Self { sizes: [WANTED, 8, WANTED], tasks: WANTED, on, records }
    }
}

impl Stage {
    /// Puts there what [`STEPS`] names. What the functions do is the user's affair: these end at once.
    ///
    /// # Errors
    /// If the lab refuses one of them.
    pub fn furnish_steps(&self) -> Result<(), SetupError> {
        let lab = &self.lab;
        lab.autoscaling.change(DR, GROUP, |group| group.sizes = SIZES);
        lab.ecs.change(&service_arn(), |service| service.desired = TASKS);
        lab.functions.map(DR, MAPPING, false);
        for name in RULES {
            let (name, schedule) = (name.to_owned(), Some("rate(1 day)".to_owned()));
            let rule = RuleConfig {
                name,
                schedule_expression: schedule,
                state: Some("DISABLED".to_owned()),
                ..RuleConfig::default()
            };
            lab.events.put_rule(DR, rule, lab.clock.now())?;
        }
        for name in FUNCTIONS {
            let config = FunctionConfig { retries: 0, ..FunctionConfig::new(name, "/bin/true".into()) };
            Functions::create(lab, DR, config)?;
        }
        Ok(())
    }

    /// What of that is changed now.
    #[must_use]
    pub fn stepped(&self) -> Stepped {
        let lab = &self.lab;
        let group = lab.autoscaling.group(DR, GROUP).unwrap_or_default();
        let service = lab.ecs.service(&service_arn()).unwrap_or_default();
        let mapping = mappings::arn_of(DR, MAPPING);
        let is_mapped = lab.functions.is_mapped(&mapping) == Some(true);
        let on = RULES.into_iter().filter(|rule| lab.events.is_on(DR, None, rule) == Some(true));
        let on = on.chain(is_mapped.then_some(MAPPING)).collect();
        let of_rules = RULES.iter().filter_map(|rule| lab.events.tags(DR, None, rule));
        let of_functions =
            FUNCTIONS.iter().map(|name| lab.functions.tags(&lab::arn::arn("lambda", DR, &format!("function:{name}"))));
        let tags = of_rules.chain(of_functions).chain([group.tags, service.tags, lab.functions.tags(&mapping)]);
        Stepped {
            sizes: group.sizes,
            tasks: service.desired,
            on,
            records: tags.filter(|tags| tags.contains_key("holdfast:step")).count(),
        }
    }
}

/// How many instances the group is to have now.
pub(super) fn desired_in_group(lab: &Lab) -> u32 {
    lab.autoscaling.group(DR, GROUP).map_or(0, |group| group.sizes[2])
}

/// The ARN of the group, as the parameters have it.
#[must_use]
pub fn group_arn() -> String {
    autoscaling::arn_of(DR, GROUP)
}

fn service_arn() -> String {
    ecs::arn_of(DR, CLUSTER, SERVICE)
}
