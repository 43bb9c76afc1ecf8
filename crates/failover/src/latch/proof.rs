//! What the zone's name servers must show before the latch counts as a pin in sync.
//!
//! `dr` from the switch alone proves nothing: an outage gives it too, and takes it back. And the three TXT pairs tell of the health checks,
//! not of the protected names: those are asked for as well, and must stand on the switch by the last listing of the zone.

use std::collections::BTreeMap;

use crate::name::Name;
use crate::observation::NameView;
use crate::plan::Plan;
use crate::record::{Pair, Target, destination};
use crate::register::{Register, Spread};
use crate::switch::is_on_switch;

/// What `_holdfast-latch` answers once the latch is closed, and the switch once it sends users to DR.
const COMMITTED: &str = "committed";
const DR: &str = "dr";

/// As few name servers as must have answered.
const SERVERS_MIN: usize = 2;

/// What a name server answered: the values, or why it is not known.
pub type Heard = Result<Vec<String>, String>;

/// What was asked of the name servers in one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Of the zone that the pairs are in, server by server.
    pub marks: Vec<Marks>,
    /// Of each protected name and type.
    pub names: BTreeMap<(Name, String), Led>,
}

/// What one name server says of the latch and the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Its address.
    pub server: String,
    /// Of [`Pairs::latch`](crate::plan::Pairs::latch).
    pub latch: Heard,
    /// Of [`Pairs::again`](crate::plan::Pairs::again).
    pub again: Heard,
    /// Of [`Pairs::switch`](crate::plan::Pairs::switch).
    pub switch: Heard,
}

/// Where a protected name's users are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Led {
    /// Where they may not be sent: the primary.
    pub home: Heard,
    /// What each name server of its zone answers.
    pub answers: Vec<(String, Heard)>,
}

/// Why the answers prove nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// Too few name servers are known.
    #[error("{0} of the zone's name servers are known, and two at least must answer")]
    Servers(usize),
    /// One did not say it.
    #[error("the name server {server} says of {asked}: {said}")]
    Server {
        /// Its address.
        server: String,
        /// What it was asked for.
        asked: String,
        /// Its answer.
        said: String,
    },
    /// The latch does not move all users of a name, or not for good.
    #[error("{name} {kind} does not follow the switch alone: {why}")]
    Name {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
        /// Why.
        why: &'static str,
    },
    /// No type of a name has addresses, before or now.
    #[error("name servers send users of {0} nowhere, and that proves nothing")]
    Nowhere(Name),
    /// Where the primary is, is not known.
    #[error("where the PRIMARY record of {name} {kind} leads is not known: {why}")]
    Home {
        /// Which name.
        name: Name,
        /// Which type.
        kind: String,
        /// Why.
        why: String,
    },
}

/// Where each pair of a name led before its pin, if it is pinned, else where it leads now: what no name server may answer.
#[must_use]
pub fn homes(view: &NameView) -> Vec<((Name, String), Target)> {
    let home = |pair: &Pair| {
        let original = view.pin().and_then(|pin| pin.original.get(pair.kind()));
        let target = original.unwrap_or(&pair.primary().target).clone();
        ((view.name.clone(), pair.kind().to_owned()), target)
    };
    view.pairs.iter().flatten().map(home).collect()
}

/// Whether every name server shows the latch closed and the switch at DR, and sends nobody to a primary.
///
/// # Errors
/// The first thing that proves nothing.
pub fn proves(plan: &Plan, names: &[NameView], look: &Look) -> Result<(), NotProven> {
    enough(look.marks.len())?;
    for marks in &look.marks {
        for (asked, heard, wanted) in marks.committed() {
            if !says(heard, wanted) {
                return Err(NotProven::of_server(&marks.server, asked, heard));
            }
        }
    }
    for view in names {
        let pairs = view.pairs.as_deref().unwrap_or_default();
        let mut leads_elsewhere = pairs.is_empty();
        for pair in pairs {
            // What a pin in sync holds need not follow the switch.
            if !is_in_sync(view) {
                follows_the_switch(plan, view, pair)?;
            }
            leads_elsewhere |= leads_away(view, pair, look)?;
        }
        if !leads_elsewhere {
            return Err(NotProven::Nowhere(view.name.clone()));
        }
    }
    Ok(())
}

fn is_in_sync(view: &NameView) -> bool {
    let in_sync = |register: &Register| {
        matches!(register, Register::Pinned { spread: Spread::InSync { .. }, .. } | Register::FailedOver { .. })
    };
    view.register().is_some_and(in_sync) && view.agrees()
}

