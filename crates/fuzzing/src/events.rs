//! Events, as whoever may put them on the bus or call a function may send them. fencer reads none: it takes every event as
//! a tick.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use aws::beside::Nothing;
use failover::incident::Incident;
use failover::message::{self, Message, Sender};
use failover::plan::{Plan, ReplicaId};
use failover::record::Target;
use failover::register::{ArmedBy, Evidence, Pin, Register, Spread};
use failover::rule::Rule;
use failover::signal::Signal;
use futures_util::FutureExt;
use notifier::event::News;
use serde_json::Value;

use crate::json;
use crate::workload::{PLAN, noon, ringing};
use crate::world::World;

/// "The message … maximum size of 256 KB" (SNS, Publish).
const MESSAGE_BYTES_MAX: usize = 262_144;

/// The samples of `events/`, to change.
static SAMPLES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(".json") && !path.to_string_lossy().contains(".expected."));
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
});

static CALM: LazyLock<Plan> = LazyLock::new(|| Plan::parse(PLAN).expect("it is a plan"));

/// An event is read or refused, and no event alone moves users or promotes a database: where the primary answers, or too
/// much would be lost, only a person's approval that says so does.
pub fn events(bytes: &[u8]) {
    if let Ok(event) = serde_json::from_slice(bytes) {
        delivered(event);
    }
    if let Ok(event) = like_a_sample(&mut Unstructured::new(bytes)) {
        delivered(event);
    }
}

fn like_a_sample(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let sample = bytes.choose(&SAMPLES)?.clone();
    json::edited(bytes, sample)
}

/// To every function, whichever it was meant for.
fn delivered(event: Value) {
    to_alarm_handler(&event);
    to_replica_promoter(&event);
    to_notifier(event);
}

fn to_alarm_handler(event: &Value) {
    let Ok(signal) = alarm_handler::event::parse(event.clone()) else { return };
    let may_act = matches!(&signal, Signal::Approval { approval, .. } if approval.despite.contains(&Rule::P09));
    let world = World::new(&Register::armed(noon(-7_200), ArmedBy::Operator));
    let calls = alarm_handler::handler::Calls {
        reader: &world,
        writer: &world,
        alarms: &world,
        prober: &world,
        beside: Nothing,
    };
    let _ = calls.handle(&CALM, signal).now_or_never().expect("this world answers at once");
    let acts = world.acts();
    assert!(acts.is_empty() || may_act, "alarm-handler did {acts:?} for {event}");
}

fn to_replica_promoter(event: &Value) {
    use replica_promoter::event::Signal;
    let Ok(signal) = replica_promoter::event::parse(event.clone()) else { return };
    let may_act = matches!(&signal, Signal::Approval(approval)
        if approval.despite.contains(&Rule::R07) && approval.incident == incident());
    let acts = promoter_acts(&Register::armed(noon(-7_200), ArmedBy::Operator), signal.clone());
    assert!(acts.is_empty(), "replica-promoter did {acts:?} before any pin, for {event}");
    let acts = promoter_acts(&pinned(), signal);
    assert!(acts.is_empty() || may_act, "replica-promoter did {acts:?} for {event}");
}

/// The incident of the alarm that rings.
fn incident() -> Incident {
    let alarm = ringing();
    Incident { alarm: alarm.name, began: alarm.since }
}

/// In sync for hours, and the replica as far behind as nobody allowed.
fn pinned() -> Register {
    let target = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
    let original = [("A".to_owned(), target)].into();
    let evidence = Evidence::replica(ReplicaId::AuroraCluster("app-dr".to_owned()));
    let pin = Pin { evidence, ..Pin::new(noon(-9_000), incident(), original) };
    Register::Pinned { pin, spread: Spread::InSync { at: noon(-8_000) } }
}

fn promoter_acts(register: &Register, signal: replica_promoter::event::Signal) -> Vec<String> {
    let world = World::new(register);
    let calls = replica_promoter::handler::Calls {
        records: &world,
        registers: &world,
        replicas: &world,
        promoter: &world,
        lag: &world,
        beside: Nothing,
    };
    let _ = calls.handle(&CALM, signal).now_or_never().expect("this world answers at once");
    world.acts()
}

fn to_notifier(event: Value) {
    let sender = Sender { bus: "holdfast".to_owned(), region: "eu-central-1".to_owned(), account: "1".to_owned() };
    match notifier::event::parse(event) {
        Ok(News::Returned { outcome, scheduled }) => {
            let _ = message::is_due_at(&outcome, scheduled.unwrap_or(outcome.at));
            told(&message::of_outcome(&outcome, &sender));
        }
        Ok(News::Failed(failure)) => told(&message::of_failure(&failure, &sender)),
        Ok(News::Ordered(announcement)) => told(&message::of_announcement(&announcement, &sender)),
        Ok(News::Looked(report)) => told(&message::of_readiness(&report, &sender)),
        Err(_) => {}
    }
}

fn told(message: &Message) {
    let Message { subject, body, .. } = message;
    assert!(subject.len() < 100 && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{subject:?}");
    assert!(body.len() <= MESSAGE_BYTES_MAX, "{} bytes", body.len());
    assert!(body.contains("WHAT HAPPENED") && body.contains("WHAT HAPPENS NEXT"), "{body}");
}
