//! docs/rules.md says what the tables say.

use std::fmt::{Debug, Write as _};

use failover::observation::Attention;
use failover::promotion::{GATE_TABLE, PEACE_TABLE, REPLICA_TABLE};
use failover::rule::{Id, Row, Rule};
use failover::{failback, fence, pin, step};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
/// Set, it lets the test write the page.
const WRITE: &str = "HOLDFAST_WRITE_PAGES";

const HEAD: &str = "# The rules, row by row

Messages, logs, metrics and `--json` cite a row by its id, such as P09b; an approval lifts the whole rule (`--despite P09`). In a log or an event
`\"rule\"` is the rule and `\"row\"` the letter. `holdfast explain P09b` prints one row. This page is written from the tables that decide
(`HOLDFAST_WRITE_PAGES=1 cargo test -p failover rules_page`), and a test compares the two.

A message or a note that says P04 alone is from before rows had ids, and means one of P04a to P04h.
";

fn line<H, V: Debug>(row: &Row<H, V>) -> (Id, String) {
    let told = match row.attention {
        Attention::None => "",
        Attention::Notice => ", and people are told",
        Attention::Page => ", and people are paged",
    };
    let verdict = format!("{:?}", row.verdict);
    let verdict = verdict.split('(').next().unwrap_or_default();
    (row.id, format!("| {} | {} | {verdict}{told} | {} |\n", row.id, row.condition, row.next))
}

fn table(title: &str, rows: impl IntoIterator<Item = (Id, String)>) -> String {
    let mut text = format!("\n## {title}\n\n| row | when | decides | what happens next |\n|---|---|---|---|\n");
    rows.into_iter().for_each(|(_, row)| text.push_str(&row));
    text
}

fn page() -> String {
    let mut text = HEAD.to_owned();
    text += &table("The pin of a name (P)", pin::rows().into_values().map(line));
    text += &table("Promotion: the workload (R)", GATE_TABLE.iter().map(line));
    text += &table("Promotion: each database (R)", REPLICA_TABLE.iter().map(line));
    text += &table("In peace: what would keep a database from being promoted (R)", PEACE_TABLE.iter().map(line));
    text += &table("The fence (X)", fence::TABLE.iter().map(line));
    text += &table("The steps around a failover (S)", step::TABLE.iter().map(line));
    text += "\n## Failback (F)\n\nEvery one that holds is told.\n\n| rule | what stands in the way | remedy |\n|---|---|---|\n";
    for (rule, when, remedy) in failback::RULES {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {rule} | {when} | {remedy} |");
    }
    text
}

#[test]
fn the_page_says_what_the_tables_say() {
    if std::env::var_os(WRITE).is_some() {
        return std::fs::write(PAGE, page()).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page(),
        "docs/rules.md is not what the tables say; {WRITE}=1 cargo test -p failover rules_page writes it"
    );
}

#[test]
fn what_an_approval_lifts_is_said_alike_by_every_page_and_help() {
    let read = |path: &str| {
        let text = std::fs::read_to_string(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let listed = |rules: &[Rule]| rules.iter().map(Rule::to_string).collect::<Vec<_>>().join(", ");
    let in_prose = Rule::liftable_in_words();
    for page in ["docs/break-glass.md", "TROUBLESHOOTING.md"] {
        assert!(read(page).contains(&format!("nly {in_prose} can be")), "{page}");
    }
    let of_pins: Vec<_> = Rule::LIFTABLE.into_iter().filter(|rule| !rule.is_about_data()).collect();
    let help = read("crates/holdfast/src/cli.rs");
    for told in [listed(&Rule::LIFTABLE), listed(&of_pins)] {
        assert!(help.contains(&format!(": {told}.")), "{told}");
    }
}

#[test]
fn who_names_no_rule_is_told_every_rule_there_is() {
    let told = "P99".parse::<Id>().unwrap_err().to_string();
    for kind in ["P", "R", "F", "X", "S"] {
        let last = (1..100).map(|n| format!("{kind}{n:02}")).take_while(|id| id.parse::<Id>().is_ok()).last();
        assert!(told.contains(&format!("{kind}01 to {}", last.unwrap())), "{told}");
    }
}
