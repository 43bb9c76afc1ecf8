//! The Lambda: parse, word, publish.

use aws::sns::Topics;
use aws::{Session, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use notifier::event;
use notifier::handler::{self, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let settings = Settings::from_environment(|name| std::env::var(name).ok())?;
    let session = Session::load().await;
    let topics = Topics::new(&session, settings.topics.clone());
    let (topics, settings) = (&topics, &settings);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        Box::pin(handler::handle(topics, &settings.bus, event::parse(event.payload)?)).await
    }))
    .await
}
