//! What becomes of a global database in time.

use super::*;
use crate::rds::model::key;

const HOME: &str = "us-east-1";
const DR: &str = "us-west-2";

fn at(seconds: i64) -> Timestamp {
    "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn up(_: &str) -> bool {
    false
}

/// `world` with its primary `app`, its secondary `app-dr`, and ten writes of one second each in the primary.
fn world() -> (State, Key, Key) {
    let (home, dr) = (key(HOME, "app"), key(DR, "app-dr"));
    let mut state = State::default();
    let settings = || Settings::default_of("aurora-postgresql");
    state.add_cluster(HOME, "app", settings(), None).unwrap();
    state.create_global("world", home.clone()).unwrap();
    state.add_secondary("world", DR, "app-dr", settings()).unwrap();
    for (region, cluster) in [(HOME, "app"), (DR, "app-dr")] {
        state.add_member(region, &format!("{cluster}-1"), "db.r6g.large", cluster).unwrap();
    }
    state.replicate(at(0), &|_, _| true);
    (1..=10).for_each(|second| state.databases.get_mut(&home).unwrap().write(&second.to_string(), at(second)));
    (state, home, dr)
}

const TAKES: SignedDuration = SignedDuration::from_secs(100);

fn fail_over(state: &mut State, to: &Key, second: i64, is_down: &dyn Fn(&str) -> bool) -> Result<(), Refusal> {
    state.fail_over_global("world", to, (at(second), TAKES), is_down)
}

/// Second by second, as the lab's clockwork does.
fn pass(state: &mut State, seconds: std::ops::RangeInclusive<i64>, is_down: &dyn Fn(&str) -> bool) {
    for second in seconds {
        state.tick(at(second), is_down);
        state.replicate(at(second), &|one, other| !is_down(one) && !is_down(other));
    }
}

#[test]
fn a_failover_takes_writes_at_its_end_and_keeps_what_had_arrived() {
    let (mut state, home, dr) = world();
    let down = |region: &str| region == HOME;
    state.replicate(at(10), &|_, _| true);
    state.replicate(at(10), &|_, _| false);
    assert!(state.writable(&home) && !state.writable(&dr));
    fail_over(&mut state, &dr, 20, &down).unwrap();
    let status = |state: &State| state.globals["world"].operation.as_ref().map(|operation| operation.status);
    assert_eq!(status(&state), Some("pending"));
    assert_eq!(fail_over(&mut state, &dr, 21, &down).unwrap_err().code, "InvalidGlobalClusterStateFault");
    pass(&mut state, 21..=30, &down);
    assert_eq!(status(&state), Some("failing-over"));
    pass(&mut state, 31..=125, &down);
    assert_eq!((status(&state), &state.globals["world"].writer), (None, &dr));
    assert!(state.writable(&dr));
    assert_eq!(state.databases[&dr].writes().len(), 9, "the tenth was on its way");
    assert_eq!(fail_over(&mut state, &dr, 126, &down).unwrap_err().code, "InvalidDBClusterStateFault");
}

#[test]
fn the_old_primary_takes_writes_for_a_moment_and_then_follows_without_what_it_alone_had() {
    let (mut state, home, dr) = world();
    let down = |region: &str| region == HOME;
    fail_over(&mut state, &dr, 20, &down).unwrap();
    pass(&mut state, 21..=200, &down);
    pass(&mut state, 201..=230, &up);
    assert!(state.writable(&home), "fencing timed out while the region was dark");
    pass(&mut state, 231..=300, &up);
    assert!(!state.writable(&home) && state.clusters[&home].status != Status::Available);
    pass(&mut state, 301..=1_000, &up);
    assert!(!state.writable(&home) && state.clusters[&home].status == Status::Available);
    assert_eq!(state.databases[&home].writes(), state.databases[&dr].writes());
}

#[test]
fn a_primary_that_can_be_reached_is_fenced_at_once() {
    let (mut state, home, dr) = world();
    fail_over(&mut state, &dr, 20, &up).unwrap();
    pass(&mut state, 21..=24, &up);
    assert!(state.writable(&home));
    pass(&mut state, 25..=26, &up);
    assert!(!state.writable(&home));
}

#[test]
fn a_failover_that_fails_leaves_a_secondary_that_can_be_asked_again() {
    let (mut state, home, dr) = world();
    state.globals.get_mut("world").unwrap().is_to_fail = true;
    fail_over(&mut state, &dr, 20, &up).unwrap();
    pass(&mut state, 21..=140, &up);
    assert!(state.globals["world"].operation.is_none() && state.globals["world"].writer == home);
    assert!(!state.writable(&dr));
    fail_over(&mut state, &dr, 141, &up).unwrap();
    pass(&mut state, 142..=260, &up);
    assert!(state.writable(&dr));
}

#[test]
fn a_switchover_loses_nothing_needs_both_regions_and_turns_replication_round() {
    let (mut state, home, dr) = world();
    let down = |region: &str| region == HOME;
    let switch = |state: &mut State, second, is_down: &dyn Fn(&str) -> bool| {
        state.switch_over_global("world", &dr, (at(second), TAKES), is_down)
    };
    assert_eq!(switch(&mut state, 20, &down).unwrap_err().code, "InvalidDBClusterStateFault");
    switch(&mut state, 21, &up).unwrap();
    assert!(!state.writable(&home) && !state.writable(&dr));
    pass(&mut state, 22..=125, &up);
    assert!(state.writable(&dr) && !state.writable(&home));
    assert_eq!(state.databases[&dr].writes().len(), 10);
    state.databases.get_mut(&dr).unwrap().write("11", at(126));
    pass(&mut state, 126..=130, &up);
    assert_eq!(state.databases[&home].writes().len(), 11);
}

#[test]
fn a_cluster_that_is_taken_out_is_one_of_its_own() {
    let (mut state, home, dr) = world();
    assert_eq!(state.remove_from_global("world", &home).unwrap_err().code, "InvalidGlobalClusterStateFault");
    state.remove_from_global("world", &dr).unwrap();
    assert!(state.writable(&dr) && state.writable(&home));
    assert_eq!(fail_over(&mut state, &dr, 20, &up).unwrap_err().code, "DBClusterNotFoundFault");
    assert_eq!(state.remove_from_global("elsewhere", &dr).unwrap_err().code, "GlobalClusterNotFoundFault");
}
