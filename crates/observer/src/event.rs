//! What wakes the observer: the schedule's event, which says what minute it is.

use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use serde_json::Value;

/// An event without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event has no `time`: the observer is woken by its schedule, whose events have one; to try it by hand, invoke it with \
     {{\"time\": \"2026-01-01T12:00:00Z\"}} and the present time"
)]
pub struct NoTime;

impl From<NoTime> for Diagnostic {
    fn from(error: NoTime) -> Self {
        Self { error_type: "NoTime".to_owned(), error_message: error.to_string() }
    }
}

/// The minute that a look is for. It comes with the event, since the observer calls nothing of AWS whose clock it could go by.
///
/// # Errors
/// If the event does not say.
pub fn time(event: &Value) -> Result<Timestamp, NoTime> {
    event["time"].as_str().and_then(|time| time.parse().ok()).ok_or(NoTime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_schedule_s_event_says_what_minute_it_is() {
        let event = json!({"version": "0", "id": "1", "account": "1", "region": "eu-central-1", "source": "aws.events",
            "detail-type": "Scheduled Event", "time": "2026-01-01T12:00:00Z", "resources": [], "detail": {}});
        assert_eq!(time(&event), Ok("2026-01-01T12:00:00Z".parse().unwrap()));
        for other in [json!({}), json!({"time": 7}), json!({"time": "noon"}), json!(null)] {
            assert_eq!(time(&other), Err(NoTime), "{other}");
        }
    }
}
