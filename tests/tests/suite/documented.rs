//! What docs/json.md says that `--json` prints.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::collections::BTreeSet;

use drill::lambdas::repository;
use serde_json::Value;

/// The fields of what a command printed.
pub fn fields(document: &Value) -> BTreeSet<String> {
    document.as_object().into_iter().flatten().map(|(field, _)| field.clone()).collect()
}

fn section(heading: &str) -> String {
    let page = std::fs::read_to_string(repository().join("docs/json.md")).expect("the page is there");
    let (_, rest) = page.split_once(&format!("## {heading}\n")).expect("it has the heading");
    rest.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The fields that docs/json.md lists under a heading, without those that may be absent.
pub fn documented(heading: &str, may_be_absent: &[&str]) -> BTreeSet<String> {
    let section = section(heading);
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let fields = rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()));
    fields.filter(|field| !may_be_absent.contains(&field.as_str())).collect()
}

/// The fields that docs/json.md lists for a command that has no heading of its own, without those that may be absent.
pub fn of_command(command: &str, may_be_absent: &[&str]) -> BTreeSet<String> {
    let section = section("All other commands");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let is_it = |commands: &str| commands.split(", ").any(|it| it.trim_matches('`') == command);
    let (_, told) = rows.into_iter().find(|(commands, _)| is_it(commands)).expect("the table has the command");
    // What is in backticks: every other part.
    let fields = told.split('`').skip(1).step_by(2).map(str::to_owned).chain(["format".to_owned()]);
    fields.filter(|field| !may_be_absent.contains(&field.as_str())).collect()
}
