//! What a function found in its last looks: CloudWatch keeps what it published of them, so that nothing else has to be remembered.

use failover::standby::Look;
use failover::standby::news::{Counts, LOOKBACK};
use jiff::Timestamp;

use super::metrics::{Series, points};
use crate::session::Session;
use crate::telemetry::{FUNCTION, NAMESPACE, function};

/// How many rows of a look were not ready: the name of the metric.
pub const NOT_READY_ROWS: &str = "NotReadyRows";
/// How many nobody knows: the same.
pub const NOT_KNOWN_ROWS: &str = "NotKnownRows";

/// Every look of this function that CloudWatch has both metrics of, the oldest first.
pub(super) async fn looks(session: &Session, now: Timestamp) -> Look<Vec<Counts>> {
    let dimensions = [(FUNCTION, function())];
    let series =
        |metric| Series { namespace: NAMESPACE, metric, dimensions: &dimensions, stat: "Maximum", lookback: LOOKBACK };
    let (not_ready, not_known) = (series(NOT_READY_ROWS), series(NOT_KNOWN_ROWS));
    let (not_ready, not_known) = tokio::join!(points(session, &not_ready, now), points(session, &not_known, now));
    let (not_ready, not_known) = (not_ready?, not_known?);
    let both = not_ready.into_iter().filter_map(|(at, not_ready)| {
        let not_known = *not_known.get(&at)?;
        Some(Counts { not_ready, not_known })
    });
    Ok(both.collect())
}
