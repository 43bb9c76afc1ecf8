//! A failback that was well begun, and during which the primary goes.

use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::adopt::ON_SWITCH;
use super::*;

const QUESTION: &str = "Send users back to the primary? [y/N]";

/// Runs it at a terminal, where nothing is confirmed beforehand, and answers this question with yes once that is over; what was shown.
async fn asked(
    stage: &Stage,
    arguments: &[&str],
    question: &str,
    meanwhile: impl Future<Output = ()>,
) -> (ExitStatus, String) {
    let line = format!("{} {}", stage.binaries.join("holdfast").display(), arguments.join(" "));
    let mut command = stage.command(OPERATOR, "/usr/bin/script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a terminal");
    let (mut answers, mut shown) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains(question) {
        let read = shown.read_buf(&mut told).await.expect("the terminal shows something");
        assert!(read > 0, "it ended before it asked:\n{}", String::from_utf8_lossy(&told));
    }
    meanwhile.await;
    answers.write_all(b"y\n").await.expect("the terminal takes an answer");
    shown.read_to_end(&mut told).await.expect("the terminal shows the end");
    (child.wait().await.expect("it ends"), String::from_utf8_lossy(&told).into_owned())
}

/// Every name failed over, by a plan that has no databases, and the primary well again.
async fn failed_over(stage: &Stage) {
    stage.lab.faults.fail_region(PRIMARY);
    let failed_over = |stage: &Stage| states(stage) == ["failed over"; NAMES];
    assert!(stage.until(Duration::from_secs(10_800), failed_over).await, "{:?}", states(stage));
    stage.lab.faults.heal_region(PRIMARY);
    stage.minutes(10).await;
}

fn is_ringing(stage: &Stage) -> bool {
    let entries = stage.lab.journal.entries();
    let last = entries.iter().rev().find_map(|entry| match &entry.what {
        What::Alarm { name, to, .. } if name.ends_with("failover-started") => Some(to == "ALARM"),
        _ => None,
    });
    last.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_begins_while_the_question_waits_keeps_users_on_dr() {
    let stage = stage(&WITHOUT_DATABASES).await;
    text(&stage, &["arm"]).await;
    stage.minutes(16).await;
    failed_over(&stage).await;
    let away = records(&stage);
    let dies = async {
        stage.lab.faults.fail_region(PRIMARY);
        assert!(stage.until(Duration::from_secs(7_200), is_ringing).await, "the alarm rings");
    };
    let (status, shown) = asked(&stage, &["failback", "switch"], QUESTION, dies).await;
    assert_eq!(status.code(), Some(1), "{shown}");
    contains_all(&shown, &["F04", "F05", "no failback yet"]);
    assert_eq!((records(&stage), states(&stage)), (away, vec!["failed over"; NAMES]), "nothing was restored");

    stage.lab.faults.heal_region(PRIMARY);
    stage.minutes(10).await;
    let (status, shown) = asked(&stage, &["failback", "switch"], QUESTION, async {}).await;
    assert!(status.success() && shown.contains("DNS answers with the primary again"), "{shown}");
    assert_eq!(states(&stage), ["armed"; NAMES]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_begins_while_the_lift_is_waited_for_keeps_users_on_dr() {
    let stage = stage(&ON_SWITCH).await;
    text(&stage, &["arm"]).await;
    stage.minutes(6).await;
    text(&stage, &["adopt"]).await;
    failed_over(&stage).await;
    let away = records(&stage);
    let mut journal = stage.lab.journal.follow();
    let is_lifted =
        |what: &What| matches!(what, What::Call { caller, action, .. } if caller == OPERATOR && action == "DeleteItem");
    let dies = async {
        while !is_lifted(&journal.recv().await.expect("the journal is followed").what) {}
        stage.lab.faults.fail_region(PRIMARY);
    };
    let (output, ()) = tokio::join!(stage.holdfast(&["failback", "switch"], true), dies);
    let output = output.expect("holdfast starts");
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    contains_all(&stdout(&output), &["the latch is lifted", "F05"]);
    assert_eq!((records(&stage), states(&stage)), (away, vec!["failed over"; NAMES]), "nothing was restored");
}
