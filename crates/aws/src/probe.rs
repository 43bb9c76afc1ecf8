//! Our own health request to a site.

use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use failover::observation::Probe;

/// As Route 53's own checkers: four seconds to connect, two more to answer.
const CONNECT: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(6);

/// Someone who can ask a site whether it is alive.
pub trait Prober {
    /// Asks once. Without a URL nobody is asked.
    async fn probe(&self, url: Option<&str>) -> Probe;
}

/// Asks over HTTP or HTTPS, each time on a new connection: an old one might outlive the listener behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpProber;

impl Prober for HttpProber {
    async fn probe(&self, url: Option<&str>) -> Probe {
        let Some(url) = url else { return Probe::NotAsked };
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build();
        let Ok(request) = HttpRequest::get(url) else { return Probe::Silent };
        match connector.call(request).await {
            // Route 53 counts 2xx and 3xx as healthy ("How Route 53 determines whether a health check is healthy").
            Ok(response) if (200..400).contains(&response.status().as_u16()) => Probe::Answers,
            Ok(_) | Err(_) => Probe::Silent,
        }
    }
}
