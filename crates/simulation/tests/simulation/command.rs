//! The command line: exit codes, JSON, and that a story's last line plays it again.

use std::process::{Command, Output};

use serde_json::Value;
use simulation::property::Property;

/// A short story has fewer lines than a screen.
const LINES_MAX: usize = 40;

fn simulation(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_simulation")).args(arguments).output().expect("it is built");
    let text = |bytes| String::from_utf8(bytes).expect("it is UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn outages_that_go_well_are_counted_and_exit_0() {
    let (code, json, _) = simulation(&["run", "--seeds", "50", "--from", "7", "--json"]);
    assert_eq!(code, Some(0), "{json}");
    let told: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((&told["tally"]["outages"], &told["failure"]), (&50.into(), &Value::Null));
    let (code, text, _) = simulation(&["run", "--seeds", "50"]);
    assert_eq!((code, text.matches("  held  ").count()), (Some(0), Property::ALL.len()), "{text}");
}

#[test]
fn a_failure_exits_1_and_tells_a_short_story_whose_last_line_plays_it_again() {
    let (code, told, _) = simulation(&["run", "--seeds", "100", "--sabotage", "promotes-on-pending"]);
    assert_eq!(code, Some(1));
    let story = told.split_once("\nseed ").expect("a story").1;
    assert!(story.lines().count() <= LINES_MAX, "{story}");
    let again = story.trim().lines().last().expect("a last line");
    let arguments = again.split_once("-- ").expect("a command").1.replace('\'', "");
    let (code, replayed, _) = simulation(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(code, Some(1), "{replayed}");
    let failure = story.lines().find(|line| line.contains("NOT SO")).expect("what failed");
    assert!(replayed.contains(failure), "{failure}\n{replayed}");
}

#[test]
fn what_is_not_understood_exits_2_and_says_why() {
    for arguments in [&["replay", "7", "--keep", "x"][..], &["run", "--sabotage", "x"], &[]] {
        let (code, _, why) = simulation(arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(!why.is_empty());
    }
}
