//! Calls no faster than a service takes them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{AsyncSleep as _, TokioSleep};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// "Five requests per second per AWS account" (Route 53 developer guide, "Quotas"); what comes beyond is refused, and then
/// waits longer than it would have had to.
const CALLS_MAX: usize = 5;
/// A little more than the second, since two clocks count it.
const WINDOW: Duration = Duration::from_millis(1_010);

/// An HTTP client whose requests, attempts at the same call among them, leave no faster than Route 53 takes them.
pub(crate) fn paced(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Paced { inner: client, pace: Pace::default() })
}

/// A client, or a connector, that waits for its turn.
#[derive(Debug)]
struct Paced<T> {
    inner: T,
    pace: Pace,
}

impl HttpClient for Paced<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Paced { inner, pace: self.pace.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Paced<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, pace) = (self.inner.clone(), self.pace.clone());
        HttpConnectorFuture::new(async move {
            let turn = pace.book(Instant::now());
            let wait = turn.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                TokioSleep::new().sleep(wait).await;
            }
            let answer = inner.call(request).await;
            pace.answered(turn, Instant::now());
            answer
        })
    }
}

/// When each of the last requests arrived at the latest. Clones share it.
#[derive(Clone, Debug, Default)]
struct Pace(Arc<Mutex<VecDeque<Instant>>>);

impl Pace {
    /// Takes the next free moment.
    fn book(&self, now: Instant) -> Instant {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = match last.len() {
            CALLS_MAX.. => last.pop_front().map_or(now, |oldest| now.max(oldest + WINDOW)),
            _ => now,
        };
        last.push_back(turn);
        turn
    }

    /// The service counts requests when they arrive, which may be long after they left, by way of a handshake or of a busy
    /// processor; that it was before the answer is certain.
    fn answered(&self, turn: Instant, now: Instant) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = last.iter_mut().find(|at| **at == turn) {
            *at = now;
        }
        last.make_contiguous().sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_requests_leave_at_once_and_no_second_holds_more() {
        let (pace, now) = (Pace::default(), Instant::now());
        let turns: Vec<_> = (0..12).map(|_| pace.book(now)).collect();
        assert_eq!(turns[..5], [now; 5]);
        assert_eq!((turns[5], turns[9], turns[10]), (now + WINDOW, now + WINDOW, now + 2 * WINDOW));
        assert_eq!(pace.book(now + 4 * WINDOW), now + 4 * WINDOW, "who has rested need not wait");
    }

    #[test]
    fn a_request_that_may_have_arrived_late_counts_from_its_answer() {
        let (pace, now) = (Pace::default(), Instant::now());
        let answered = now + Duration::from_millis(300);
        for _ in 0..5 {
            let turn = pace.book(now);
            pace.answered(turn, answered);
        }
        assert_eq!(pace.book(answered), answered + WINDOW);
    }
}
