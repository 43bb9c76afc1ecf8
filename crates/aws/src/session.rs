//! How every client of ours behaves: time limits and retries set on purpose.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use failover::plan::Plan;

use crate::clock::AwsClock;
use crate::pace::paced;
use crate::reach::Reach;

/// The SDK sets no limit on the time of an attempt; without one a silent server would hold a function to its end.
const CONNECT_SECONDS_MAX: u64 = 3;
const ATTEMPT_SECONDS_MAX: u64 = 4;
/// All attempts of one call.
const CALL_SECONDS_MAX: u64 = 10;
/// The last attempts of a call that only looks, and all attempts of it: a control plane in trouble may take ten seconds for what
/// takes it a tenth of one on other days, and whoever never waits so long sees nothing. Two zones looked at so, then written
/// and recorded, every call at its limit, fit into a function's 120 s.
const LOOK_ATTEMPT_SECONDS_MAX: u64 = 16;
const LOOK_SECONDS_MAX: u64 = 30;
/// A service that fails is asked again by the next minute's tick.
const ATTEMPTS_MAX: u32 = 8;
/// Route 53 takes five requests a second from a whole account, and in an incident everybody looks at once: a throttled call goes on
/// for as long as its time allows, since whoever gives up waits for the next tick while that rate goes unused. So does whatever a
/// person started, whom nobody wakes again in a minute.
const PATIENT_ATTEMPTS_MAX: u32 = 30;
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Users wait for a pin: what it takes asks again sooner than whatever else the account's functions ask for, and leaves none of the rate
/// unused while the last pins of many are on their way.
const PIN_BACKOFF_MAX: Duration = Duration::from_millis(500);
/// About as many attempts as a look has time for.
const PIN_ATTEMPTS_MAX: u32 = 120;

/// For clients that only look: each attempt may take twice as long as the one before.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrowingAttempts;

impl Intercept for GrowingAttempts {
    fn name(&self) -> &'static str {
        "GrowingAttempts"
    }

    fn read_after_attempt(
        &self,
        _context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(limits) = config.load::<TimeoutConfig>() else { return Ok(()) };
        let most = Duration::from_secs(LOOK_ATTEMPT_SECONDS_MAX);
        let longer = limits.operation_attempt_timeout().map(|last| most.min(last * 2));
        let mut limits = limits.to_builder();
        limits.set_operation_attempt_timeout(longer);
        config.interceptor_state().store_put(limits.build());
        Ok(())
    }
}

/// For clients of Route 53: a call that was throttled has more attempts.
#[derive(Clone, Copy, Debug)]
pub enum WaitsOutThrottling {
    /// Of whatever users do not wait for.
    Patiently,
    /// Of what a pin takes.
    ForPins,
}

impl Intercept for WaitsOutThrottling {
    fn name(&self) -> &'static str {
        "WaitsOutThrottling"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Of what is answered so, the SDK tries again nothing but what was throttled.
        let is_throttled = context.response().is_some_and(|answer| matches!(answer.status().as_u16(), 400 | 429));
        if is_throttled {
            config.interceptor_state().store_put(match self {
                Self::Patiently => retries(PATIENT_ATTEMPTS_MAX),
                Self::ForPins => retries(PIN_ATTEMPTS_MAX).with_max_backoff(PIN_BACKOFF_MAX),
            });
        }
        Ok(())
    }
}

/// Standard, never adaptive: after four throttled calls, adaptive mode waits a minute.
fn retries(attempts_max: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(attempts_max)
        .with_initial_backoff(BACKOFF_FIRST)
        .with_max_backoff(BACKOFF_MAX)
}

fn limits(call_seconds_max: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .operation_attempt_timeout(Duration::from_secs(ATTEMPT_SECONDS_MAX))
        .operation_timeout(Duration::from_secs(call_seconds_max))
        .build()
}

/// Shared configuration and AWS's time.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    /// The same, but as the role that may act in the account of the hosted zones.
    zone_config: SdkConfig,
    clock: AwsClock,
    retries: RetryPartition,
    route53_client: SharedHttpClient,
}

