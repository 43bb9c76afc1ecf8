//! Does the watch notice? Each test breaks one rule on purpose and asserts that it is seen.

use aws::CallError;
use aws::route53::{HealthCheckWriter, RecordReader, RecordWriter};
use failover::change::{Batch, Change};
use failover::incident::Incident;
use failover::name::Name;
use failover::observation::ChangeStatus;
use failover::plan::{Names, ReplicaId};
use failover::record::{RecordSet, Target};
use failover::register::{ArmedBy, Pin, Register, Spread};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use simulation::calls::Aws;
use simulation::fault;
use simulation::holdfast::{Function, Holdfast};
use simulation::property::Property;
use simulation::setup::{Setup, fail_back, start, write_registers};
use simulation::watch::Author;

use crate::common::{MINUTES, deployed, minutes, outage, states};

/// Reads and writes as told by two functions.
struct Bent<R, W> {
    aws: Aws,
    read: R,
    write: W,
    /// What it says of every change, if that is not the truth.
    says: Option<ChangeStatus>,
    ahead: SignedDuration,
}

impl<R: Fn(Vec<RecordSet>) -> Vec<RecordSet>, W> RecordReader for Bent<R, W> {
    async fn record_sets(&self, zone: &str, names: &Names) -> Result<Vec<RecordSet>, CallError> {
        Ok((self.read)(self.aws.record_sets(zone, names).await?))
    }

    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
        match self.says {
            Some(status) => Ok(status),
            None => self.aws.change_status(id).await,
        }
    }

    fn now(&self) -> Timestamp {
        self.aws.now() + self.ahead
    }

    /// Nothing comes between.
    async fn wait(&self, seconds: u32) {
        self.aws.world.get().advance(seconds.into());
    }
}

impl<R, W: Fn(&Aws, &Batch) -> Result<String, CallError>> RecordWriter for Bent<R, W> {
    async fn submit(&self, batch: &Batch) -> Result<String, CallError> {
        (self.write)(&self.aws, batch)
    }
}

impl<R, W> HealthCheckWriter for Bent<R, W> {
    async fn set_disabled(&self, check: &str, disabled: bool) -> Result<(), CallError> {
        self.aws.set_disabled(check, disabled).await
    }
}

fn aws(holdfast: &Holdfast) -> Aws {
    Aws::new(holdfast.world.clone(), fault::none(), Function::AlarmHandler.into())
}

fn truth(sets: Vec<RecordSet>) -> Vec<RecordSet> {
    sets
}

fn compare_and_swap(aws: &Aws, batch: &Batch) -> Result<String, CallError> {
    aws.submit(batch).now_or_never().expect("it is immediate")
}

fn blindly(aws: &Aws, batch: &Batch) -> Result<String, CallError> {
    Ok(aws.world.get().overwrite(Author::LAMBDA, batch))
}

fn alarm_handler_with<R, W>(holdfast: &Holdfast, read: R, write: W)
where
    R: Fn(Vec<RecordSet>) -> Vec<RecordSet> + Copy,
    W: Fn(&Aws, &Batch) -> Result<String, CallError> + Copy,
{
    let bent = || Bent { aws: aws(holdfast), read, write, says: None, ahead: SignedDuration::ZERO };
    let calls = alarm_handler::handler::Calls {
        reader: bent(),
        writer: bent(),
        alarms: aws(holdfast),
        prober: aws(holdfast),
        beside: aws(holdfast),
    };
    let tick = failover::signal::Signal::Tick;
    let ended = calls.handle(&holdfast.plan, tick).now_or_never();
    assert!(ended.is_some_and(|returned| returned.is_ok()));
}

fn promoter_with<R>(holdfast: &Holdfast, read: R, says: Option<ChangeStatus>, ahead: SignedDuration)
where
    R: Fn(Vec<RecordSet>) -> Vec<RecordSet> + Copy,
{
    let bent = || Bent { aws: aws(holdfast), read, write: compare_and_swap, says, ahead };
    let calls = replica_promoter::handler::Calls {
        records: bent(),
        registers: bent(),
        replicas: aws(holdfast),
        promoter: aws(holdfast),
        lag: aws(holdfast),
        beside: aws(holdfast),
    };
    // At a tick it would first ask the name servers, which nothing here bends.
    let hint = replica_promoter::event::Signal::Hint;
    let ended = calls.handle(&holdfast.plan, hint).now_or_never();
    assert!(ended.is_some_and(|returned| returned.is_ok()));
}

