//! The stories around the two steps.

use super::super::Scenario;
use super::parts::*;
use crate::check;
use crate::stage::Layout;
use crate::stage::steps::{STEPS, STEPS_ON_SWITCH};
use crate::stage::targets::TARGETS_ON_SWITCH;

const WITH_STEPS: Layout = Layout { responder: STEPS, ..QUICK };

pub(super) const PREPARE: Scenario = Scenario {
    name: "prepare",
    about: "an outage: DR's group is at its wanted size before users come, and jobs run there once the failover is over",
    layout: WITH_STEPS,
    play: |play| Box::pin(play.prepare()),
    checks: &[
        PINNED_AND_PROMOTED,
        HOLDS,
        LOSS,
        TOLD,
        &[check::PREPARED_BEFORE_PIN, check::AFTER_ONCE, check::CALLED_ONCE],
    ],
};

pub(super) const PREPARE_UNDONE: Scenario = Scenario {
    name: "prepare-undone",
    about: "one stack, ten minutes of outage: DR is made ready, and is what it was once the primary is well; nobody moves",
    layout: Layout { one_stack: true, responder: STEPS_ON_SWITCH, ..PLAIN },
    play: |play| Box::pin(play.prepare_undone()),
    checks: &[HELD, &[check::STEPS_UNDONE]],
};

pub(super) const AFTER_FAILS: Scenario = Scenario {
    name: "after-fails",
    about: "AWS takes none of the steps: pin and promotion do not wait for them, and people are told",
    layout: WITH_STEPS,
    play: |play| Box::pin(play.after_fails()),
    checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::STEP_FAILURE_TOLD]],
};

const WAITS_FOR_TARGETS: Layout = Layout { responder: TARGETS_ON_SWITCH, ..QUICK };

pub(super) const DR_NOT_HEALTHY: Scenario = Scenario {
    name: "dr-not-healthy",
    about: "the switch, and what Prepare raised in DR is healthy only half an hour later: a page, nobody is sent there before, and then the pin",
    layout: WAITS_FOR_TARGETS,
    play: |play| Box::pin(play.dr_not_healthy()),
    checks: &[
        PINNED_AND_PROMOTED,
        HOLDS,
        LOSS,
        TOLD,
        &[check::MOVED_BY_PIN, check::TARGETS_AWAITED, check::HELD_BY_TARGETS],
    ],
};

pub(super) const DR_NEVER_HEALTHY: Scenario = Scenario {
    name: "dr-never-healthy",
    about: "the same, and it never is: Holdfast asks, and goes on once a person says so",
    layout: WAITS_FOR_TARGETS,
    play: |play| Box::pin(play.dr_never_healthy()),
    checks: &[
        PINNED_AND_PROMOTED,
        HOLDS,
        LOSS,
        TOLD,
        &[check::MOVED_BY_PIN, check::APPROVED_WITHOUT_TARGETS, check::HELD_BY_TARGETS],
    ],
};
