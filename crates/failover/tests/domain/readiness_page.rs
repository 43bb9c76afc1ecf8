//! docs/readiness.md has every row of readiness, as the rows themselves say it.

use failover::standby::every_row;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/readiness.md");
/// Set, it lets the test write the table.
const WRITE: &str = "HOLDFAST_WRITE_PAGES";

const BEGIN: &str = "<!-- written from crates/failover/src/standby -->\n";
const END: &str = "<!-- end -->\n";

fn table() -> String {
    let head = "| row | what must be so | how it is looked at | while it is not known |\n|---|---|---|---|\n";
    let line = |[id, must_be, how, otherwise]: [&str; 4]| format!("| `{id}` | {must_be} | {how} | {otherwise} |\n");
    head.to_owned() + &every_row().into_iter().map(line).collect::<String>()
}

#[test]
fn the_page_has_every_row() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the table has a beginning");
    let (written, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os(WRITE).is_some() {
        return std::fs::write(PAGE, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    }
    assert!(written == table(), "docs/readiness.md is not what the rows say; {WRITE}=1 cargo test writes it");
}