impl Session {
    /// The session of a program that a person started: no call that AWS throttles is given up within half a minute, and all are soon where
    /// this machine reaches nothing.
    #[must_use]
    pub fn patient(self) -> Self {
        let reach = Reach::default();
        let patient = |config: SdkConfig| {
            let client = config.http_client().map(|client| reach.hurrying(client));
            let mut builder = config.into_builder().retry_config(retries(PATIENT_ATTEMPTS_MAX));
            builder.set_http_client(client);
            builder.timeout_config(limits(LOOK_SECONDS_MAX)).build()
        };
        let route53_client = reach.hurrying(self.route53_client);
        Self { config: patient(self.config), zone_config: patient(self.zone_config), route53_client, ..self }
    }

    /// The region that is asked; empty if none is set.
    #[must_use]
    pub fn region(&self) -> &str {
        self.config.region().map_or("", |region| region.as_ref())
    }

    /// The same session in another region, whatever the environment says. Route 53 is in none.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let region = aws_config::Region::new(region.to_owned());
        Self { config: self.config.to_builder().region(region).build(), ..self.clone() }
    }

    /// The session for a plan: if its hosted zones are in another account, what is done to them is done as its role there.
    ///
    /// The role is assumed at STS in the own region, which does not depend on us-east-1, when the first call needs it.
    pub async fn for_plan(self, plan: &Plan) -> Self {
        let Some(role) = &plan.hosted_zone_role else { return self };
        // "The role session name is visible to, and can be logged by the account that owns the role" (STS, AssumeRole).
        let name = crate::telemetry::function();
        let provider = AssumeRoleProvider::builder(role).configure(&self.config).session_name(name).build().await;
        let zone_config =
            self.config.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        Self { zone_config, ..self }
    }

    /// Reads region, credentials and endpoint as every AWS SDK does.
    pub async fn load() -> Self {
        Self::load_in(None).await
    }

    /// The same, but in this region, if one is given.
    pub async fn load_in(region: Option<String>) -> Self {
        let client = http_client();
        let given = aws_config::defaults(BehaviorVersion::v2026_01_12());
        let given = match region {
            Some(region) => given.region(aws_config::Region::new(region)),
            None => given,
        };
        let config = given
            .timeout_config(limits(CALL_SECONDS_MAX))
            .retry_config(retries(ATTEMPTS_MAX))
            .http_client(client.clone())
            .load()
            .await;
        // By default all calls of a process share a quota of retries, and every success gives back but one. A trouble of
        // some minutes spends it, and then a warm function does not retry for hours: each throttled call ends an invocation.
        // What bounds retries here are the limits above.
        let retries = RetryPartition::custom("holdfast").token_bucket(TokenBucket::unlimited()).build();
        let zone_config = config.clone();
        Self { config, zone_config, clock: AwsClock::default(), retries, route53_client: paced(client) }
    }

    /// The shared configuration, for clients.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The time limits of clients with [`GrowingAttempts`].
    #[must_use]
    pub fn limits_of_looks(&self) -> TimeoutConfig {
        limits(LOOK_SECONDS_MAX)
    }

    /// The configuration for clients that read and write hosted zones.
    #[must_use]
    pub fn zone_config(&self) -> &SdkConfig {
        &self.zone_config
    }

    /// For clients: the quota that retries are taken from.
    #[must_use]
    pub fn retries(&self) -> RetryPartition {
        self.retries.clone()
    }

    /// What keeps all of this session's requests to Route 53 within the rate that it takes.
    #[must_use]
    pub fn route53_client(&self) -> SharedHttpClient {
        self.route53_client.clone()
    }

    /// AWS's time as heard by this session's clients.
    #[must_use]
    pub fn clock(&self) -> &AwsClock {
        &self.clock
    }
}

#[cfg(test)]
impl Session {
    /// A session with a server of the test's own.
    pub(crate) fn with_server(address: std::net::SocketAddr) -> Self {
        let keys = aws_credential_types::Credentials::new("AKID", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(http_client())
            .build();
        let retries = RetryPartition::custom("test").build();
        let zone_config = config.clone();
        Self { config, zone_config, clock: AwsClock::default(), retries, route53_client: paced(http_client()) }
    }
}

/// The SDK's default, made once: by default each client makes its own, parses the roots of trust for itself and shakes hands
/// for itself, even a second time with the same service.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

#[cfg(test)]
#[cfg(feature = "route53")]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_route53::config::{Credentials, Region};
    use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

