//! AWS's own time, from the `Date` header of its answers.
//!
//! Alarms, registers and metric samples carry AWS's time; comparing them with a function's own clock would trust that
//! clock for nothing. Every AWS answer says what time it is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{AsyncSleep as _, TokioSleep};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The environment variable that names whoever keeps time in a test where AWS's does not pass as the machine's: an address with a port,
/// which is told a number of seconds and closes the connection when they are over. Not set on AWS.
pub const CLOCK_VARIABLE: &str = "HOLDFAST_CLOCK";

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

    /// Lets so much of AWS's time pass.
    pub async fn wait(&self, seconds: u32) {
        let over = self.now() + SignedDuration::from_secs(seconds.into());
        let kept = match std::env::var(CLOCK_VARIABLE).ok().filter(|address| !address.is_empty()) {
            Some(address) => told_when_over(&address, seconds).await.is_ok(),
            None => false,
        };
        if kept {
            self.heard(over);
        } else {
            TokioSleep::new().sleep(Duration::from_secs(seconds.into())).await;
        }
    }

    fn hear(&self, date: &str) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        let Ok(date) = Timestamp::from_second(date.secs()) else { return };
        self.heard(date);
    }

    fn heard(&self, date: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
    }
}

async fn told_when_over(address: &str, seconds: u32) -> std::io::Result<()> {
    let mut keeper = TcpStream::connect(address).await?;
    keeper.write_all(format!("{seconds}\n").as_bytes()).await?;
    keeper.read_to_end(&mut Vec::new()).await.map(|_| ())
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
