//! Giving up early where a person's machine reaches nothing at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// So many attempts without a connection, and none before that was answered, are a machine without a network, and no trouble of AWS's: three that
/// time out take ten seconds, three that find no name one.
const UNREACHED_MAX: u32 = 3;

/// What a process has reached so far. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach(Arc<Tally>);

#[derive(Debug, Default)]
struct Tally {
    has_reached: AtomicBool,
    unreached: AtomicU32,
}

impl Reach {
    /// An HTTP client whose attempts are not repeated any more once nothing at all was reached.
    pub(crate) fn hurrying(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Hurrying { inner: client, reach: self.clone() })
    }

    /// What the SDK is told of a failed attempt: it repeats what it takes for trouble on the way, and nothing of an unknown kind.
    fn judge(&self, error: ConnectorError) -> ConnectorError {
        let is_on_the_way = error.is_io() || error.is_timeout();
        if !is_on_the_way || self.0.has_reached.load(Ordering::Relaxed) {
            return error;
        }
        match self.0.unreached.fetch_add(1, Ordering::Relaxed) + 1 {
            UNREACHED_MAX.. => ConnectorError::other(error.into_source(), None),
            _ => error,
        }
    }
}

/// A client, or a connector, that keeps count.
#[derive(Debug)]
struct Hurrying<T> {
    inner: T,
    reach: Reach,
}

impl HttpClient for Hurrying<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Hurrying { inner, reach: self.reach.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Hurrying<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, reach) = (self.inner.clone(), self.reach.clone());
        HttpConnectorFuture::new(async move {
            match inner.call(request).await {
                Ok(answer) => {
                    reach.0.has_reached.store(true, Ordering::Relaxed);
                    Ok(answer)
                }
                Err(error) => Err(reach.judge(error)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_reached_is_given_up_and_what_was_reached_once_never() {
        let lost = || ConnectorError::timeout("nobody".into());
        let (unreached, reached) = (Reach::default(), Reach::default());
        let told: Vec<_> = (0..4).map(|_| unreached.judge(lost()).is_other()).collect();
        assert_eq!(told, [false, false, true, true]);
        reached.0.has_reached.store(true, Ordering::Relaxed);
        assert!((0..9).all(|_| reached.judge(lost()).is_timeout()));
        assert!(Reach::default().judge(ConnectorError::other("a broken answer".into(), None)).is_other());
    }
}
