//! The Lambda: parse, look, publish. It calls nothing of AWS, so that nothing of AWS need be up but DNS.

use aws::dns::Dns;
use aws::probe::HttpProber;
use aws::start;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use observer::event;
use observer::handler::{Calls, PAUSE, Settings};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let settings = Settings::from_environment(|name| std::env::var(name).ok());
    let settings = start::needed("SettingMissing", settings).await?;
    let calls = Calls { servers: Dns::from_environment(), prober: HttpProber, pause: PAUSE };
    let (plan, settings, calls) = (&plan, &settings, &calls);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let at = event::time(&event.payload)?;
        let judged = calls.handle(plan, settings, at).await;
        Ok::<_, Diagnostic>(json!({"primary": judged.verdict.to_string(), "because": judged.because}))
    }))
    .await
}
