//! Which calls an invocation makes, and when: an account has five requests a second at Route 53, for all workloads that fail over at once.

use failover::outcome::Kind;
use failover::register::{Register, Spread};
use failover::rule::Rule;
use failover::signal::Signal;
use jiff::SignedDuration;

use crate::zone::{Zone, noon, nth};

const HERE: &str = r#""hold_alarm":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:holdfast-hold-lapsed",
    "targets_alarm":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:dr-healthy","#;
const THERE: &str = r#""hold_alarm":"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:holdfast-hold-lapsed",
    "targets_alarm":"arn:aws:cloudwatch:eu-central-1:123456789012:alarm:dr-healthy","#;

/// What was called, and how many seconds after noon.
fn calls(zone: &Zone) -> Vec<(i64, String)> {
    let calls = zone.calls.take().into_iter();
    calls.map(|(at, call)| (at.duration_since(noon()).as_secs(), call)).collect()
}

fn named(calls: &[(i64, &str)]) -> Vec<(i64, String)> {
    calls.iter().map(|(at, call)| (*at, (*call).to_owned())).collect()
}

#[test]
fn an_alarms_event_lists_once_and_pins_once_and_the_change_is_put_on_record_ten_seconds_later() {
    let zone = Zone::new(3);
    assert_eq!(zone.hears(zone.event()).unwrap().outcome, Kind::Pinned);
    let made = [(0, "alarms holdfast-failover-started"), (0, "list"), (0, "write records"), (10, "write registers")];
    assert_eq!(calls(&zone), named(&made));
    let on_record = |register| matches!(register, Register::Pinned { spread: Spread::Change { .. }, .. });
    assert!(zone.registers().into_iter().all(on_record));
}

#[test]
fn a_tick_leaves_an_alarm_that_has_just_rung_to_its_event_and_looks_fifteen_seconds_after_it() {
    let zone = Zone::new(1);
    zone.now.set(noon() + SignedDuration::from_secs(4));
    assert_eq!(zone.hears(Signal::Tick).unwrap().outcome, Kind::Pinned, "the event may have been lost");
    let asks = "alarms holdfast-failover-started";
    let made = [(4, asks), (15, asks), (15, "list"), (15, "write records"), (25, "write registers")];
    assert_eq!(calls(&zone), named(&made));

    let pinned_by_its_event = Zone::new(1);
    pinned_by_its_event.hears(pinned_by_its_event.event());
    calls(&pinned_by_its_event);
    let outcome = pinned_by_its_event.hears(Signal::Tick).unwrap();
    assert_eq!(outcome.rule(), Some(Rule::P02));
    assert_eq!(calls(&pinned_by_its_event), named(&[(10, asks), (15, asks), (15, "list")]));
    assert!(pinned_by_its_event.is_pinned(&nth(0)));
}

#[test]
fn a_tick_waits_for_nobody_once_a_quarter_of_a_minute_has_passed() {
    let zone = Zone::new(1);
    zone.now.set(noon() + SignedDuration::from_secs(15));
    zone.hears(Signal::Tick);
    let at: Vec<_> = calls(&zone).into_iter().map(|(at, _)| at).collect();
    assert_eq!(at, [15, 15, 15, 25]);
}

#[test]
fn each_region_is_asked_once_for_all_of_its_alarms() {
    let asked = |more| {
        let zone = Zone::unarmed(1);
        zone.more.set(more);
        zone.hears(Signal::Tick);
        let mut asked: Vec<_> = calls(&zone).into_iter().map(|(_, call)| call).collect();
        asked.retain(|call| call.starts_with("alarms"));
        asked
    };
    assert_eq!(asked(HERE), ["alarms holdfast-failover-started holdfast-hold-lapsed dr-healthy"]);
    assert_eq!(asked(THERE), ["alarms holdfast-hold-lapsed dr-healthy", "alarms holdfast-failover-started"]);
}

#[test]
fn what_one_region_does_not_say_takes_nothing_from_what_another_says() {
    let pins = |silent| {
        let zone = Zone::new(1);
        zone.more.set(THERE);
        zone.silent_region.set(Some(silent));
        zone.now.set(noon() + SignedDuration::from_mins(1));
        zone.hears(Signal::Tick).unwrap().rule()
    };
    assert_eq!(
        pins("eu-central-1"),
        Some(Rule::P15),
        "the alarm rings, and nobody knows whether DR's targets are healthy"
    );
    assert_eq!(pins("us-east-1"), Some(Rule::P06), "nothing is known of the alarm");
}
