//! Every interleaving within the bounds of the tests: what must never be is not, what must be is, and deliberate faults are
//! noticed. The numbers of states are pinned, so that nobody explores less without saying so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use model::{Bounds, Checked, Fault, HOME_BY_NAME_SERVERS, LIFTS_STRAY, Subject, SwitchBounds, every_fault, every_row};

/// Each exploration is made once, whichever tests ask for it.
static EXPLORED: LazyLock<BTreeMap<&str, (Subject, OnceLock<Checked>)>> = LazyLock::new(|| {
    Subject::of_the_tests().into_iter().map(|subject| (subject.name(), (subject, OnceLock::new()))).collect()
});

/// Explored by one thread: the tests run beside each other.
fn explored(name: &str) -> &'static Checked {
    let (subject, explored) = &EXPLORED[name];
    explored.get_or_init(|| subject.check(1, |_| {}))
}

fn holds(bounds: Bounds, states: usize) {
    all_holds(bounds.name, states);
}

fn switch_holds(bounds: SwitchBounds, states: usize) {
    all_holds(bounds.name, states);
}

fn all_holds(name: &str, states: usize) {
    let checked = explored(name);
    assert!(checked.broken.is_empty(), "{:#?}", checked.broken);
    assert!(checked.never.is_empty(), "possible, but not here: {:?}", checked.never);
    assert_eq!(checked.states, states);
}

#[test]
fn two_invocations_of_each_function_at_once_do_no_harm_whoever_dies_and_whatever_lands_late() {
    holds(Bounds::RACES, 1_089_585);
}

#[test]
fn whatever_people_do_at_whatever_moment_nothing_is_lost_and_no_rule_skipped() {
    holds(Bounds::PEOPLE, 868_025);
}

#[test]
fn calls_answered_from_before_the_newest_change_or_refused_do_no_harm() {
    holds(Bounds::CALLS, 910_986);
}

#[test]
fn of_two_names_in_one_batch_neither_is_promoted_for_without_the_other() {
    holds(Bounds::NAMES, 480_533);
}

#[test]
fn a_workload_in_two_zones_is_never_promoted_half_pinned() {
    holds(Bounds::ZONES, 723_035);
}

#[test]
fn users_go_home_once_all_is_rebuilt_and_another_outage_fails_over_again() {
    holds(Bounds::RETURN, 289_211);
}

#[test]
fn a_workload_without_databases_goes_there_and_back() {
    holds(Bounds::ROUTING, 823_946);
}

#[test]
fn a_maintenance_ends_with_its_health_check_enabled_whoever_is_interrupted() {
    holds(Bounds::MAINTENANCE, 1_157_604);
}

#[test]
fn whatever_else_goes_wrong_around_an_outage_no_rule_is_skipped() {
    holds(Bounds::TROUBLE, 747_509);
}

#[test]
fn users_wait_for_drs_targets_or_for_a_person() {
    holds(Bounds::TARGETS, 129_288);
}

#[test]
fn an_incident_of_two_databases_waits_for_both() {
    holds(Bounds::DATABASES, 764_876);
}

#[test]
fn shadow_mode_changes_nothing_that_users_see() {
    holds(Bounds::SHADOW, 41_761);
}

#[test]
fn approval_mode_asks_in_each_incident() {
    holds(Bounds::APPROVAL, 1_212_549);
}

#[test]
fn a_name_never_armed_is_armed_once_all_has_been_well() {
    holds(Bounds::SETTLING, 276_527);
}

#[test]
fn a_pin_that_people_keep_undoing_is_theirs_and_promotes_nothing_until_clients_have_drained_again() {
    holds(Bounds::DRIFT, 867_407);
}

#[test]
fn whatever_people_make_of_the_records_nobody_is_sent_to_the_old_primary_and_none_is_pinned_for_nothing() {
    holds(Bounds::RECORDS, 73_951);
}

#[test]
fn what_nobody_saw_as_a_replica_ends_no_failover_unless_a_person_says_so() {
    holds(Bounds::REPLICAS, 202_627);
}

#[test]
fn a_global_database_is_failed_over_once_and_what_others_do_to_it_ends_no_failover() {
    holds(Bounds::GLOBAL, 214_379);
}

#[test]
fn an_armed_name_without_an_alarm_is_told_in_every_state() {
    holds(Bounds::GUARDS, 1_414_810);
}

#[test]
fn a_rehearsal_changes_nothing_and_a_protected_name_holds_back_no_other() {
    holds(Bounds::REHEARSALS, 312_213);
}

