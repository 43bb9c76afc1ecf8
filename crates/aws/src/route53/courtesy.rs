//! Calls that can wait, while others' pins cannot.

use aws_config::SdkConfig;
use aws_sdk_route53::Client;
use aws_sdk_route53::config::Builder;

use crate::error::CallError;
use crate::session::Session;

/// Makes calls that give way where the account is refused for its rate, for a while; then they are as urgent as any.
#[derive(Clone, Debug)]
pub(super) struct Courtesy {
    yielding: Client,
    insisting: Client,
    session: Session,
}

impl Courtesy {
    /// Of a client that is built so.
    pub fn new(session: &Session, builder: &Builder) -> Self {
        // Of two of a kind the last decides.
        let yielding = builder.clone().interceptor(session.yields());
        Self {
            yielding: Client::from_conf(yielding.build()),
            insisting: Client::from_conf(builder.clone().build()),
            session: session.clone(),
        }
    }

    /// Makes a call.
    pub async fn call<T>(&self, call: impl AsyncFn(&Client) -> Result<T, CallError>) -> Result<T, CallError> {
        self.session.gives_way().await;
        loop {
            match call(&self.yielding).await {
                Err(error) if !error.is_for_the_rate() => return Err(error),
                Err(_) if self.session.gives_way().await => {}
                Err(_) => return call(&self.insisting).await,
                answered => return answered,
            }
        }
    }

    /// The client of whoever cannot wait.
    pub fn insisting(&self) -> &Client {
        &self.insisting
    }
}

/// A client's settings, which all of ours have.
pub(super) fn builder(session: &Session, config: &SdkConfig) -> Builder {
    Builder::from(config)
        .http_client(session.route53_client())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone())
        .interceptor(session.insists())
}
