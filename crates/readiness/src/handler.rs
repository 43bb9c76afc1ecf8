//! Look, publish what was found, say what of it is news.

use aws::CallError;
use aws::route53::{RecordReader, protected_names};
use aws::standby::{NOT_KNOWN_ROWS, NOT_READY_ROWS, ON_DR, StandbyReader};
use aws::telemetry::{self, Metric};
use failover::plan::Plan;
use failover::standby::news::{Counts, Found, Report, news};
use failover::standby::wanted::Wanted;
use failover::standby::{Finding, Verdict};
use jiff::Timestamp;
use lambda_runtime::Diagnostic;

/// Everything readiness calls. Nothing of it can change anything.
#[derive(Clone, Debug)]
pub struct Calls<Records, Standby> {
    /// Looks at Route 53.
    pub records: Records,
    /// Looks at DR, and at what earlier looks found.
    pub standby: Standby,
}

/// Nobody knows where names lead, so no row can be judged. Nothing is published then, which rings as silence.
#[derive(Debug, thiserror::Error)]
#[error("DR was not looked at, since the records that lead there cannot be read: {0}")]
pub struct NotLooked(#[from] CallError);

impl From<NotLooked> for Diagnostic {
    fn from(error: NotLooked) -> Self {
        Self { error_type: "NotLooked".to_owned(), error_message: error.to_string() }
    }
}

impl<Records: RecordReader, Standby: StandbyReader> Calls<Records, Standby> {
    /// One look.
    ///
    /// # Errors
    /// If the records cannot be read. Lambda tries again.
    pub async fn handle(&self, plan: &Plan, wanted: &Wanted) -> Result<Report, NotLooked> {
        let names = protected_names(plan, &self.records).await?;
        let now = self.records.now();
        if names.iter().any(|name| name.pin().is_some()) {
            tracing::info!("users are on DR, or on their way: nothing stands by, and no row is judged");
            publish(now, Found::OnDr);
            return Ok(Report::on_dr(now));
        }
        let (findings, before) =
            tokio::join!(self.standby.rows(plan, wanted, &names, now), self.standby.before(telemetry::function(), now));
        let before = before.inspect_err(|error| tracing::warn!(error, "what earlier looks found is not known"));
        let counts = Counts::of(&findings);
        let news = news(now, counts, before.as_deref().map_err(String::as_str));
        note(&findings);
        publish(now, Found::Rows(counts));
        Ok(Report::of(now, news, &findings))
    }
}

/// The log has every row that is not ready, whether it is news or not.
fn note(findings: &[Finding]) {
    for Finding { row, about, verdict, seen, remedy, .. } in findings {
        match verdict {
            Verdict::Ready => tracing::debug!(row, about, seen, "ready"),
            Verdict::NotKnown | Verdict::NotReady => tracing::info!(row, about, seen, remedy, "{verdict}"),
        }
    }
    tracing::info!(rows = findings.len(), "looked");
}

/// No look comes to hundreds of rows; what is more than a float tells apart is as much as it.
#[expect(clippy::cast_precision_loss, reason = "a few dozen rows")]
fn publish(at: Timestamp, found: Found) {
    let count = |name, value: u64| Metric { name, unit: "Count", value: value as f64 };
    let Counts { not_ready, not_known } = found.counts();
    let mut metrics = vec![count(NOT_READY_ROWS, not_ready), count(NOT_KNOWN_ROWS, not_known)];
    if found == Found::OnDr {
        metrics.push(count(ON_DR, 1));
    }
    telemetry::emit(at, &metrics);
}

#[cfg(test)]
mod tests;
