//! What a function found in its last looks: CloudWatch keeps what it published of them, so that nothing else has to be remembered.

use failover::standby::Look;
use failover::standby::news::{Counts, Found, LOOKBACK, Past};
use jiff::Timestamp;

use super::metrics::{Series, points};
use crate::session::Session;
use crate::telemetry::{FUNCTION, NAMESPACE};

/// How many rows of a look were not ready: the name of the metric.
pub const NOT_READY_ROWS: &str = "NotReadyRows";
/// How many nobody knows: the same.
pub const NOT_KNOWN_ROWS: &str = "NotKnownRows";

/// That users were on DR, so that no row was judged: the same, and published of no other look.
pub const ON_DR: &str = "OnDr";

/// Every look of the function of that name that CloudWatch has both counts of, the oldest first.
pub(super) async fn looks(session: &Session, function: &str, now: Timestamp) -> Look<Vec<Past>> {
    let dimensions = [(FUNCTION, function)];
    let series =
        |metric| Series { namespace: NAMESPACE, metric, dimensions: &dimensions, stat: "Maximum", lookback: LOOKBACK };
    let (not_ready, not_known, on_dr) = (series(NOT_READY_ROWS), series(NOT_KNOWN_ROWS), series(ON_DR));
    let (not_ready, not_known, on_dr) =
        tokio::join!(points(session, &not_ready, now), points(session, &not_known, now), points(session, &on_dr, now));
    let (not_ready, not_known, on_dr) = (not_ready?, not_known?, on_dr?);
    let both = not_ready.into_iter().filter_map(|(second, not_ready)| {
        let not_known = *not_known.get(&second)?;
        let found = match on_dr.contains_key(&second) {
            true => Found::OnDr,
            false => Found::Rows(Counts { not_ready, not_known }),
        };
        Some(Past { at: Timestamp::from_second(second).ok()?, found })
    });
    Ok(both.collect())
}
