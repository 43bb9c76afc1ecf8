//! AWS's own time, from the `Date` header of its answers.
//!
//! Alarms, registers and metric samples carry AWS's time; comparing them with a function's own clock would trust that
//! clock for nothing. Every AWS answer says what time it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use jiff::{SignedDuration, Timestamp};

/// The newest time any AWS answer gave. Clones share it; as an interceptor it listens to a client's answers.
#[derive(Clone, Debug, Default)]
pub struct AwsClock(Arc<Mutex<Option<(Timestamp, Instant)>>>);

impl AwsClock {
    /// AWS's time in whole seconds: what the newest answer said, and what has passed since. Before the first answer, the
    /// machine's.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match heard {
            Some((said, at)) => said + SignedDuration::try_from(at.elapsed()).unwrap_or_default(),
            None => Timestamp::now(),
        };
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    fn hear(&self, date: &str) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        let Ok(date) = Timestamp::from_second(date.secs()) else { return };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
    }
}

impl Intercept for AwsClock {
    fn name(&self) -> &'static str {
        "AwsClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.hear(date);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_what_aws_last_said() {
        let clock = AwsClock::default();
        clock.hear("Thu, 01 Jan 2026 12:00:00 GMT");
        let noon: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        assert!(clock.now().duration_since(noon) < SignedDuration::from_secs(60));
    }

    #[test]
    fn an_unreadable_date_changes_nothing() {
        let clock = AwsClock::default();
        clock.hear("Thu, 01 Jan 2026 12:00:00 GMT");
        let before = clock.now();
        clock.hear("yesterday");
        assert!(clock.now() >= before && clock.now().duration_since(before) < SignedDuration::from_secs(60));
    }
}