#[test]
fn changes_and_promotions_that_take_too_long_are_told() {
    holds(Bounds::PATIENCE, 10_794);
}

#[test]
fn an_outage_that_lasts_ends_failed_over_though_two_invocations_die() {
    holds(Bounds::LIVENESS, 312_770);
}

#[test]
fn so_it_does_with_two_zones_and_two_databases() {
    holds(Bounds::LIVENESS_OF_ZONES, 717_397);
}

#[test]
fn users_move_by_the_commit_and_stay_by_it_whatever_cloudwatch_hears_late_or_never() {
    switch_holds(SwitchBounds::COMMIT, 920_983);
}

#[test]
fn whichever_of_its_children_a_name_server_hears_of_first_nothing_is_promoted_before_it_shows_both_latches() {
    switch_holds(SwitchBounds::CHILDREN, 826_946);
}

#[test]
fn with_route_53s_api_dark_a_failover_ends_and_nothing_is_promoted_that_name_servers_do_not_prove() {
    switch_holds(SwitchBounds::DARK, 506_788);
}

#[test]
fn two_promoters_that_go_by_the_latch_promote_once() {
    switch_holds(SwitchBounds::PROMOTERS, 1_167_361);
}

#[test]
fn a_store_that_does_not_answer_is_no_word_of_the_latch() {
    switch_holds(SwitchBounds::STORE, 463_844);
}

#[test]
fn a_person_takes_back_what_is_committed_and_nothing_that_is_being_promoted() {
    switch_holds(SwitchBounds::UNLATCH, 417_513);
}

#[test]
fn a_failback_lifts_the_latch_and_nobody_is_moved_by_it_again() {
    switch_holds(SwitchBounds::HOME, 1_386_708);
}

#[test]
fn whoever_undoes_a_pin_moves_nobody_while_the_latch_stands() {
    switch_holds(SwitchBounds::BY_PIN, 580_456);
}

#[test]
fn whatever_holds_a_failover_holds_users_at_the_primary() {
    switch_holds(SwitchBounds::HELD, 83_572);
}

#[test]
fn with_holdfast_dead_users_follow_the_outage_and_nothing_is_promoted_by_that() {
    switch_holds(SwitchBounds::DEAD, 777_881);
}

#[test]
fn every_row_of_the_rules_tables_decides_somewhere() {
    let met: BTreeSet<_> = EXPLORED.keys().flat_map(|name| explored(name).rows.iter().copied()).collect();
    let never: Vec<_> = every_row().difference(&met).copied().collect();
    assert!(never.is_empty(), "{never:#?}");
}

fn is_noticed(mutation: Fault) {
    let checked = mutation.check();
    let noticed: Vec<_> = checked.broken.iter().map(|broken| broken.property).collect();
    assert!(noticed.contains(&mutation.noticed_by), "{}: noticed by {noticed:?}", mutation.name);
}

/// The shortest way to where a fault shows.
fn story_of(name: &str) -> String {
    let fault = every_fault().find(|fault| fault.name == name);
    let checked = fault.map(|fault| fault.check());
    checked.and_then(|it| it.broken.first().map(|broken| broken.story.clone())).unwrap_or_default()
}

fn tells_in_order(story: &str, lines: &[&str]) {
    let mut rest = story;
    for line in lines {
        let found = rest.split_once(line);
        assert!(found.is_some(), "{line:?} does not come then:\n{story}");
        rest = found.map_or("", |(_, rest)| rest);
    }
}

/// Both are of the command line of today: see "What it found" in `docs/proof.md`.
#[test]
fn what_the_command_line_once_did_to_a_failback_and_an_unlatch_is_told_as_a_story() {
    tells_in_order(
        &story_of(HOME_BY_NAME_SERVERS),
        &["it lifts the latch", "store: open", "it writes", "disarmed", "hears of every child", "latch- again-"],
    );
    tells_in_order(
        &story_of(LIFTS_STRAY),
        &[
            "asks to disarm",
            "committed",
            "promoting",
            "asks to unlatch, and is let",
            "it lifts the latch",
            "store: open",
        ],
    );
}

#[test]
fn each_deliberate_fault_is_noticed_by_the_property_meant_for_it() {
    every_fault().step_by(2).for_each(is_noticed);
}

#[test]
fn so_is_every_other() {
    every_fault().skip(1).step_by(2).for_each(is_noticed);
}
