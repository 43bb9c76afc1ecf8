//! The latch: a failover committed in the DR region's own store, which the switch obeys whatever Route 53's control plane does.
//!
//! While it is closed the switch answers DR, by two of its four children, however the outage and the hold stand. It is one small text,
//! changed by compare-and-swap only, and read strongly consistently: absent is open, and a read that failed is not known.

mod findings;
mod proof;
mod text;
mod views;

use jiff::Timestamp;

use crate::incident::Incident;
use crate::observation::{NameView, elapsed};
pub use crate::plan::Pairs;
use crate::register::{Evidence, Register, RegisterError};
pub use proof::{Heard, Led, Look, Marks, NotProven, denied, homes, may_prove, proves};
pub use views::{commits, in_doubt, knowing, stands_in};

/// How far apart two looks at the name servers may be, in seconds, for what both show to have been shown all the while: a tick may be
/// late, and one may be lost.
const LOOKS_APART_SECONDS_MAX: u32 = 150;

/// For how long an invocation may go by what it has read, in seconds: replica-promoter's time limit is 180 s, and clocks differ.
const INVOCATION_SECONDS_MAX: u32 = 300;

/// A committed failover, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Latch {
    /// For which incident.
    pub incident: Incident,
    /// When it was committed.
    pub at: Timestamp,
    /// How far the failover has come.
    pub stage: Stage,
    /// Since when every name server has shown it in every look, if they do.
    pub shown: Option<Timestamp>,
    /// When they last did.
    pub looked: Option<Timestamp>,
    /// What is known of the databases in this failover.
    pub evidence: Evidence,
}

/// How far a latched failover has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Users are on their way to DR. A person may still lift it.
    Committed,
    /// Databases are being promoted: nothing takes users back but a failback.
    Promoting,
    /// Every database is promoted.
    FailedOver {
        /// When that was seen.
        at: Timestamp,
    },
}

/// The latch as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// The plan has no store for one.
    NoStore,
    /// The store did not answer, or not with a latch: nothing follows from it.
    NotKnown(String),
    /// The store has none: nothing is committed.
    Open {
        /// When that was asked for; a word of it that comes later tells of then.
        asked: Timestamp,
    },
    /// A failover is committed.
    Closed {
        /// Which.
        latch: Latch,
        /// When that was asked for.
        asked: Timestamp,
    },
}

impl Reading {
    /// What a read of the store came to that was sent off at `asked`.
    #[must_use]
    pub fn of(read: Result<Option<String>, String>, asked: Timestamp) -> Self {
        match read.map(|text| text.map(|text| Latch::parse(&text))) {
            Ok(None) => Self::Open { asked },
            Ok(Some(Ok(latch))) => Self::Closed { latch, asked },
            Ok(Some(Err(error))) => Self::NotKnown(error.to_string()),
            Err(why) => Self::NotKnown(why),
        }
    }

    /// The latch, if one is known to be closed.
    #[must_use]
    pub fn closed(&self) -> Option<&Latch> {
        match self {
            Self::Closed { latch, .. } => Some(latch),
            Self::NoStore | Self::NotKnown(_) | Self::Open { .. } => None,
        }
    }
}

impl Latch {
    /// A failover just committed.
    #[must_use]
    pub fn committed(incident: Incident, at: Timestamp) -> Self {
        Self { incident, at, stage: Stage::Committed, shown: None, looked: None, evidence: Evidence::default() }
    }

    /// The same, after a look at the name servers. What is not shown in one look begins anew, and so it does where looks are missing.
    #[must_use]
    pub fn looked_at(&self, is_shown: bool, now: Timestamp) -> Self {
        let is_unbroken = self.looked.is_some_and(|at| !elapsed(at, now, LOOKS_APART_SECONDS_MAX));
        let shown = self.shown.filter(|_| is_unbroken);
        Self { shown: is_shown.then(|| shown.unwrap_or(now)), looked: is_shown.then_some(now), ..self.clone() }
    }

    /// True if a name is in this failover: pinned for it, or armed since before it was committed, so that its pin is to follow.
    #[must_use]
    pub fn takes_along(&self, view: &NameView) -> bool {
        match view.register() {
            Some(Register::Pinned { pin, .. } | Register::FailedOver { pin, .. }) => pin.incident == self.incident,
            Some(Register::Armed { since, .. }) => *since < self.at,
            Some(Register::Disarmed { .. } | Register::Paused { .. }) | None => false,
        }
    }

