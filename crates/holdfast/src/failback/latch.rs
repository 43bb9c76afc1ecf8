//! The latch is lifted once the primary is ready and before the records are restored: with the pins in place nobody moves by it, and
//! restored records on a switch that is still at DR would move nobody home.

use aws::beside;
use aws::cloudwatch::AlarmReader as _;
use aws::store::{Item, Swap, Writer};
use failover::incident::AlarmState;
use failover::latch::{self, Latch};
use failover::plan;

use super::{SPREAD_MAX, until};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workload::Workload;

/// Lifts it, and waits until the switch is at the primary again, as far as that shows.
pub(super) async fn lift(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let Some(plan::Latch { table, shown }) = &workload.plan.latch else { return Ok(()) };
    match closed(workload).await? {
        None => {}
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
    match shown {
        Some(shown) => {
            let what = "waiting for every name server to show the latch open, and the switch at the primary".to_owned();
            until(terminal, what, SPREAD_MAX, || async { Ok(beside::shows_open(shown, &workload.beside).await) }).await
        }
        None => {
            let Some(alarm) = workload.plan.hold_alarm.as_deref().map(plan::latch_alarm) else { return Ok(()) };
            let what = format!("waiting for the alarm {alarm} to be OK");
            until(terminal, what, SPREAD_MAX, || async {
                let alarms = workload.metrics.alarms(std::slice::from_ref(&alarm)).await?;
                Ok(alarms.first().is_some_and(|alarm| alarm.state == AlarmState::Ok))
            })
            .await
        }
    }
}

async fn closed(workload: &Workload) -> Result<Option<Latch>, Failure> {
    let now = aws::route53::RecordReader::now(&workload.records);
    match beside::latch(&workload.plan, &workload.beside, now).await {
        latch::Reading::Closed { latch, .. } => Ok(Some(latch)),
        latch::Reading::NoStore | latch::Reading::Open { .. } => Ok(None),
        latch::Reading::NotKnown(why) => Err(Failure::Refused(format!(
            "no name was restored: DR's store does not tell whether the latch is closed ({why}); run the command again"
        ))),
    }
}
