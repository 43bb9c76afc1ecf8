//! The steps around a failover, S01–S09: what of DR is made ready while an outage is waited out, and what runs there once the
//! failover is over.
//!
//! What was before is put on record, as tags of the resource itself, before anything is changed, and the record is taken off
//! last: whoever died in between, the next look goes on from what it finds. Counts are only ever raised, and what somebody else
//! changed meanwhile is left alone.

mod decision;
mod moment;
mod note;
mod parse;
mod setting;
mod tables;

use std::fmt;

pub use decision::{Decision, decide};
pub use moment::{CALM_SECONDS, CALM_SECONDS_OF_OBSERVER, Due, Forbidden, Moment, World};
pub use note::{Note, Stage, TAGS, Tags};
pub use parse::{STEPS_VARIABLE, StepError};
pub use setting::{Setting, Sizes};
pub use tables::{Row, TABLE, Verdict};

/// Everything that is to be done around a failover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The name of the stack's bus, which no other stack of the region has: whose a record is.
    pub bus: String,
    /// ARN of the alarm that says that the primary site is down, long before a failover begins.
    pub site_down_alarm: String,
    /// ARN of the alarm that rings while nobody can tell whether the primary is up, where site-down keeps its state then: the observer's.
    pub blind_alarm: Option<String>,
    /// How long it must have said so before DR is prepared, in minutes.
    pub prepare_after_minutes: u32,
    /// The steps, those of `Prepare` first; never empty.
    pub entries: Vec<Entry>,
}

impl Steps {
    /// The ARNs of the alarms that steps go by, beside those of the plan.
    pub fn alarms(&self) -> impl Iterator<Item = &String> {
        [&self.site_down_alarm].into_iter().chain(&self.blind_alarm)
    }
}

/// One step: a resource of the DR region, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub list: List,
    /// Its ARN, as the template has it.
    pub arn: String,
    /// Which resource, and what it is to be.
    pub target: Target,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum List {
    /// While the outage is waited out, before users come.
    Prepare,
    /// Once every protected name is failed over.
    After,
    /// Never again: it is in StepResources alone. What of it is still changed is undone.
    Neither,
}

/// A resource, by how AWS names it, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An Auto Scaling group with at least so many instances.
    Group {
        /// Its name.
        name: String,
        /// How many.
        size: u32,
    },
    /// An ECS service with at least so many tasks.
    Service {
        /// Its cluster.
        cluster: String,
        /// Its name.
        name: String,
        /// How many.
        count: u32,
    },
    /// An EventBridge rule, on or off.
    Rule {
        /// Its bus; none is the default bus.
        bus: Option<String>,
        /// Its name.
        name: String,
        /// True if it is to be on.
        on: bool,
    },
    /// A Lambda event source mapping, on or off: whether a function gets what a queue or a stream holds.
    Mapping {
        /// Its UUID.
        id: String,
        /// True if it is to be on.
        on: bool,
    },
    /// A Lambda function of the user's that is called, once an incident.
    Function {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prepare => "Prepare",
            Self::After => "After",
            Self::Neither => "Neither",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { name, .. } => write!(f, "Auto Scaling group {name}"),
            Self::Service { cluster, name, .. } => write!(f, "service {name} of cluster {cluster}"),
            Self::Rule { bus: None, name, .. } => write!(f, "rule {name}"),
            Self::Rule { bus: Some(bus), name, .. } => write!(f, "rule {name} of bus {bus}"),
            Self::Mapping { id, .. } => write!(f, "event source mapping {id}"),
            Self::Function { name } => write!(f, "function {name}"),
        }
    }
}

impl Entry {
    /// What it is to be, in words that follow "is to".
    #[must_use]
    pub fn wanted(&self) -> String {
        match &self.target {
            _ if self.list == List::Neither => {
                "be what it was before, as it is in neither Prepare nor After".to_owned()
            }
            Target::Group { size, .. } => format!("have at least {size} instances"),
            Target::Service { count, .. } => format!("have at least {count} tasks"),
            Target::Rule { on, .. } | Target::Mapping { on, .. } => format!("be {}", if *on { "on" } else { "off" }),
            Target::Function { .. } => "be called once".to_owned(),
        }
    }
}

/// A resource as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// There is none.
    Missing,
    /// AWS did not say.
    NotSeen(String),
    /// It is there, and what it is could not be given back.
    Unfit(String),
    /// It is there.
    There {
        /// What it is now.
        setting: Setting,
        /// What else is worth telling of it, such as how many instances are in service; may be empty.
        detail: String,
        /// What its tags say that Holdfast did to it.
        tags: Tags,
    },
}
