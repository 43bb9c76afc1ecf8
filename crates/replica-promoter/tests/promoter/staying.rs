//! An invocation stays with its incident for what comes before the next tick.

use failover::latch::Latch;
use failover::observation::Attention;
use failover::outcome::Kind;
use failover::promotion::Source;
use failover::register::{Evidence, Register, Spread};
use failover::rule::Rule;
use replica_promoter::event::Signal;

use crate::world::*;

fn on_its_way() -> Register {
    pinned(Evidence::replica(orders_dr()), Spread::Change { id: "C1".to_owned() })
}

/// Pinned at 12:01:00, in sync at 12:02:00, clients drained at 12:04:00.
fn draining() -> Register {
    drained(Evidence::replica(orders_dr()))
}

fn in_sync_at(world: &World) -> String {
    match world.register() {
        Register::Pinned { spread: Spread::InSync { at }, .. } => at.strftime("%T").to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn whoever_is_woken_by_a_pin_looks_until_it_has_arrived_and_puts_that_on_record_within_seconds() {
    let world = World::new(&on_its_way(), replica());
    world.now.set(at("12:01:00"));
    world.arrives_at.set(at("12:01:33"));
    world.has_name_servers.set(true);
    let outcome = world.hears(Signal::Pinned).await;
    assert_eq!((outcome.rule(), outcome.attention), (Some(Rule::R02), Attention::None));
    assert_eq!(in_sync_at(&world), "12:01:35");
    assert_eq!(world.done(), ["write"]);
    // Three looks at the records and two at the change, which Route 53 is asked for once between them; one look at the database.
    assert!(world.calls.get() <= 8, "{} calls", world.calls.get());
}

#[tokio::test]
async fn what_was_committed_just_now_is_not_looked_at_while_pins_are_written() {
    for (woken, listed) in
        [("12:01:00", "12:01:10"), ("12:01:07", "12:01:10"), ("12:01:10", "12:01:10"), ("12:01:31", "12:01:31")]
    {
        let world = World::new(&on_its_way(), replica());
        world.arrives_at.set(at("12:02:33"));
        let incident = "started@2026-01-01T12:00:00Z".parse().unwrap();
        *world.latch.borrow_mut() = Some(Latch::committed(incident, at("12:01:00")));
        world.now.set(at(woken));
        assert_eq!(world.tick().await.outcome, Kind::Waiting);
        assert_eq!(*world.listed.borrow(), [listed], "a tick at {woken}");
    }
}

#[tokio::test]
async fn a_tick_leaves_the_arrival_to_whoever_was_woken_by_the_pin_for_a_minute_and_then_looks_itself() {
    let world = World::new(&on_its_way(), replica());
    world.now.set(at("12:01:59"));
    world.arrives_at.set(at("12:02:33"));
    world.tick().await;
    assert_eq!((world.now.get(), world.done().len()), (at("12:01:59"), 0));
    world.now.set(at("12:02:00"));
    world.tick().await;
    assert_eq!(in_sync_at(&world), "12:02:41", "where no name server answers Route 53 is asked every twenty seconds");
}

#[tokio::test]
async fn a_pin_that_never_reaches_the_name_servers_is_seen_by_the_tick_that_lists() {
    let world = World::new(&on_its_way(), replica());
    world.now.set(at("12:12:00"));
    world.arrives_at.set(at("23:59:59"));
    world.has_name_servers.set(true);
    let outcome = world.hears(Signal::Tick { lists: false }).await;
    assert_eq!((outcome.rule(), outcome.attention), (Some(Rule::R01), Attention::None));
    let outcome = world.hears(Signal::Tick { lists: true }).await;
    assert_eq!((outcome.rule(), outcome.attention), (Some(Rule::R02), Attention::Page));
}

#[tokio::test]
async fn databases_are_promoted_in_the_second_in_which_clients_have_drained() {
    for (woken, promoted) in [("12:03:01", "12:04:00"), ("12:03:58", "12:04:00"), ("12:04:07", "12:04:07")] {
        let world = World::new(&draining(), replica());
        world.now.set(at(woken));
        assert_eq!(world.tick().await.outcome, Kind::PromotionRequested, "{woken}");
        assert_eq!(world.done(), [format!("promote at {promoted}")]);
    }
}

#[tokio::test]
async fn what_comes_after_the_next_tick_is_left_to_it() {
    let world = World::new(&draining(), replica());
    world.now.set(at("12:02:59"));
    assert_eq!(world.tick().await.outcome, Kind::Waiting);
    assert_eq!((world.now.get(), world.done().len()), (at("12:02:59"), 0));
}

#[tokio::test]
async fn the_end_is_told_within_twenty_seconds_of_the_database_though_rds_says_nothing() {
    for (available, told) in [("12:10:01", "12:10:20"), ("12:10:31", "12:10:40"), ("12:10:41", "12:11:00")] {
        let world = World::new(&draining(), database(Source::NoneNamed));
        world.now.set(at("12:10:00"));
        world.available_at.set(at(available));
        let mut outcome = world.tick().await.outcome;
        if outcome == Kind::Waiting {
            assert_eq!(world.now.get(), at("12:10:40"), "the next look is the next tick's own");
            world.now.set(at("12:11:00"));
            outcome = world.tick().await.outcome;
        }
        assert_eq!((outcome, world.now.get()), (Kind::FailedOver, at(told)));
        assert!(world.calls.get() <= 20, "{} calls", world.calls.get());
    }
}

#[tokio::test]
async fn what_rds_tells_and_what_people_should_hear_of_is_answered_at_once() {
    let world = World::new(&draining(), database(Source::NoneNamed));
    world.now.set(at("12:10:00"));
    world.available_at.set(at("12:10:41"));
    assert_eq!(world.hears(Signal::Hint).await.outcome, Kind::Waiting);
    assert_eq!(world.now.get(), at("12:10:00"), "events may come often");
    let world = World::new(&draining(), replica());
    world.lag.set((4_000, jiff::SignedDuration::ZERO));
    assert_eq!(world.tick().await.outcome, Kind::ApprovalNeeded);
    assert_eq!(world.now.get(), at("12:30:00"), "a person is asked, and nobody waits with that");
}

#[tokio::test]
async fn a_database_that_does_not_come_up_is_left_to_the_next_tick() {
    let world = World::new(&draining(), database(Source::NoneNamed));
    world.now.set(at("12:10:00"));
    world.available_at.set(at("13:00:00"));
    assert_eq!(world.tick().await.outcome, Kind::Waiting);
    assert!(world.now.get() <= at("12:11:00"), "{}", world.now.get());
}