#[track_caller]
fn assert_noticed(holdfast: &Holdfast, property: Property) {
    let world = holdfast.world.get();
    let broken = &world.watch.broken;
    assert!(broken.iter().any(|breach| breach.property == property), "not noticed; seen: {broken:#?}");
}

/// Every register says this, whatever it says.
fn claiming(register: &Register, sets: Vec<RecordSet>) -> Vec<RecordSet> {
    let claim = |set: RecordSet| match set.name.protected_by_register() {
        Some(name) => register.record_set(&name).expect("it fits"),
        None => set,
    };
    sets.into_iter().map(claim).collect()
}

fn armed() -> Register {
    Register::armed(start() - SignedDuration::from_hours(24), ArmedBy::Operator)
}

#[test]
fn a_promotion_before_the_pin_is_in_sync_is_noticed() {
    let mut holdfast = deployed(&Setup::default());
    holdfast.world.get().route53.delay = Some(SignedDuration::from_mins(10));
    outage(&mut holdfast);
    // Until the change is on record there is nothing to ask for.
    minutes(&mut holdfast, 1);
    let says = Some(ChangeStatus::InSync);
    promoter_with(&holdfast, truth, says, SignedDuration::ZERO);
    holdfast.world.get().advance(180);
    promoter_with(&holdfast, truth, says, SignedDuration::ZERO);
    assert_noticed(&holdfast, Property::PromotedTooEarly);
}

#[test]
fn a_promotion_before_clients_have_drained_is_noticed() {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, 1);
    assert!(holdfast.world.get().watch.promotions().is_empty(), "they drain");
    promoter_with(&holdfast, truth, None, SignedDuration::from_mins(5));
    assert_noticed(&holdfast, Property::PromotedTooEarly);
}

#[test]
fn a_promotion_of_what_is_not_pinned_is_noticed() {
    let holdfast = deployed(&Setup { names: 2, ..Setup::default() });
    let claim = |sets: Vec<RecordSet>| {
        let target = Target::Values { ttl_seconds: 1, values: vec!["192.0.2.1".to_owned()] };
        let incident = Incident { alarm: "a".to_owned(), began: start() };
        let pin = Pin::new(start(), incident, [("A".to_owned(), target)].into());
        let at = start() - SignedDuration::from_hours(1);
        let dr = sets.clone();
        let sets = claiming(&Register::Pinned { pin, spread: Spread::InSync { at } }, sets);
        let on_dr = |set: RecordSet| {
            let secondary = |other: &&RecordSet| {
                other.name == set.name && other.kind == set.kind && format!("{:?}", other.routing).contains("Secondary")
            };
            let target = dr.iter().find(secondary).map(|other| other.target.clone());
            RecordSet { target: target.unwrap_or_else(|| set.target.clone()), ..set }
        };
        sets.into_iter().map(on_dr).collect()
    };
    promoter_with(&holdfast, claim, None, SignedDuration::ZERO);
    assert_noticed(&holdfast, Property::PromotedTooEarly);
}

#[test]
fn a_second_promotion_is_noticed() {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    let id = ReplicaId::AuroraCluster("app-dr-1".to_owned());
    {
        let mut world = holdfast.world.get();
        let asked = world.asked_to_promote();
        assert!(world.promote(&id, &asked).is_err(), "RDS refuses what is no replica");
        world.replicas.get_mut(&id).expect("it is there").replicate_again();
        world.promote(&id, &asked).expect("it is a replica again");
    }
    assert_noticed(&holdfast, Property::PromotedTwice);
}

#[test]
fn a_pin_written_blindly_over_a_failback_is_noticed_as_second_and_as_late() {
    let mut holdfast = deployed(&Setup::default());
    outage(&mut holdfast);
    minutes(&mut holdfast, MINUTES);
    fail_back(&holdfast).unwrap();
    holdfast.world.get().advance(120);
    alarm_handler_with(&holdfast, |sets| claiming(&armed(), sets), compare_and_swap);
    assert_eq!(states(&holdfast), ["armed"; 3], "the compare-and-swap refuses it");
    assert!(holdfast.world.get().watch.broken.is_empty());
    alarm_handler_with(&holdfast, |sets| claiming(&armed(), sets), blindly);
    assert_noticed(&holdfast, Property::PinnedTwice);
    assert_noticed(&holdfast, Property::PinnedForOldAlarm);
}

