//! Every story, and what must be true after it.

mod article;
mod failback;
mod lag;
mod parts;
mod servers;
mod steps;
mod unready;

use super::Scenario;
use crate::check;
use crate::stage::Layout;
use failback::{FAILBACK, FAILBACK_ON_SWITCH, GLOBAL_DATABASE};
use lag::{LAG_OF_CUT_TRANSACTION, LAG_OF_SILENT_LINK, LAG_OF_SLOW_LINK};
pub use parts::QUICK;
pub(super) use parts::QUICK_OUTAGE_MINUTES;
use parts::*;
pub(super) use parts::{PLANNED, PLANNED_ON_SWITCH};
pub use servers::ON_SERVERS;
use steps::{AFTER_FAILS, DR_NEVER_HEALTHY, DR_NOT_HEALTHY, PREPARE, PREPARE_UNDONE};
use unready::UNREADY;

/// Every scenario; the first is the default.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "region-outage",
        about: "the primary region goes down for good and comes back an hour later: a failover, once, and it stays",
        layout: PLAIN,
        play: |play| Box::pin(play.region_outage()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::NO_TICK_AWAITED]],
    },
    Scenario {
        name: "blip",
        about: "the primary region is down for ten minutes: a mail, and no failover",
        layout: PLAIN,
        play: |play| Box::pin(play.blip()),
        checks: &[HELD, &[check::SITE_DOWN_MAILED, check::NO_FAILOVER_MAIL]],
    },
    Scenario {
        name: "flapping",
        about: "the primary goes down and comes back many times, then stays down: one failover, and none before",
        layout: PLAIN,
        play: |play| Box::pin(play.flapping()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::NOTHING_BEFORE]],
    },
    Scenario {
        name: "primary-still-up",
        about: "the health check is wrong, the primary is alive and answers Holdfast's own probe: hold, and page",
        layout: PLAIN,
        play: |play| Box::pin(play.primary_still_up()),
        checks: &[HELD, &[check::HELD_BY_PRIMARY, check::USERS_TOLD]],
    },
    Scenario {
        name: "dr-down",
        about: "the primary region goes down while the DR site does not answer either: hold, and page",
        layout: PLAIN,
        play: |play| Box::pin(play.dr_down()),
        checks: &[HELD, &[check::HELD_BY_DR, check::USERS_TOLD]],
    },
    Scenario {
        name: "partition",
        about: "DR cannot see the primary for two hours, users can: nothing is touched",
        layout: PLAIN,
        play: |play| Box::pin(play.partition()),
        checks: &[HELD, &[check::USERS_NEVER_LEFT]],
    },
    Scenario {
        name: "maintenance",
        about: "planned work takes the primary down for an hour: nothing acts; it ends by itself, and a later outage fails over",
        layout: PLAIN,
        play: |play| Box::pin(play.maintenance()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::NOTHING_BEFORE, check::ARMED_AGAIN, check::ORDERS_TOLD],
        ],
    },
    Scenario {
        name: "shadow",
        about: "shadow mode: Holdfast says what it would have done, and does nothing",
        layout: Layout { responder: &[("Mode", "shadow")], ..PLAIN },
        play: |play| Box::pin(play.shadow()),
        checks: &[HELD, &[check::SHADOW_TOLD, check::USERS_TOLD]],
    },
    Scenario {
        name: "approval",
        about: "approval mode: Holdfast asks; a wrong approval lifts nothing, the right one lets it go on",
        layout: Layout { responder: &[("Mode", "approval"), SETTLES_SOON], ..QUICK },
        play: |play| Box::pin(play.approval()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::ASKED, check::USERS_TOLD, check::PINNED_AFTER_APPROVAL],
        ],
    },
    FAILBACK,
    FAILBACK_ON_SWITCH,
    GLOBAL_DATABASE,
    Scenario {
        name: "fence",
        about: "the primary comes back while a job that never asked DNS writes to it: the old writers are cut off, once",
        layout: Layout { responder: FENCING, ..QUICK },
        play: |play| Box::pin(play.fence()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::FENCED_ONCE, check::STRAYS_CUT_OFF, check::FENCE_LIFTED, check::ORDERS_TOLD],
        ],
    },
    PREPARE,
    PREPARE_UNDONE,
    AFTER_FAILS,
    UNREADY,
    DR_NOT_HEALTHY,
    DR_NEVER_HEALTHY,
    Scenario {
        name: "switch",
        about: "the switch stands on the records, and the primary region goes down: DNS moves by the pin alone, and stays",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.switch()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::MOVED_BY_PIN, check::NO_TICK_AWAITED]],
    },
    Scenario {
        name: "fast",
        about: "one stack on the switch with OutageMinutes=1: a primary that blinks fails nothing over; one that stays down does, in minutes",
        layout: FAST,
        play: |play| Box::pin(play.fast()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::MOVED_BY_PIN, check::NOTHING_BEFORE, check::NO_TICK_AWAITED, check::BACK_SOON],
        ],
    },
    Scenario {
        name: "held",
        about: "the switch, and something holds the failover, by the seed: nobody is sent to a DR that takes no writes",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.held()),
        checks: &[HELD, &[check::NOBODY_SENT_TO_DR, check::HOLD_TOLD, check::TOLD_AS_DNS, check::ORDERS_TOLD]],
    },
    Scenario {
        name: "holdfast-dead",
        about: "the switch, and every function dies: a page, and DNS follows the outage, as it would without Holdfast",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.holdfast_dead()),
        checks: &[HELD, &[check::HOLD_LAPSED_MAILED, check::DNS_FOLLOWED]],
    },
    Scenario {
        name: "flapping-switch",
        about: "the switch, CloudWatch dark in one region after the other in peace, a blinking DR site in the outage: DNS moves once",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.flapping_switch()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::MOVED_BY_PIN, check::MOVED_ONCE, check::TOLD_AS_DNS],
        ],
    },
    Scenario {
        name: "dr-metrics-dark",
        about: "the switch, an outage that waits for an approval, and DR's CloudWatch falls silent: DNS follows the outage, and all else holds",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.dr_metrics_dark()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::MOVED_BY_SILENCE, check::TOLD_AS_DNS, check::PINNED_AFTER_APPROVAL],
        ],
    },
    Scenario {
        name: "one-stack",
        about: "the DR region's stack is all there is, and the primary region goes down: the observer sees it, and all is as with two",
        layout: ONE_STACK,
        play: |play| Box::pin(play.one_stack()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::OBSERVED, check::NO_TICK_AWAITED]],
    },
    Scenario {
        name: "us-east-1-dark",
        about: "one stack on the switch; Route 53's API and us-east-1's CloudWatch are dark from before the outage to after its end",
        layout: DARK,
        play: |play| Box::pin(play.us_east_1_dark()),
        checks: &[BY_LATCH, HOLDS, LOSS, TOLD, &[check::OBSERVED]],
    },
    Scenario {
        name: "primary-in-us-east-1",
        about: "the same, the primary and us-east-1 lost in the same second: failed over by the latch, pinned when the API is back",
        layout: DARK,
        play: |play| Box::pin(play.primary_in_us_east_1()),
        checks: &[BY_LATCH, HOLDS, LOSS, TOLD, &[check::OBSERVED]],
    },
    Scenario {
        name: "latch-lost",
        about: "the same, and the switch never hears of the commit: DNS follows the outage, and nothing is promoted before the pin",
        layout: DARK,
        play: |play| Box::pin(play.latch_lost()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::STUCK_TOLD, check::NOTHING_IN_THE_DARK]],
    },
    Scenario {
        name: "observer-blind",
        about: "one stack: name servers fail in peace, then nobody answers in an outage, not even others: pages, and no failover",
        layout: ONE_STACK,
        play: |play| Box::pin(play.observer_blind()),
        checks: &[HELD, &[check::BLINDNESS_MAILED, check::NO_OUTAGE_INVENTED]],
    },
    Scenario {
        name: "lagging-replica",
        about: "a replica is a quarter of an hour behind: users go to DR, promotion waits for a person",
        layout: QUICK,
        play: |play| Box::pin(play.lagging_replica()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, &[check::ASKED, check::PROMOTED_AFTER_APPROVAL, check::LOSS_AS_APPROVED]],
    },
    LAG_OF_SLOW_LINK,
    LAG_OF_SILENT_LINK,
    LAG_OF_CUT_TRANSACTION,
    Scenario {
        name: "promotion-fails",
        about: "RDS refuses to promote for a quarter of an hour: retries, pages, and promotes once",
        layout: QUICK,
        play: |play| Box::pin(play.promotion_fails()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::PROMOTION_TROUBLE_PAGED]],
    },
    Scenario {
        name: "pin-undone",
        about: "somebody writes a pinned record back, three times: pinned again twice, then left to people",
        layout: QUICK,
        play: |play| Box::pin(play.pin_undone()),
        checks: &[&[
            check::PROMOTED_ONCE,
            check::PIN_BEFORE_PROMOTION,
            check::PINNED_AGAIN_TWICE,
            check::LEFT_TO_PEOPLE,
        ]],
    },
    Scenario {
        name: "edited-meanwhile",
        about: "somebody edits a record between Holdfast's look and its write: the edit is not lost",
        layout: QUICK,
        play: |play| Box::pin(play.edited_meanwhile()),
        checks: &[EDITED, HOLDS, LOSS, TOLD],
    },
    Scenario {
        name: "record-protected",
        about: "somebody has protected one name's record: the others are pinned, the page says why, lifting it ends the incident",
        layout: QUICK,
        play: |play| Box::pin(play.record_protected()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::OTHERS_PINNED, check::PROTECTION_TOLD, check::NOTHING_WHILE_PROTECTED],
        ],
    },
    Scenario {
        name: "mixed-zone",
        about: "MX, TXT and HTTPS records and an alias with a long TTL beside the pairs: left alone, and waited for",
        layout: QUICK,
        play: |play| Box::pin(play.mixed_zone()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::OTHER_TYPES_LEFT, check::LONG_TTL_DRAINED]],
    },
    Scenario {
        name: "not-a-replica",
        about: "a restored snapshot stands in each replica's place: told in peace, and no end without a person's word",
        layout: QUICK,
        play: |play| Box::pin(play.not_a_replica()),
        checks: &[
            &[
                check::PINNED_ONCE,
                check::NO_ANSWER_BACK,
                check::NO_WRITE_BACK,
                check::RECORDS_PINNED,
                check::RECORDS_RESTORABLE,
                check::USERS_SERVED,
            ],
            HOLDS,
            &[check::NO_REPLICA_TOLD, check::DATABASES_UNREADY_RANG, check::ASKED, check::CLOSED_AFTER_APPROVAL],
        ],
    },
    Scenario {
        name: "target-health",
        about: "an alias evaluates its target's health, and the target fails: told in peace; the outage is failed over as ever",
        layout: QUICK,
        play: |play| Box::pin(play.target_health()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            TOLD,
            &[check::NOTHING_BEFORE, check::TARGET_HEALTH_TOLD, check::TARGET_HEALTH_MOVED],
        ],
    },
    Scenario {
        name: "stragglers",
        about: "the primary goes on taking writes of clients who do not follow DNS: what they lose is counted",
        layout: QUICK,
        play: |play| Box::pin(play.stragglers()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::STRAGGLERS_COUNTED]],
    },
    Scenario {
        name: "stragglers-fenced",
        about: "the same with a fence: once it stands nothing more is lost",
        layout: Layout { responder: FENCING, ..QUICK },
        play: |play| Box::pin(play.stragglers()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::FENCED_ONCE, check::STRAGGLERS_CUT_OFF]],
    },
    Scenario {
        name: "redeploy-mid-incident",
        about: "the stack is updated five times, at the worst moments of a failover, its parameters changed: the same end",
        layout: QUICK,
        play: |play| Box::pin(play.redeploy_mid_incident()),
        checks: &[
            PINNED_AND_PROMOTED,
            HOLDS,
            LOSS,
            &[check::END_TOLD, check::UPDATED_AT_THE_WORST, check::NEW_PARAMETERS_HEARD],
        ],
    },
    Scenario {
        name: "to-one-stack",
        about: "the stack in DR takes over what the detector did, step by step as the documentation has it, and then the primary goes down",
        layout: QUICK,
        play: |play| Box::pin(play.two_stacks_to_one()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::WENT_TO_ONE_STACK]],
    },
    Scenario {
        name: "to-one-stack-mid-incident",
        about: "the same update in the middle of a failover: the same end",
        layout: QUICK,
        play: |play| Box::pin(play.two_stacks_to_one_in_an_incident()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, &[check::END_TOLD, check::WENT_TO_ONE_STACK]],
    },
    Scenario {
        name: "many-records",
        about: "a region outage with 1,000 more names in the two zones: all of them pinned, in few batches",
        layout: Layout {
            responder: &[("RecordNames", "ALL"), ("SecondRecordNames", "ALL"), ("SettleSeconds", "120")],
            detector: &[("OutageMinutes", "5")],
            crowd: 1_000,
            ..PLAIN
        },
        play: |play| Box::pin(play.many_records()),
        checks: &[PINNED_AND_PROMOTED, LOSS, TOLD, &[check::FEW_BATCHES]],
    },
    Scenario {
        name: "duplicate-events",
        about: "a region outage, with every event delivered three times, and some ticks twice: one failover all the same",
        layout: PLAIN,
        play: |play| Box::pin(play.duplicate_events()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::DUPLICATES_HAPPENED]],
    },
    Scenario {
        name: "lost-event",
        about: "a region outage, with the alarm's event and alarm-handler's own Pinned event lost: the tick saves it",
        layout: QUICK,
        play: |play| Box::pin(play.lost_event()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, &[check::END_TOLD, check::LOSSES_HAPPENED]],
    },
    Scenario {
        name: "lambda-crashes",
        about: "every function is killed before and after each of its calls: the outcome is the same",
        layout: QUICK,
        play: |play| Box::pin(play.lambda_crashes()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, &[check::OPERATORS_KNOW, check::KILLS_HAPPENED]],
    },
    Scenario {
        name: "throttled-route53",
        about: "Route 53 throttles two of three calls when it matters: slower, and the same",
        layout: PLAIN,
        play: |play| Box::pin(play.throttled_route53()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::THROTTLES_HAPPENED, check::NO_TICK_AWAITED]],
    },
    Scenario {
        name: "route53-control-plane-down",
        about: "Route 53's API is down when it is needed: retries until it is back, promotes only then",
        layout: PLAIN,
        play: |play| Box::pin(play.control_plane_down()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::NOTHING_WHILE_DOWN]],
    },
    Scenario {
        name: "everything",
        about: "all faults at once, by the seed: calls, events, functions, services, the network, and an outage",
        layout: PLAIN,
        play: |play| Box::pin(play.everything()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, &[check::OPERATORS_KNOW, check::CHAOS_HAPPENED]],
    },
];