    use super::*;

    /// Takes every request and answers none.
    #[derive(Debug)]
    struct Silent;

    impl HttpConnector for Silent {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    /// Keeps what it was asked to wait for, in seconds, and waits for nothing but the end of the call.
    #[derive(Clone, Debug, Default)]
    struct Waits(Arc<Mutex<Vec<f64>>>);

    impl AsyncSleep for Waits {
        fn sleep(&self, duration: Duration) -> Sleep {
            self.0.lock().unwrap().push(duration.as_secs_f64());
            let is_end = duration.as_secs() == LOOK_SECONDS_MAX;
            if is_end { Sleep::new(std::future::pending()) } else { Sleep::new(std::future::ready(())) }
        }
    }

    #[tokio::test]
    async fn a_look_waits_longer_each_time_and_for_half_a_minute_in_all() {
        let waits = Waits::default();
        let config = aws_sdk_route53::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .sleep_impl(waits.clone())
            .http_client(http_client_fn(|_, _| SharedHttpConnector::new(Silent)))
            .retry_config(retries(ATTEMPTS_MAX))
            .timeout_config(limits(LOOK_SECONDS_MAX))
            .interceptor(GrowingAttempts);
        let client = aws_sdk_route53::Client::from_conf(config.build());
        client.list_resource_record_sets().hosted_zone_id("Z1").send().await.unwrap_err();
        let waits = waits.0.lock().unwrap();
        // Shorter are the pauses between attempts; longer than a whole look are the client's timers for other things.
        #[expect(clippy::cast_precision_loss, reason = "half a minute")]
        let is_attempt = |seconds: &&f64| (BACKOFF_MAX.as_secs_f64()..=LOOK_SECONDS_MAX as f64).contains(*seconds);
        let attempts: Vec<_> = waits.iter().filter(is_attempt).copied().collect();
        assert_eq!(attempts[..5], [30.0, 4.0, 8.0, 16.0, 16.0], "{waits:?}");
    }

    /// Answers every request alike, and counts them.
    #[derive(Clone, Debug)]
    struct Answers {
        status: u16,
        code: &'static str,
        requests: Arc<Mutex<u32>>,
    }

    impl HttpConnector for Answers {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            *self.requests.lock().unwrap() += 1;
            let body = format!("<ErrorResponse><Error><Code>{}</Code></Error></ErrorResponse>", self.code);
            HttpConnectorFuture::ready(Ok(HttpResponse::new(self.status.try_into().unwrap(), body.into())))
        }
    }

    #[tokio::test]
    async fn what_is_throttled_is_asked_again_for_as_long_as_there_is_time_and_what_fails_eight_times() {
        let (patiently, for_pins) = (WaitsOutThrottling::Patiently, WaitsOutThrottling::ForPins);
        for (status, code, insistence, attempts) in [
            (400, "Throttling", patiently, PATIENT_ATTEMPTS_MAX),
            (400, "Throttling", for_pins, PIN_ATTEMPTS_MAX),
            (503, "ServiceUnavailable", for_pins, ATTEMPTS_MAX),
            (400, "InvalidInput", for_pins, 1),
        ] {
            let answers = Answers { status, code, requests: Arc::default() };
            let connector = answers.clone();
            let config = aws_sdk_route53::Config::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("id", "key", None, None, "test"))
                .sleep_impl(Waits::default())
                .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone())))
                .retry_config(retries(ATTEMPTS_MAX))
                .retry_partition(RetryPartition::custom("all").token_bucket(TokenBucket::unlimited()).build())
                .timeout_config(limits(LOOK_SECONDS_MAX))
                .interceptor(insistence);
            let client = aws_sdk_route53::Client::from_conf(config.build());
            // Tokio would have such a busy task pause, and here whatever pauses is timed out.
            let asked = tokio::task::unconstrained(client.list_resource_record_sets().hosted_zone_id("Z1").send());
            asked.await.unwrap_err();
            assert_eq!(*answers.requests.lock().unwrap(), attempts, "{status} {code}");
        }
    }
}
