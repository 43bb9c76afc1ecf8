//! docs/rules.md says what the tables say.

use std::fmt::{Debug, Write as _};

use failover::observation::Attention;
use failover::promotion::{GATE_TABLE, PEACE_TABLE, REPLICA_TABLE};
use failover::rule::{Id, Row};
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
