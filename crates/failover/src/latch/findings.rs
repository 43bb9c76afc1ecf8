//! What people are told of a closed latch.

use std::collections::BTreeSet;

use super::{Latch, Stage};
use crate::finding::{Finding, Kind};
use crate::name::counted;
use crate::observation::{Attention, Fact};
use crate::rule::Rule;

impl Finding {
    /// The failover is committed in DR's own store, and so many names' pins are not written.
    #[must_use]
    pub fn latched(latch: &Latch, unpinned: usize) -> Self {
        Self {
            subject: "the workload".to_owned(),
            kind: Kind::Latched,
            id: Some(Rule::P13.row('a')),
            because: "the failover is committed by the latch, and Route 53 has not taken every pin yet".to_owned(),
            attention: Attention::Page,
            incident: Some(latch.incident.clone()),
            since: Some(latch.at),
            despite: BTreeSet::new(),
            facts: [Fact::new("latch", latch)].into_iter().chain((unpinned > 0).then(|| Fact::new("not pinned", counted(unpinned)))).collect(),
            next: match latch.stage {
                Stage::FailedOver { .. } => "the databases are promoted; each tick writes the pins that are left",
                Stage::Committed | Stage::Promoting => {
                    "DNS stays on DR whatever the primary does; each tick writes the pins that are left, and databases wait for them, or \
                     for every name server to show the latch"
                }
            }
            .to_owned(),
        }
    }

    /// The latch is closed for a failover that no name is in.
    #[must_use]
    pub fn stray_latch(latch: &Latch) -> Self {
        Self {
            kind: Kind::Refused,
            // No rule of the pin: a pin that was due and is refused would let go of DNS.
            id: None,
            because: "the latch is closed for a failover that no name is in any more".to_owned(),
            next: "it keeps the users of names on the switch on DR, and no other failover can be committed by it: lift it (holdfast unlatch)"
                .to_owned(),
            ..Self::latched(latch, 0)
        }
    }
}
