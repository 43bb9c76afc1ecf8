//! Nothing is called failed over without evidence, and what would stop a failover is told in peace.

use failover::incident::Approval;
use failover::observation::Attention;
use failover::outcome::Kind;
use failover::promotion::{ReplicaState, Source};
use failover::register::{ArmedBy, Evidence, Register, Spread};
use failover::rule::Rule;
use jiff::SignedDuration;
use replica_promoter::event::Signal;

use crate::world::*;

#[tokio::test]
async fn a_database_that_nobody_saw_as_a_replica_is_never_called_failed_over() {
    for source in [Source::NoneNamed, Source::MemberOf("orders".to_owned()), Source::Global("world".to_owned())] {
        let world = World::new(&drained(Evidence::default()), database(source.clone()));
        for _ in 0..3 {
            let outcome = world.tick().await;
            assert!(matches!(outcome.outcome, Kind::ApprovalNeeded | Kind::DatabaseTrouble), "{source}: {outcome:?}");
            assert_eq!(outcome.attention, Attention::Page, "{source}");
        }
        assert_eq!(world.done(), [""; 0], "{source}");
    }
}

#[tokio::test]
async fn a_replica_of_whatever_source_is_promoted_and_then_the_incident_is_closed() {
    let world = World::new(&drained(Evidence::replica(orders_dr())), replica());
    assert_eq!(world.tick().await.outcome, Kind::PromotionRequested);
    assert_eq!(world.done(), ["promote at 12:30:00"]);
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
    assert!(matches!(world.register(), Register::FailedOver { .. }));
}

#[tokio::test]
async fn what_is_a_replica_when_the_pin_arrives_is_on_record_in_the_same_write() {
    let world = World::new(&pinned(Evidence::default(), Spread::Change { id: "C1".to_owned() }), replica());
    assert_eq!(world.tick().await.rule(), Some(Rule::R02));
    assert_eq!(world.done(), ["write"]);
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::replica(orders_dr()));
}

#[tokio::test]
async fn what_is_not_on_record_is_put_on_record_before_it_is_promoted() {
    let world = World::new(&drained(Evidence::default()), replica());
    assert_eq!(world.tick().await.outcome, Kind::PromotionRequested);
    assert_eq!(world.done(), ["write", "promote at 12:30:00"]);
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::replica(orders_dr()));
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
}

#[tokio::test]
async fn a_person_vouches_for_a_writer_once() {
    let world = World::new(&drained(Evidence::default()), database(Source::NoneNamed));
    let asked = world.tick().await;
    assert_eq!((asked.rule(), asked.despite), (Some(Rule::R09), [Rule::R09].into()));
    let incident = pin(Evidence::default()).incident;
    let approval = Approval { incident, by: "kim".to_owned(), reason: String::new(), despite: [Rule::R09].into() };
    let answer = world.hears(Signal::Approval(approval)).await;
    assert!(answer.attention > Attention::None, "whoever approves is told: {answer:?}");
    assert_eq!(world.register().pin().unwrap().evidence, Evidence::accepted(orders_dr()));
    assert_eq!(world.tick().await.outcome, Kind::FailedOver);
}

#[tokio::test]
async fn a_database_that_still_replicates_after_the_failover_is_a_page_and_nothing_else() {
    let over = Register::FailedOver { at: at("12:10:00"), pin: pin(Evidence::replica(orders_dr())) };
    let world = World::new(&over, replica());
    let outcome = world.tick().await;
    assert_eq!((outcome.outcome, outcome.attention), (Kind::DatabaseTrouble, Attention::Page));
    assert!(outcome.because.contains("still replicates"), "{outcome:?}");
    assert_eq!(world.done(), [""; 0]);
    *world.database.borrow_mut() = database(Source::NoneNamed);
    assert_eq!(world.tick().await.outcome, Kind::Nothing);
}

#[tokio::test]
async fn in_peace_a_database_that_would_stop_a_failover_is_a_page_and_one_that_would_not_is_none() {
    let armed = Register::armed(at("00:00:00"), ArmedBy::Settling);
    let world = World::new(&armed, replica());
    assert_eq!((world.tick().await.outcome, world.done().len()), (Kind::Nothing, 0));
    for (state, rule) in [
        (ReplicaState::Missing, Rule::R03),
        (database(Source::MemberOf("orders".to_owned())), Rule::R03),
        (database(Source::NoneNamed), Rule::R09),
    ] {
        *world.database.borrow_mut() = state;
        let outcome = world.tick().await;
        assert_eq!(
            (outcome.outcome, outcome.rule(), outcome.attention),
            (Kind::DatabaseTrouble, Some(rule), Attention::Page)
        );
        assert_eq!(outcome.incident, None);
    }
    world.lag.set((1, SignedDuration::from_mins(10)));
    for state in [ReplicaState::Missing, database(Source::NoneNamed)] {
        *world.database.borrow_mut() = state;
        let outcome = world.tick().await;
        assert_eq!(outcome.since, Some(at("12:20:00")), "people are told of the last sample: {outcome:?}");
    }
    *world.database.borrow_mut() = replica();
    world.lag.set((4_000, SignedDuration::ZERO));
    assert_eq!(world.tick().await.rule(), Some(Rule::R07));

    let quiet = World::new(&Register::disarmed(at("00:00:00"), "kim".to_owned()), ReplicaState::Missing);
    assert_eq!(quiet.tick().await.outcome, Kind::Nothing, "people switched it off");
}
