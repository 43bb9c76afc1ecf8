//! Every story, and what must be true after it.

use super::Scenario;
use crate::check::{self, Check};
use crate::stage::Layout;

/// What every completed failover must show, whatever it went through.
const PINNED_AND_PROMOTED: &[Check] = &[
    check::PINNED_ONCE,
    check::PROMOTED_ONCE,
    check::PIN_BEFORE_PROMOTION,
    check::NO_ANSWER_BACK,
    check::NO_WRITE_BACK,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
];
/// The same where a person changed a record too.
const EDITED: &[Check] = &[
    check::PROMOTED_ONCE,
    check::PIN_BEFORE_PROMOTION,
    check::RECORDS_PINNED,
    check::RECORDS_RESTORABLE,
    check::USERS_SERVED,
];
/// What must not follow it.
const HOLDS: &[Check] = &[check::RETURN_CHANGES_NOTHING];
/// Data is lost within the policy only.
const LOSS: &[Check] = &[check::LOSS_WITHIN_LAG];
/// Each message arrived.
const TOLD: &[Check] = &[check::OPERATORS_TOLD];
/// What must not have happened when a failover is held.
const HELD: &[Check] = &[check::NOTHING_TOUCHED, check::STILL_ARMED, check::USERS_ON_PRIMARY];

/// As the templates have it.
const PLAIN: Layout = Layout { responder: &[], detector: &[], crowd: 0, one_stack: false };
/// For stories that are not about how long an outage or a calm lasts, which is most of what a drill takes.
pub const QUICK: Layout =
    Layout { responder: &[SETTLES_SOON], detector: &[("OutageMinutes", "5")], crowd: 0, one_stack: false };
/// The same, where DNS moves by Holdfast alone.
const ON_SWITCH: Layout = Layout { responder: &[SETTLES_SOON, ("DnsMoves", "by-holdfast")], ..QUICK };
/// The DR region's stack alone.
const ONE_STACK: Layout = Layout { one_stack: true, ..QUICK };
/// The same, where DNS moves by Holdfast alone.
const ONE_STACK_ON_SWITCH: Layout = Layout { one_stack: true, ..ON_SWITCH };
const SETTLES_SOON: (&str, &str) = ("SettleSeconds", "120");

/// Parameters that fence the old writers.
const FENCING: &[(&str, &str)] = &[
    SETTLES_SOON,
    ("FenceRegion", crate::stage::PRIMARY),
    ("FenceSecurityGroupId", crate::stage::CLOSED_GROUP),
    ("FenceAuroraClusters", "app"),
    ("FenceRdsInstances", "orders"),
];

/// Every scenario; the first is the default.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "region-outage",
        about: "the primary region goes down for good and comes back an hour later: a failover, once, and it stays",
        layout: PLAIN,
        play: |play| Box::pin(play.region_outage()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD],
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
    Scenario {
        name: "failback",
        about: "out and back by the command line's guarded steps, three times in a row: no write is lost but by lag",
        layout: QUICK,
        play: |play| Box::pin(play.failback()),
        checks: &[&[
            check::BACK_WAS_GUARDED,
            check::OUT_BACK_AND_OUT,
            check::RECORDS_RESTORED,
            check::USERS_CAME_HOME,
            check::LOSS_NEAR_OUTAGES,
            check::NOTHING_DELETED,
            check::ORDERS_TOLD,
            check::STILL_ARMED,
            check::USERS_ON_PRIMARY,
        ]],
    },
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
    Scenario {
        name: "switch",
        about: "the switch stands on the records, and the primary region goes down: DNS moves by the pin alone, and stays",
        layout: ON_SWITCH,
        play: |play| Box::pin(play.switch()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::MOVED_BY_PIN]],
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
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::OBSERVED]],
    },
    Scenario {
        name: "us-east-1-dark",
        about: "one stack on the switch, CloudWatch of us-east-1 dark from before the outage to after it: a failover all the same",
        layout: ONE_STACK_ON_SWITCH,
        play: |play| Box::pin(play.detector_region_dark()),
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::MOVED_BY_PIN, check::OBSERVED]],
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
        name: "many-records",
        about: "a region outage with 1,000 more names in the two zones: all of them pinned, in few batches",
        layout: Layout {
            responder: &[("RecordNames", "ALL"), ("SecondRecordNames", "ALL"), ("SettleSeconds", "120")],
            detector: &[("OutageMinutes", "5")],
            crowd: 1_000,
            one_stack: false,
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
        checks: &[PINNED_AND_PROMOTED, HOLDS, LOSS, TOLD, &[check::THROTTLES_HAPPENED]],
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