    /// True if every name is known to be out of this failover, and to have been for longer than an invocation lives that read otherwise.
    /// Since when a name without a register is out of it, nobody knows.
    #[must_use]
    pub fn is_left(&self, names: &[NameView], now: Timestamp) -> bool {
        let is_out = |view: &NameView| {
            let since = view.register().map(|register| match register {
                Register::Disarmed { at, .. } | Register::Paused { at, .. } => *at,
                Register::Armed { since, .. } => *since,
                Register::Pinned { pin, .. } | Register::FailedOver { pin, .. } => pin.at,
            });
            !self.takes_along(view) && since.is_some_and(|since| elapsed(since, now, INVOCATION_SECONDS_MAX))
        };
        names.iter().all(is_out)
    }

    /// The same, once databases may be promoted.
    #[must_use]
    pub fn promoting(&self) -> Self {
        let stage = if self.stage == Stage::Committed { Stage::Promoting } else { self.stage };
        Self { stage, ..self.clone() }
    }

    /// The same, with what was seen of the databases.
    #[must_use]
    pub fn knowing(&self, evidence: &Evidence) -> Self {
        Self { evidence: self.evidence.and(evidence), ..self.clone() }
    }

    /// The same, once every database is promoted.
    #[must_use]
    pub fn failed_over(&self, now: Timestamp) -> Self {
        let stage = match self.stage {
            Stage::FailedOver { .. } => self.stage,
            Stage::Committed | Stage::Promoting => Stage::FailedOver { at: now },
        };
        Self { stage, ..self.clone() }
    }

    /// Reads a latch's text.
    ///
    /// # Errors
    /// If any of it is not understood.
    pub fn parse(text: &str) -> Result<Self, RegisterError> {
        text::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;
    use crate::plan::ReplicaId;
    use crate::register::ArmedBy;

    fn latch() -> Latch {
        Latch::committed(Incident { alarm: "outage, 30 min".to_owned(), began: at(0) }, at(60))
    }

    #[test]
    fn every_latch_survives_being_written_and_read() {
        let known = Evidence::replica(ReplicaId::AuroraCluster("app-dr".to_owned()));
        let shown = latch().looked_at(true, at(120)).knowing(&known);
        for latch in [latch(), shown.clone(), shown.promoting(), shown.promoting().failed_over(at(400))] {
            assert_eq!(Latch::parse(&latch.to_string()), Ok(latch));
        }
        assert_eq!(
            latch().to_string(),
            "v=1 committed at=2026-01-01T12:01:00Z incident=outage%2C%2030%20min@2026-01-01T12:00:00Z"
        );
    }

    #[test]
    fn what_is_not_understood_is_not_known_and_never_open() {
        for bad in
            ["", "open", "v=2 committed at=2026-01-01T12:01:00Z incident=a@2026-01-01T12:00:00Z", "v=1 committed"]
        {
            assert!(matches!(Reading::of(Ok(Some(bad.to_owned())), at(0)), Reading::NotKnown(_)), "{bad}");
        }
        assert_eq!(Reading::of(Err("silent".to_owned()), at(0)), Reading::NotKnown("silent".to_owned()));
        assert_eq!(Reading::of(Ok(None), at(7)), Reading::Open { asked: at(7) });
    }

    #[test]
    fn one_look_that_does_not_show_it_starts_the_clock_anew() {
        let shown = latch().looked_at(true, at(100)).looked_at(true, at(160));
        assert_eq!(shown.shown, Some(at(100)));
        assert_eq!(shown.looked_at(true, at(310)).shown, Some(at(310)), "nobody looked for too long");
        assert_eq!(shown.looked_at(false, at(220)).looked_at(true, at(280)).shown, Some(at(280)));
    }

    #[test]
    fn a_failover_is_left_once_every_name_has_been_out_of_it_for_longer_than_an_invocation_lives() {
        let view = |register: Option<Register>| {
            let name: crate::name::Name = "app.example.com".parse().unwrap();
            let sets: Vec<_> = register.map(|it| it.record_set(&name).unwrap()).into_iter().collect();
            NameView::of_name("Z1", &name, &sets)
        };
        let disarmed = |seconds| view(Some(Register::disarmed(at(seconds), "kim".to_owned())));
        let armed = |seconds| view(Some(Register::armed(at(seconds), ArmedBy::Operator)));
        let is_left = |names: &[NameView]| latch().is_left(names, at(1_000));
        assert!(is_left(&[disarmed(700), armed(60), disarmed(0)]));
        assert!(!is_left(&[disarmed(701)]), "an invocation from before may still live");
        assert!(!is_left(&[disarmed(700), armed(59)]), "its pin is to follow");
        assert!(!is_left(&[disarmed(700), view(None)]), "nobody knows since when");
    }

    #[test]
    fn a_failover_only_goes_forward() {
        let over = latch().failed_over(at(300));
        assert_eq!(over.promoting(), over);
        assert_eq!(over.failed_over(at(900)), over);
    }
}
