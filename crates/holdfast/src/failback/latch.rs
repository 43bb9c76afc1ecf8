//! The latch is lifted once the primary is ready and before the records are restored: with the pins in place nobody moves by it, and
//! restored records on a switch that is still at DR would move nobody home.

use aws::beside;
use aws::cloudwatch::AlarmReader as _;
use aws::route53::RecordReader as _;
use aws::store::{Item, Swap, Writer};
use failover::incident::AlarmSighting;
use failover::latch::{self, Latch};
use failover::plan;
use jiff::SignedDuration;

use super::{SPREAD_MAX, until};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// For how long after the lifting CloudWatch may still hear that the latch was closed: a look of that minute tells of it at its end, and
/// what it logs becomes a metric some time later, for which AWS states no bound. Whoever restored records meanwhile would send users to DR
/// once more.
const LAST_WORDS: SignedDuration = SignedDuration::from_secs(120);

/// Lifts what stood when the failback was asked for, and no other, and waits until the switch is at the primary again, as far as that shows.
pub(super) async fn lift(workload: &Workload, terminal: &Terminal, agreed: Option<&Latch>) -> Result<(), Failure> {
    let Some(plan::Latch { table, shown, .. }) = &workload.plan.latch else { return Ok(()) };
    // Its text changes with each look at the name servers; what it is for does not.
    let is_agreed = |latch: &Latch| agreed.is_some_and(|it| (&it.incident, it.at) == (&latch.incident, latch.at));
    match standing(workload).await? {
        None => {}
        Some(latch) if !is_agreed(&latch) => return Err(committed_meanwhile(&latch)),
        Some(latch) => {
            let writer = Writer::new(&workload.session);
            match writer.remove(table, Item::Latch, &latch.to_string()).await? {
                Swap::Done => terminal.say("the latch is lifted"),
                Swap::Overtaken => return Err(Failure::Refused(
                    "the latch has changed meanwhile, and was not lifted: something still promotes; look with holdfast status".to_owned(),
                )),
            }
        }
    }
    // An interrupted run may have lifted it just now, so it is waited for whoever opened it.
    let opened_at = workload.records.now();
    let alarm = workload.plan.hold_alarm.as_deref().map(plan::latch_alarm);
    let what = "waiting for the latch's last words, and for the switch to be at the primary again".to_owned();
    until(terminal, what, SPREAD_MAX, || async {
        let is_quiet = match &alarm {
            Some(alarm) => {
                let alarms = workload.metrics.alarms(std::slice::from_ref(alarm)).await?;
                alarms.first().is_some_and(AlarmSighting::says_ok)
            }
            None => true,
        };
        let is_shown = match shown {
            Some(shown) => beside::shows_open(shown, &workload.beside).await,
            None => true,
        };
        Ok(is_quiet && is_shown && workload.records.now() >= opened_at + LAST_WORDS)
    })
    .await
}

/// A failover that nobody was asked about.
pub(super) fn committed_meanwhile(latch: &Latch) -> Failure {
    Failure::Refused(format!(
        "no name was restored: a failover of {} was committed meanwhile; look with holdfast status, and run the command again once it is over",
        latch.incident
    ))
}

/// What is committed.
pub(super) async fn standing(workload: &Workload) -> Result<Option<Latch>, Failure> {
    let now = workload.records.now();
    match beside::latch(&workload.plan, &workload.beside, now).await {
        latch::Reading::Closed { latch, .. } => Ok(Some(latch)),
        latch::Reading::NoStore | latch::Reading::Open { .. } => Ok(None),
        latch::Reading::NotKnown(why) => Err(Failure::Refused(format!(
            "no name was restored: DR's store does not tell whether the latch is closed ({why}); run the command again"
        ))),
    }
}
