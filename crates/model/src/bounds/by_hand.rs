//! What people change that Holdfast does not: records, databases, alarms, protections.

use super::Bounds;
use crate::people::Deed;
use crate::setting::{ONE, Workload};
use crate::world::Trouble;

impl Bounds {
    /// The records change before, in and after an incident.
    pub const RECORDS: Self = Self {
        name: "records",
        about: "any two of: the old primary made SECONDARY, DR moved, a name moved by hand, PRIMARY written back with a long TTL",
        time: 2,
        starts: (2, 1),
        is_whole: true,
        people: 2,
        deeds: &[Deed::SwapRoles, Deed::MoveDr, Deed::MoveByHand, Deed::RaiseTtl],
        recovers: false,
        ..Self::NONE
    };

    /// What takes writes in DR is not what Holdfast promoted, or no replica at all.
    pub const REPLICAS: Self = Self {
        name: "replicas",
        about: "a database promoted by hand or restored under its name, named in the wrong list, or in a status nobody knows",
        time: 3,
        is_whole: true,
        people: 2,
        deeds: &[Deed::Approve, Deed::PromoteByHand, Deed::RestoreUnderName],
        trouble: 1,
        troubles: &[Trouble::DatabaseIsMember, Trouble::DatabaseIsGlobal, Trouble::DatabaseUnknown],
        recovers: false,
        ..Self::NONE
    };

    /// A global database is failed over in ways that Holdfast did not ask for, or does not let itself be.
    pub const GLOBAL: Self = Self {
        name: "global",
        about: "a cluster of a global database: promoted or restored by hand, switched over or taken out by people, its failover failing half-way",
        workload: Workload { is_global: true, ..ONE },
        troubles: &[Trouble::GlobalOperated, Trouble::GlobalDetached, Trouble::GlobalFails],
        ..Self::REPLICAS
    };

    /// What is to guard a name does not.
    pub const GUARDS: Self = Self {
        name: "guards",
        about: "a name never armed, and any two of: no alarm, none evaluated, probes that tell nothing, another record beside it",
        workload: Workload { is_armed: false, rehearses: true, ..ONE },
        time: 3,
        promoters: 0,
        starts: (2, 0),
        is_whole: true,
        people: 1,
        deeds: &[Deed::MoveByHand, Deed::SwapRoles],
        trouble: 2,
        troubles: &[
            Trouble::AlarmGone,
            Trouble::AlarmUnevaluated,
            Trouble::PrimaryUnclear,
            Trouble::PrimaryHidden,
            Trouble::DrUnclear,
            Trouble::DrSilent,
            Trouble::RecordBeside,
            Trouble::HintsBeside,
        ],
        ..Self::NONE
    };

    /// Pins are rehearsed, and Route 53 refuses what people have protected.
    pub const REHEARSALS: Self = Self {
        name: "rehearsals",
        about: "fair: two names whose pins are rehearsed, one of which somebody protects and frees, and one invocation dies",
        workload: Workload { names: &[2], rehearses: true, ..ONE },
        time: 2,
        starts: (2, 2),
        trouble: 1,
        troubles: &[Trouble::RecordProtected],
        recovers: false,
        crashes: Some(1),
        is_fair: true,
        ..Self::NONE
    };
}
