//! An incident as `holdfast report` tells it, and its page in a browser.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use drill::lambdas::{self, repository};
use drill::scenario::named;
use drill::stage::{DETECTOR, Layout, PRIMARY, Settings, Stage};
use drill::{run, run::Drill};
use failover::register::Register;
use serde_json::Value;

const SETTINGS: Settings = Settings { seed: 1, speed: 3_600.0 };

/// What measures the page from within: whether it fits, and what lies outside the picture or is covered by another label.
const MEASURE: &str = r#"<pre id="measured"></pre><script>
const svg = document.querySelector('svg'), frame = svg.getBoundingClientRect(), found = [];
const labels = [...svg.querySelectorAll('text')].map(t => [t.firstChild.textContent, t.getBoundingClientRect()]);
if (document.documentElement.scrollWidth > innerWidth) found.push('the page is wider than the window');
for (const [text, box] of labels)
  if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) found.push('cut off: ' + text);
labels.forEach(([text, a], nth) => labels.slice(nth + 1).forEach(([other, b]) => {
  if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3) found.push(text + ' covers ' + other);
}));
document.getElementById('measured').textContent =
  JSON.stringify({ found, circles: document.querySelectorAll('circle').length, scripts: document.scripts.length });
</script>"#;

/// Debian's browser; installed, once, where it is missing and this machine lets us.
fn chromium() -> &'static str {
    static BROWSER: LazyLock<&str> = LazyLock::new(|| {
        let is_there = || Command::new("chromium").arg("--version").output().is_ok();
        if !is_there() {
            // Somebody else may be installing something.
            let install = "apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=600 chromium";
            let installed = Command::new("sh").args(["-c", install]).output();
            assert!(is_there(), "this test needs a browser: apt-get install chromium ({installed:?})");
        }
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
    for outside in ["<script", "src=", "http:", "https:", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside} in a page that should need nothing else");
    }
    let probe = page.with_extension(format!("{width}.html"));
    std::fs::write(&probe, html + MEASURE).expect("the probe can be written");
    let output = browse(&[&format!("--window-size={width},1200"), "--dump-dom"], &probe);
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
    contains_all(&String::from_utf8_lossy(&none.stderr), &["there was no incident in the last 14 days"]);
    contains_all(&holdfast(&stage, &["plan", "--replay"]).await, &["nothing would have been done"]);
    holdfast(&stage, &["arm"]).await;
    stage.minutes(16).await;
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| stage.all_registers(|it| matches!(it, Register::FailedOver { .. }));
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", stage.registers());
    stage.minutes(2).await;
    let told = holdfast(&stage, &["report"]).await;
    contains_all(
        &told,
        &[
            "failed over to DR",
            "alarm to pin",
            "pin in sync",
            "P13b: failover has started",
            "RPO",
            "pinned to DR",
            "Promotion requested",
        ],
    );
    assert!(!told.contains("MISSING"), "{told}");
    let page: Value = serde_json::from_str(&holdfast(&stage, &["report", "--json"]).await).expect("it is JSON");
    let stages: Vec<_> = page["stages"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    let expected = [
        "holdfast-site-down",
        "holdfast-prolonged-outage-",
        "failover started",
        "pin requested",
        "pin in sync",
        "promotion asked",
        "failed over",
    ];
    assert_eq!(stages.len(), expected.len(), "{stages:?}");
    stages.iter().zip(expected).for_each(|(stage, begins)| assert!(stage.starts_with(begins), "{stage}"));
    let file = scratch("incident.html");
    holdfast(&stage, &["report", "--html", file.to_str().expect("a path of letters")]).await;
    let seen = tokio::task::spawn_blocking(move || measured(&file, 1_000)).await.expect("the browser ends");
    assert_eq!(seen["found"], serde_json::json!([]));
    assert!(seen["circles"].as_u64() > Some(8), "{seen}");
    let replay = holdfast(&stage, &["plan", "--replay"]).await;
    contains_all(
        &replay,
        &["holdfast-failover-started rang and still does", "P13b Pin", "it tells people, and never fails over"],
    );
    let replay: Value =
        serde_json::from_str(&holdfast(&stage, &["plan", "--replay", "--json"]).await).expect("it is JSON");
    let decided = replay["episodes"].as_array().into_iter().flatten().filter(|it| it["would"][0]["rule"] == "P13");
    assert_eq!(decided.count(), 1, "{replay}");
    stage.lab.faults.fail_region(DETECTOR);
    let told = holdfast(&stage, &["report"]).await;
    contains_all(
        &told,
        &["MISSING: the history of holdfast-failover-started", "failed over", "P13b: failover has started"],
    );
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
        &["Drill approval with seed 1", "| held |", "first accepted write", "approval: of "],
    );
    let file = scratch("drill.html");
    std::fs::write(&file, report.page.html()).expect("the page can be written");
    for width in [400, 1_600] {
        let file = file.clone();
        let seen = tokio::task::spawn_blocking(move || measured(&file, width)).await.expect("the browser ends");
        assert_eq!(seen["found"], serde_json::json!([]), "{width} wide");
    }
}
