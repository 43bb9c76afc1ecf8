//! What steps around a failover are about: a group that is too small for all users, rules that are off, functions of the user's.

use lab::autoscaling;
use lab::events::RuleConfig;
use lab::functions::{FunctionConfig, Functions};

use super::{DR, SetupError, Stage};

const GROUP: &str = "shop";
const SIZES: [u32; 3] = [1, 8, 2];
const RULES: [&str; 2] = ["refresh", "nightly"];
const FUNCTIONS: [&str; 2] = ["warm-caches", "resume-jobs"];

const SETTLES_SOON: (&str, &str) = ("SettleSeconds", "120");
const PREPARE: (&str, &str) = (
    "Prepare",
    "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0:autoScalingGroupName/shop=6,\
     arn:aws:events:eu-central-1:123456789012:rule/refresh=on,\
     arn:aws:lambda:eu-central-1:123456789012:function:warm-caches=call",
);
const AFTER: (&str, &str) = (
    "After",
    "arn:aws:events:eu-central-1:123456789012:rule/nightly=on,\
     arn:aws:lambda:eu-central-1:123456789012:function:resume-jobs=call",
);
const RESOURCES: (&str, &str) = (
    "StepResources",
    "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0:autoScalingGroupName/shop,\
     arn:aws:events:eu-central-1:123456789012:rule/refresh,\
     arn:aws:events:eu-central-1:123456789012:rule/nightly,\
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
    /// Which rules are on.
    pub on: Vec<&'static str>,
    /// How many resources carry a record of Holdfast's in their tags.
    pub records: usize,
}

impl Stepped {
    /// Before anything happened.
    #[must_use]
    pub fn untouched() -> Self {
        Self { sizes: SIZES, on: Vec::new(), records: 0 }
    }

    /// With all that `Prepare` names as it is to be, and all that `After` names if `over`.
    #[must_use]
    pub fn whole(over: bool) -> Self {
        let (on, records) = if over { (RULES.to_vec(), 5) } else { (vec![RULES[0]], 3) };
        Self { sizes: [6, 8, 6], on, records }
    }
}

impl Stage {
    /// Puts there what [`STEPS`] names. What the functions do is the user's affair: these end at once.
    ///
    /// # Errors
    /// If the lab refuses one of them.
    pub fn furnish_steps(&self) -> Result<(), SetupError> {
        self.lab.autoscaling.change(DR, GROUP, |group| group.sizes = SIZES);
        for name in RULES {
            let (name, schedule) = (name.to_owned(), Some("rate(1 day)".to_owned()));
            let rule = RuleConfig {
                name,
                schedule_expression: schedule,
                state: Some("DISABLED".to_owned()),
                ..RuleConfig::default()
            };
            self.lab.events.put_rule(DR, rule, self.lab.clock.now())?;
        }
        for name in FUNCTIONS {
            let config = FunctionConfig { retries: 0, ..FunctionConfig::new(name, "/bin/true".into()) };
            Functions::create(&self.lab, DR, config)?;
        }
        Ok(())
    }

    /// What of that is changed now.
    #[must_use]
    pub fn stepped(&self) -> Stepped {
        let lab = &self.lab;
        let group = lab.autoscaling.group(DR, GROUP).unwrap_or_default();
        let on = RULES.into_iter().filter(|rule| lab.events.is_on(DR, None, rule) == Some(true)).collect();
        let of_rules = RULES.iter().filter_map(|rule| lab.events.tags(DR, None, rule));
        let of_functions =
            FUNCTIONS.iter().map(|name| lab.functions.tags(&lab::arn::arn("lambda", DR, &format!("function:{name}"))));
        let tags = of_rules.chain(of_functions).chain([group.tags]);
        Stepped { sizes: group.sizes, on, records: tags.filter(|tags| tags.contains_key("holdfast:step")).count() }
    }
}

/// The ARN of the group, as the parameters have it.
#[must_use]
pub fn group_arn() -> String {
    autoscaling::arn_of(DR, GROUP)
}