#[test]
fn whatever_is_written_while_disarmed_or_paused_is_noticed() {
    let (at, by) = (start(), "kim".to_owned());
    let paused = Register::paused(at, at + SignedDuration::from_hours(1), by.clone());
    for off in [Register::disarmed(at, by), paused] {
        let holdfast = deployed(&Setup::default());
        write_registers(&holdfast, &off).unwrap();
        holdfast.world.get().outage();
        alarm_handler_with(&holdfast, |sets| claiming(&armed(), sets), compare_and_swap);
        assert!(holdfast.world.get().watch.broken.is_empty(), "the compare-and-swap refuses it");
        alarm_handler_with(&holdfast, |sets| claiming(&armed(), sets), blindly);
        assert_noticed(&holdfast, Property::WroteWhileOff);
    }
}

#[test]
fn a_name_armed_while_the_health_check_is_disabled_is_noticed() {
    let holdfast = deployed(&Setup::default());
    let ended = Register::paused(start(), start(), "kim".to_owned());
    write_registers(&holdfast, &ended).unwrap();
    let too_late = |aws: &Aws, batch: &Batch| {
        aws.world.get().watch.is_check_disabled = true;
        compare_and_swap(aws, batch)
    };
    alarm_handler_with(&holdfast, truth, too_late);
    assert_noticed(&holdfast, Property::ArmedUnchecked);
}

/// Pins, with one change of each batch bent.
fn pinning_with(bend: impl Fn(Change) -> Vec<Change> + Copy) -> Holdfast {
    let holdfast = deployed(&Setup::default());
    holdfast.world.get().outage();
    alarm_handler_with(&holdfast, truth, |aws: &Aws, batch: &Batch| {
        let mut bent = batch.clone();
        for write in &mut bent.writes {
            write.changes = std::mem::take(&mut write.changes).into_iter().flat_map(bend).collect();
        }
        compare_and_swap(aws, &bent)
    });
    holdfast
}

#[test]
fn an_original_that_is_not_kept_byte_for_byte_is_noticed() {
    let unbent = pinning_with(|change| vec![change]);
    crate::common::assert_unbroken(&unbent);
    let holdfast = pinning_with(|change| match change {
        Change::Create(RecordSet {
            target: Target::Values { ttl_seconds, values },
            name,
            kind,
            routing,
            health_check,
        }) if kind == "TXT" => {
            let values = values.iter().map(|value| value.replace("192.0.2.2", "192.0.2.3")).collect();
            let target = Target::Values { ttl_seconds, values };
            vec![Change::Create(RecordSet { name, kind, routing, target, health_check })]
        }
        other => vec![other],
    });
    assert_noticed(&holdfast, Property::OriginalLost);
}

#[test]
fn a_primary_record_that_loses_its_health_check_is_noticed() {
    let holdfast = pinning_with(|change| match change {
        Change::Create(set) => vec![Change::Create(RecordSet { health_check: None, ..set })],
        delete @ Change::Delete(_) => vec![delete],
    });
    assert_noticed(&holdfast, Property::OriginalLost);
}

#[test]
fn a_record_touched_that_is_not_ours_is_noticed() {
    let holdfast = pinning_with(|change| match change {
        Change::Create(set) if set.kind == "TXT" => {
            let name: Name = set.name.as_str().replace("_holdfast.", "stray.").parse().expect("a name");
            vec![Change::Create(RecordSet { name, ..set.clone() }), Change::Create(set)]
        }
        other => vec![other],
    });
    assert_noticed(&holdfast, Property::ForeignRecordTouched);
}

#[test]
fn dns_led_back_to_the_primary_by_our_own_hand_is_noticed() {
    let mut holdfast = deployed(&Setup::default());
    let before = ["Z1", "Z2"].map(|zone| holdfast.world.get().route53.records(zone));
    outage(&mut holdfast);
    minutes(&mut holdfast, 3);
    // The batch of a failback, with Holdfast's name on it.
    for (zone, records) in ["Z1", "Z2"].into_iter().zip(before) {
        let primaries = records.iter().filter(|set| set.health_check.is_some());
        let now = holdfast.world.get().route53.records(zone);
        let undo: Vec<_> = primaries
            .flat_map(|set| {
                let pinned = now.like(set).expect("it is there").clone();
                [Change::Delete(pinned), Change::Create(set.clone())]
            })
            .collect();
        holdfast.world.get().submit(Author::LAMBDA, zone, undo.iter()).unwrap();
    }
    assert_noticed(&holdfast, Property::PrimaryAnswered);
    let at_once = holdfast.world.get().watch.broken.len();
    holdfast.world.get().advance(60);
    assert!(holdfast.world.get().watch.broken.len() > at_once, "and again when name servers answer so");
}