/// True if these answers alone may prove it: the names are worth asking for.
#[must_use]
pub fn may_prove(marks: &[Marks]) -> bool {
    let shows = |marks: &Marks| marks.committed().into_iter().all(|(_, heard, wanted)| says(heard, wanted));
    marks.len() >= SERVERS_MIN && marks.iter().all(shows)
}

/// The first name server that answered otherwise than it does once the latch is closed. A silent one says nothing.
#[must_use]
pub fn denied(look: &Look) -> Option<NotProven> {
    look.marks.iter().find_map(|marks| {
        let denies = |(_, heard, wanted): &(_, &Heard, &str)| heard.is_ok() && !says(heard, wanted);
        let (asked, heard, _) = marks.committed().into_iter().find(denies)?;
        Some(NotProven::of_server(&marks.server, asked, heard))
    })
}

impl Marks {
    /// What is asked for, what was heard, and what is wanted of a closed latch.
    fn committed(&self) -> [(&'static str, &Heard, &'static str); 3] {
        [
            ("the latch", &self.latch, COMMITTED),
            ("the latch's second check", &self.again, COMMITTED),
            ("the switch", &self.switch, DR),
        ]
    }
}

fn says(heard: &Heard, wanted: &str) -> bool {
    heard.as_ref().is_ok_and(|values| *values == [wanted])
}

fn enough(servers: usize) -> Result<(), NotProven> {
    if servers < SERVERS_MIN { Err(NotProven::Servers(servers)) } else { Ok(()) }
}

/// "If all the records in a group are unhealthy, Route 53 answers with the primary" (developer guide, failover records), hence nothing
/// but the switch may count.
fn follows_the_switch(plan: &Plan, view: &NameView, pair: &Pair) -> Result<(), NotProven> {
    let is_judged = |target: &Target| matches!(target, Target::Alias { evaluate_health: true, .. });
    let why = if !is_on_switch(plan, view) {
        "its PRIMARY record has another health check"
    } else if pair.secondary().health_check.is_some() {
        "its SECONDARY record has a health check"
    } else if is_judged(&pair.primary().target) || is_judged(&pair.secondary().target) {
        "a record evaluates target health"
    } else {
        return Ok(());
    };
    Err(NotProven::Name { name: view.name.clone(), kind: pair.kind().to_owned(), why })
}

/// True if users are sent elsewhere; false if there was or is nowhere to send them, as those who ask for AAAA where the load balancer behind
/// an alias has IPv4 alone. That is no proof by itself, and no doubt beside one: a name's pairs stand on one switch.
fn leads_away(view: &NameView, pair: &Pair, look: &Look) -> Result<bool, NotProven> {
    let (name, kind) = (view.name.clone(), pair.kind().to_owned());
    let canonical = |values: &[String]| values.iter().map(|value| destination(&kind, value)).collect::<Vec<_>>();
    let unknown = |why: &str| NotProven::Home { name: name.clone(), kind: kind.clone(), why: why.to_owned() };
    let led = look.names.get(&(name.clone(), kind.clone())).ok_or_else(|| unknown("it was not asked for"))?;
    let home = match &led.home {
        Ok(values) => canonical(values),
        Err(why) => return Err(unknown(why)),
    };
    enough(led.answers.len())?;
    let is_nowhere = |(_, heard): &(String, Heard)| heard.as_ref().is_ok_and(Vec::is_empty);
    if home.is_empty() || led.answers.iter().all(is_nowhere) {
        return Ok(false);
    }
    let is_away = |values: &Vec<String>| !values.is_empty() && canonical(values).iter().all(|to| !home.contains(to));
    match led.answers.iter().find(|(_, heard)| !heard.as_ref().is_ok_and(is_away)) {
        Some((server, heard)) => Err(NotProven::of_server(server, &format!("{name} {kind}"), heard)),
        None => Ok(true),
    }
}

impl NotProven {
    fn of_server(server: &str, asked: &str, heard: &Heard) -> Self {
        Self::Server { server: server.to_owned(), asked: asked.to_owned(), said: in_words(heard) }
    }
}

fn in_words(heard: &Heard) -> String {
    match heard {
        Ok(values) if values.is_empty() => "nothing".to_owned(),
        Ok(values) => values.join(", "),
        Err(why) => why.clone(),
    }
}
