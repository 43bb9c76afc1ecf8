//! The Lambda: look, publish, return what is news. Whatever wakes it says no more than "look now".

use aws::{Session, route53, standby, start};
use failover::standby::wanted::{READINESS_VARIABLE, Wanted};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use readiness::handler::Calls;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let wanted = Wanted::parse(&std::env::var(READINESS_VARIABLE).unwrap_or_default());
    let wanted = start::needed("ReadinessRefused", wanted).await?;
    let session = Session::load().await.for_plan(&plan).await;
    let calls = Calls { records: route53::Reader::new(&session), standby: standby::Reader::new(&session) };
    let (plan, wanted, calls) = (&plan, &wanted, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        // Boxed, since the SDK's futures nest deeper than the compiler lays out in one piece.
        Box::pin(calls.handle(plan, wanted)).await.map_err(Diagnostic::from)
    }))
    .await
}
