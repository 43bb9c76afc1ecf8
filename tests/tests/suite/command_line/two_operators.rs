//! Two people who order at once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_maintenance_that_is_ended_while_it_begins_leaves_no_check_disabled() {
    let stage = stage(&WITHOUT_DATABASES).await;
    text(&stage, &["arm"]).await;
    let (is_held, held) = tokio::sync::oneshot::channel();
    let (is_held, is_first) = (std::sync::Mutex::new(Some(is_held)), AtomicBool::new(true));
    let disables = move |site: &Site<'_>| {
        let is_it =
            site.caller == OPERATOR && site.action == "UpdateHealthCheck" && is_first.swap(false, Ordering::SeqCst);
        if is_it && let Some(is_held) = is_held.lock().ok().and_then(|mut it| it.take()) {
            is_held.send(()).ok();
        }
        is_it
    };
    stage.lab.faults.set_call_fault(CallFault::when(disables, CallEffect::Slow(Duration::from_secs(3_600))));
    let ends = async {
        held.await.expect("the first comes to the health check");
        text(&stage, &["maintenance", "end"]).await
    };
    let (begun, ended) = tokio::join!(stage.holdfast(&["maintenance", "begin", "--for", "2h"], true), ends);
    contains_all(&ended, &["is enabled", "armed"]);
    let begun = begun.expect("holdfast starts");
    assert_eq!(begun.status.code(), Some(1), "{}{}", stdout(&begun), stderr(&begun));
    contains_all(&stderr(&begun), &["somebody ended the maintenance while it began"]);
    assert_eq!(states(&stage), ["armed"; NAMES]);
    assert!(!is_check_disabled(&stage).await, "nobody else would enable it");
}
