//! What several stories have in common: checks and stages.

use crate::check::{self, Check};
use crate::databases::Databases;
use crate::stage::Layout;

/// What every completed failover must show, whatever it went through.
pub(super) const PINNED_AND_PROMOTED: &[Check] = &[
    check::PINNED_ONCE,
    check::PROMOTED_ONCE,
    check::PIN_BEFORE_PROMOTION,
    check::NO_ANSWER_BACK,
    check::NO_WRITE_BACK,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
];
/// The same where the latch went before the pin.
pub(super) const BY_LATCH: &[Check] = &[
    check::PINNED_ONCE,
    check::PROMOTED_ONCE,
    check::GONE_BEFORE_PROMOTION,
    check::NO_ANSWER_BACK,
    check::NO_WRITE_BACK,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
    check::PROMOTED_IN_THE_DARK,
    check::COMMIT_TOLD,
];
/// The same where a person changed a record too.
pub(super) const EDITED: &[Check] = &[
    check::PROMOTED_ONCE,
    check::PIN_BEFORE_PROMOTION,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
];
/// What must not follow it.
pub(super) const HOLDS: &[Check] = &[check::RETURN_CHANGES_NOTHING];
/// Data is lost within the policy only.
pub(super) const LOSS: &[Check] = &[check::LOSS_WITHIN_LAG];
/// Each message arrived.
pub(super) const TOLD: &[Check] = &[check::OPERATORS_TOLD];
/// A user's own plan: what every completed failover must show, and within which budget.
pub(in crate::scenario) const PLANNED: &[&[Check]] = &[WITHIN_BUDGET, PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD];
/// The same on the switch.
pub(in crate::scenario) const PLANNED_ON_SWITCH: &[&[Check]] =
    &[WITHIN_BUDGET, PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::MOVED_BY_PIN]];
const WITHIN_BUDGET: &[Check] = &[check::RTO_WITHIN_BUDGET, check::RPO_WITHIN_BUDGET];
/// What must not have happened when a failover is held.
pub(super) const HELD: &[Check] = &[check::NOTHING_TOUCHED, check::STILL_ARMED, check::USERS_ON_PRIMARY];

/// As the templates have it.
pub(super) const PLAIN: Layout = Layout {
    responder: &[],
    detector: &[],
    crowd: 0,
    one_stack: false,
    databases: Databases::Simulated,
    is_global: false,
    has_shop: false,
    plan: None,
};
/// For stories that are not about how long an outage or a calm lasts, which is most of what a drill takes.
pub const QUICK: Layout =
    Layout { responder: &[SETTLES_SOON], detector: &[("OutageMinutes", QUICK_OUTAGE_MINUTES)], ..PLAIN };
/// How long an outage lasts there before it is one.
pub const QUICK_OUTAGE_MINUTES: &str = "5";
/// The same, where DNS moves by Holdfast alone.
pub(super) const ON_SWITCH: Layout = Layout { responder: &[SETTLES_SOON, ("DnsMoves", "by-holdfast")], ..QUICK };
/// A global database, and no other.
pub(super) const ON_GLOBAL: Layout = Layout {
    responder: &[SETTLES_SOON, ("AuroraClusters", ""), ("RdsInstances", ""), ("AuroraGlobalClusters", "world/app-dr")],
    is_global: true,
    ..QUICK
};
/// Real servers behind RDS.
pub(super) const ON_MARIADB: Layout = Layout { databases: Databases::Mariadb, ..QUICK };
/// The DR region's stack alone.
pub(super) const ONE_STACK: Layout = Layout { one_stack: true, ..QUICK };
/// The same, and the margin of what name servers show as short as the rest.
pub(super) const DARK: Layout = Layout {
    one_stack: true,
    responder: &[SETTLES_SOON, ("DnsMoves", "by-holdfast"), ("DnsMarginSeconds", "60")],
    ..QUICK
};
/// As soon as can be (docs/deploying.md, "A fast failover").
pub(super) const FAST: Layout = Layout {
    one_stack: true,
    responder: &[SETTLES_SOON, ("DnsMoves", "by-holdfast"), ("DrainSeconds", "30"), ("DetectionSecondsMax", "660")],
    detector: &[("OutageMinutes", "1"), ("RequestInterval", "10")],
    ..PLAIN
};
pub(super) const SETTLES_SOON: (&str, &str) = ("SettleSeconds", "120");

/// Parameters that fence the old writers.
pub(super) const FENCING: &[(&str, &str)] = &[
    SETTLES_SOON,
    ("FenceRegion", crate::stage::PRIMARY),
    ("FenceSecurityGroupId", crate::stage::CLOSED_GROUP),
    ("FenceAuroraClusters", "app"),
    ("FenceRdsInstances", "orders"),
];
