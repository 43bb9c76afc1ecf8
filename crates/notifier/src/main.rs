//! The Lambda: parse, word, publish.

use aws::sns::Topics;
use aws::{Session, start};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use notifier::event;
use notifier::handler::{self, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let settings = Settings::from_environment(|name| std::env::var(name).ok());
    let settings = start::needed("SettingMissing", settings).await?;
    let session = Session::load().await;
    let topics = Topics::new(&session, settings.topics.clone());
    let (topics, settings) = (&topics, &settings);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        Box::pin(handler::handle(topics, &settings.sender, event::parse(event.payload)?)).await
    }))
    .await
}
