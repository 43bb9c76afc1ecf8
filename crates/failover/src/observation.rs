//! What was seen when a decision is made.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use crate::fact::{Attention, Fact};
use crate::incident::{AlarmSighting, AlarmState};
use crate::plan::Plan;
pub use crate::probe::{Probe, Silence, TlsFault, Unsent};
pub use crate::targets::Targets;
pub use crate::view::NameView;

/// What our own looks at the sites found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Probes {
    /// The primary site.
    pub primary: Probe,
    /// The DR site.
    pub dr: Probe,
    /// Whether enough of DR's targets are healthy.
    pub targets: Targets,
}

/// How far a Route 53 change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeStatus {
    /// On its way to the name servers.
    Pending,
    /// At every name server.
    InSync,
    /// Route 53 does not know it (any more): it must be made again.
    Lost,
}

/// What Route 53 said of each change asked for, by id.
pub type Changes = BTreeMap<String, ChangeStatus>;

/// What is known of the plan's alarms: the newest word of each. `None` while nothing is known.
pub type Alarms = Option<Vec<AlarmSighting>>;

/// The alarms that say ALARM, oldest first.
pub(crate) fn in_alarm(alarms: &Alarms) -> Vec<&AlarmSighting> {
    let mut ringing: Vec<_> = alarms.iter().flatten().filter(|alarm| alarm.state == AlarmState::Alarm).collect();
    ringing.sort_by_key(|alarm| (alarm.since, &alarm.name));
    ringing
}

/// The plan's alarms that are not known to say OK, in words.
#[must_use]
pub fn not_ok(plan: &Plan, alarms: &Alarms) -> Vec<String> {
    let said = |arn: &String| {
        let alarm = alarms.iter().flatten().find(|alarm| alarm.arn == *arn);
        match alarm {
            Some(alarm) if alarm.says_ok() => None,
            Some(alarm) => Some(format!("alarm {} is {}", alarm.name, alarm.in_words())),
            None => Some(format!("nothing is known of alarm {arn}")),
        }
    };
    plan.alarms.iter().filter_map(said).collect()
}

/// `now` is at least `seconds` after `then`.
pub(crate) fn elapsed(then: Timestamp, now: Timestamp, seconds: u32) -> bool {
    now.duration_since(then).as_secs() >= i64::from(seconds)
}
