//! The stories that end at home.

use super::super::Scenario;
use super::parts::*;
use crate::check::{self, Check};

const HOME_THREE_TIMES: &[Check] = &[
    check::BACK_WAS_GUARDED,
    check::OUT_BACK_AND_OUT,
    check::RECORDS_RESTORED,
    check::USERS_CAME_HOME,
    check::LOSS_NEAR_OUTAGES,
    check::NOTHING_DELETED,
    check::ORDERS_TOLD,
    check::STILL_ARMED,
    check::USERS_ON_PRIMARY,
];

/// Three times in a row.
pub(super) const FAILBACK: Scenario = Scenario {
    name: "failback",
    about: "out and back by the command line's guarded steps, three times in a row: no write is lost but by lag",
    layout: QUICK,
    play: |play| Box::pin(play.failback()),
    checks: &[HOME_THREE_TIMES],
};

/// The same on the switch.
pub(super) const FAILBACK_ON_SWITCH: Scenario = Scenario {
    name: "failback-on-switch",
    about: "the same on the switch: each failback lifts the latch, and the next failover closes it anew",
    layout: DARK,
    play: |play| Box::pin(play.failback_on_switch()),
    checks: &[HOME_THREE_TIMES],
};

/// A global database, out and home.
pub(super) const GLOBAL_DATABASE: Scenario = Scenario {
    name: "global-database",
    about: "an Aurora Global Database: one FailoverGlobalCluster in an outage, and home by a switchover once Aurora has added the primary again",
    layout: ON_GLOBAL,
    play: |play| Box::pin(play.global_database()),
    checks: &[&[
        check::MOVED_OUT_AND_HOME,
        check::GLOBAL_OUT_AND_HOME,
        check::PIN_BEFORE_PROMOTION,
        check::GLOBAL_BACK_WAS_GUARDED,
        check::NOTHING_REBUILT,
        check::RECORDS_RESTORED,
        check::USERS_CAME_HOME,
        check::LOSS_NEAR_OUTAGES,
        check::OPERATORS_TOLD,
        check::ORDERS_TOLD,
        check::STILL_ARMED,
        check::USERS_ON_PRIMARY,
    ]],
};
