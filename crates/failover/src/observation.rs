//! What was seen when a decision is made.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::{AlarmSighting, AlarmState};
use crate::name::Name;
pub use crate::probe::{Probe, Silence, TlsFault, Unsent};
use crate::record::{Pair, PairFault, RecordSet};
use crate::register::{Reading, Register};

/// One protected name as Route 53 describes it now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameView {
    /// Hosted zone id.
    pub zone: String,
    /// The protected name.
    pub name: Name,
    /// Its failover pairs, one a type.
    pub pairs: Result<Vec<Pair>, PairFault>,
    /// Its register.
    pub register: Reading,
}

impl NameView {
    /// Picks one name out of a zone's record sets.
    #[must_use]
    pub fn of_name(zone: &str, name: &Name, sets: &[RecordSet]) -> Self {
        Self {
            zone: zone.to_owned(),
            name: name.clone(),
            pairs: Pair::of_name(name, sets),
            register: Reading::of_name(name, sets),
        }
    }

    /// Picks names out of a zone's record sets; however many there are, each set is looked at once.
    #[must_use]
    pub fn of_names(zone: &str, names: &[Name], sets: &[RecordSet]) -> Vec<Self> {
        let mut by_name: HashMap<&Name, Vec<&RecordSet>> = HashMap::new();
        for set in sets {
            by_name.entry(&set.name).or_default().push(set);
        }
        let own = |name: &Name| by_name.get(name).into_iter().flatten().map(|&set| set.clone());
        let of_name = |name: &Name| {
            let sets: Vec<_> = own(name).chain(own(&name.register())).collect();
            Self::of_name(zone, name, &sets)
        };
        names.iter().map(of_name).collect()
    }

    /// True if every pair sends clients to DR whatever its health checks say.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.pairs.as_ref().is_ok_and(|pairs| pairs.iter().all(Pair::agrees))
    }

    /// The register, if it is there and readable.
    #[must_use]
    pub fn register(&self) -> Option<&Register> {
        self.register.register()
    }
}

/// Both probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Probes {
    /// The primary site.
    pub primary: Probe,
    /// The DR site.
    pub dr: Probe,
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

/// One thing seen, for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub about: String,
    /// What was seen.
    pub seen: String,
}

impl Fact {
    /// A fact in words.
    pub fn new(about: impl Into<String>, seen: impl ToString) -> Self {
        Self { about: about.into(), seen: seen.to_string() }
    }
}

/// How much a decision deserves a person's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attention {
    /// Logs only.
    None,
    /// Worth a message.
    Notice,
    /// Worth waking someone.
    Page,
}

/// `now` is at least `seconds` after `then`.
pub(crate) fn elapsed(then: Timestamp, now: Timestamp, seconds: u32) -> bool {
    now.duration_since(then).as_secs() >= i64::from(seconds)
}
