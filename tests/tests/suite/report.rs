//! An incident as `holdfast report` tells it, and its page in a browser.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use crate::documented::{documented, fields, of_command};
use crate::packages;
use drill::lambdas::{self, repository};
use drill::scenario::named;
use drill::stage::{DETECTOR, Layout, PRIMARY, Settings, Stage};
use drill::{run, run::Drill};
use failover::register::Register;
use serde_json::Value;

const SETTINGS: Settings = Settings { seed: 1, speed: 3_600.0 };

/// What measures the page from within: whether it fits, what scrolls without saying so, and which words of the picture are cut off or covered.
/// It is told to the page that frames it, since a window of the browser is never narrower than 500 dots.
const MEASURE: &str = r#"<script>addEventListener('load', () => {
const frame = document.querySelector('.chart').getBoundingClientRect(), found = [];
if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
for (const it of document.querySelectorAll('body, body *'))
  if (it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflowX !== 'visible') found.push('scrolls: ' + it.className);
const words = [...document.querySelectorAll('.chart .name, .chart .took, .chart .after, .chart .track span')].filter(it => it.textContent);
const labels = words.map(it => { const range = document.createRange(); range.selectNodeContents(it); return [it.textContent, range.getBoundingClientRect()]; });
const shown = labels.filter(([, box]) => box.width > 0);
for (const [text, box] of shown)
  if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.right > innerWidth) found.push('cut off: ' + text);
shown.forEach(([text, a], nth) => shown.slice(nth + 1).forEach(([other, b]) => {
  if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3) found.push(text + ' covers ' + other);
}));
for (const track of document.querySelectorAll('.chart .track'))
  for (const it of track.querySelectorAll('i'))
    if (it.getBoundingClientRect().right > track.getBoundingClientRect().right + 5) found.push('outside the picture: ' + it.className);
const bars = document.querySelectorAll('.bar').length, breaks = document.querySelectorAll('.row:first-child ~ .row .cut').length;
parent.document.getElementById('measured').textContent = JSON.stringify({ found, bars, breaks, width: innerWidth,
  labels: shown.length, dots: document.querySelectorAll('.dot').length, scripts: document.scripts.length });
});</script>"#;

/// Debian's browser.
fn chromium() -> &'static str {
    static BROWSER: LazyLock<&str> = LazyLock::new(|| {
        packages::install("chromium", || Command::new("chromium").arg("--version").output().is_ok());
        "chromium"
    });
    *BROWSER
}

fn browse(arguments: &[&str], page: &Path) -> Output {
    let profile = page.with_extension("profile");
    let output = Command::new(chromium())
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output();
    output.expect("the browser starts")
}

/// What the browser makes of a page at a window's width.
fn measured(page: &Path, width: u32) -> Value {
    let html = std::fs::read_to_string(page).expect("the page is there");
    // Messages are quoted as they are, addresses and all; nothing of them is more than text.
    let quoted = |part: &str| part.split_once("</pre>").map_or_else(|| part.to_owned(), |(_, rest)| rest.to_owned());
    let own: String = html.split("<pre>").map(quoted).collect();
    for outside in ["http:", "https:"] {
        assert!(!own.contains(outside), "{outside} in a page that should need nothing else");
    }
    for outside in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside} in a page that should need nothing else");
    }
    let (within, probe) =
        (page.with_extension(format!("{width}.within.html")), page.with_extension(format!("{width}.html")));
    std::fs::write(&within, html + MEASURE).expect("the page can be written");
    let frame = format!(
        "<body style='margin:0'><pre id=\"measured\"></pre><iframe style='border:0;width:{width}px;height:1200px' src='file://{}'></iframe></body>",
        within.display()
    );
    std::fs::write(&probe, frame).expect("the probe can be written");
    let output = browse(&["--window-size=1700,1400", "--allow-file-access-from-files", "--dump-dom"], &probe);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("CONSOLE"), "the browser complains: {said}");
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let measured = dom.split("id=\"measured\">").nth(1).and_then(|rest| rest.split('<').next());
    let measured = measured.unwrap_or_else(|| panic!("no measurement in {dom}\n{said}"));
    serde_json::from_str(measured).expect("the probe wrote JSON")
}

fn scratch(name: &str) -> PathBuf {
    let directory = repository().join("target/pages");
    std::fs::create_dir_all(&directory).expect("target can be written");
    directory.join(name)
}

async fn holdfast(stage: &Stage, arguments: &[&str]) -> String {
    let output = stage.holdfast(arguments, false).await.expect("holdfast starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn contains_all(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_told_from_awss_own_records_even_while_a_region_is_down() {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let stage = Stage::set(SETTINGS, &Layout::default(), &lambdas).await.expect("the stage can be set");
    let none = stage.holdfast(&["report"], false).await.expect("holdfast starts");
    contains_all(&String::from_utf8_lossy(&none.stderr), &["there was no incident in the last 30 days"]);
    contains_all(&holdfast(&stage, &["plan", "--replay"]).await, &["nothing would have been done"]);
    holdfast(&stage, &["arm"]).await;
    stage.minutes(16).await;
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| stage.all_registers(|it| matches!(it, Register::FailedOver { .. }));
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", stage.registers());
    stage.minutes(2).await;
    let told = holdfast(&stage, &["report"]).await;
    tells_what_people_ask_for(&told);
    let page: Value = serde_json::from_str(&holdfast(&stage, &["report", "--json"]).await).expect("it is JSON");
    let stages: Vec<_> = page["stages"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    let expected = [
        "holdfast-site-down",
        "holdfast-prolonged-outage-",
        "failover started",
        "pin requested",
        "pin in sync",
        "clients drained",
        "promotion asked",
        "failed over",
    ];
    assert_eq!(stages.len(), expected.len(), "{stages:?}");
    stages.iter().zip(expected).for_each(|(stage, begins)| assert!(stage.starts_with(begins), "{stage}"));
    adds_up(&page);
    assert_eq!(fields(&page), documented("report", &[]), "docs/json.md");
    nobody_knows_an_incident_that_was_none(&stage, page["id"].as_str().unwrap_or_default()).await;
    its_page_fits(&stage).await;
    let replay = holdfast(&stage, &["plan", "--replay"]).await;
    contains_all(
        &replay,
        &["holdfast-failover-started rang and still does", "P13b Pin", "it tells people, and never fails over"],
    );
    let replay: Value =
        serde_json::from_str(&holdfast(&stage, &["plan", "--replay", "--json"]).await).expect("it is JSON");
    assert_eq!(fields(&replay), of_command("plan --replay", &[]));
    let decided = replay["episodes"].as_array().into_iter().flatten().filter(|it| it["would"][0]["rule"] == "P13");
    assert_eq!(decided.count(), 1, "{replay}");
    stage.lab.faults.fail_region(DETECTOR);
    let told = holdfast(&stage, &["report"]).await;
    contains_all(
        &told,
        &[
            "MISSING: the history of holdfast-failover-started",
            "| RTO | **at least ",
            "failed over",
            "P13b: failover has started",
        ],
    );
}

/// What people ask for first, in their words; and nothing that is of no use to them.
fn tells_what_people_ask_for(told: &str) {
    contains_all(
        told,
        &[
            "# app.example.com +4 failed over, eu-west-1 → eu-central-1, Mon 5 Jan 2026 ",
            "| names | app.example.com, *.shop.example.com",
            "| databases in DR | Aurora cluster app-dr, RDS instance orders-dr |",
            "failed over to DR",
            "| waited by choice | ",
            "(OutageMinutes) 29 min",
            "| RDS | ",
            "users on DR, cannot write: ",
            "pin in sync",
            "P13b: failover has started",
            "| RPO | **at most ",
            "; last replicated ",
            "`holdfast failback rebuild --successor app-dr=eu-west-1/ID --successor orders-dr=eu-west-1/ID`",
            "`holdfast failback compare holdfast-failover-started@",
            "No fence is set up",
            "No approval and no order is on record since the incident began.",
            "pinned to DR",
            "Promotion requested",
        ],
    );
    for gone in ["MISSING", "alarm to pin", "0 failed over", "0 neither"] {
        assert!(!told.contains(gone), "{gone}: {told}");
    }
}

/// The messages are whole, and the RTO is split without a rest.
fn adds_up(page: &Value) {
    assert!(
        page["moments"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|it| it["body"].as_str().is_some_and(|it| it.contains("WHAT HAPPENED")))
    );
    let lasted = |stage: usize| page["stages"][stage]["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let rto = lasted(7).zip(lasted(0)).map(|(end, first)| end.as_second() - first.as_second());
    let spent: Option<i64> =
        page["shares"].as_array().map(|it| it.iter().filter_map(|it| it["seconds"].as_i64()).sum());
    assert_eq!(
        (spent, page["figures"].as_array().map(Vec::len)),
        (rto, Some(3)),
        "the RTO is split without a rest: {page}"
    );
}

/// On a phone and on a desk.
async fn its_page_fits(stage: &Stage) {
    let file = scratch("incident.html");
    holdfast(stage, &["report", "--html", file.to_str().expect("a path of letters")]).await;
    for width in [360, 1_000] {
        let file = file.clone();
        let seen = tokio::task::spawn_blocking(move || measured(&file, width)).await.expect("the browser ends");
        assert_eq!((&seen["found"], &seen["width"]), (&serde_json::json!([]), &width.into()));
        // Each stage and the spell; the wait is broken in each.
        assert_eq!((seen["bars"].as_u64(), seen["scripts"].as_u64()), (Some(9), Some(1)), "{seen}");
        assert!(
            seen["dots"].as_u64() > Some(8) && seen["breaks"].as_u64() >= Some(8) && seen["labels"].as_u64() > Some(16),
            "{seen}"
        );
    }
}

/// A mistyped second is told as what it is, with the incident that was meant.
async fn nobody_knows_an_incident_that_was_none(stage: &Stage, known: &str) {
    let known = known.trim_start_matches("incident ");
    let wrong = known.replace("2026-01-05", "2026-01-02");
    let output = stage.holdfast(&["report", &wrong], false).await.expect("holdfast starts");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    contains_all(&String::from_utf8_lossy(&output.stderr), &["no record knows of", &wrong, known, "LogRetentionDays"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_has_the_same_page_and_it_fits_screens_wide_and_narrow() {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let scenario = named("approval").expect("there is such a scenario");
    let drill = Drill { scenario, settings: SETTINGS };
    let ended = tokio::task::spawn_blocking(move || run::one(drill, &lambdas, |_| {})).await.expect("the drill ends");
    let report = ended.expect("the drill runs");
    contains_all(
        &report.page.markdown(),
        &[
            "Drill approval with seed 1",
            "| held |",
            "first accepted write",
            "approval: of ",
            "| waited for a person or a guard | ",
            "| people | approval of ",
            "## Lost writes",
        ],
    );
    let file = scratch("drill.html");
    std::fs::write(&file, report.page.html()).expect("the page can be written");
    for width in [360, 500, 1_600] {
        let file = file.clone();
        let seen = tokio::task::spawn_blocking(move || measured(&file, width)).await.expect("the browser ends");
        assert_eq!(seen["found"], serde_json::json!([]), "{width} wide");
    }
}
