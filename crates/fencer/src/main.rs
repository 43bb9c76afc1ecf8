//! The Lambda: observe, decide, act, return. Whatever wakes it says no more than "look now".

use aws::{Session, rds, route53, start};
use fencer::handler::Calls;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let session = Session::load().await.for_plan(&plan).await;
    let primary = plan.fence.as_ref().map_or_else(|| session.clone(), |fence| session.in_region(&fence.region));
    let calls = Calls {
        records: route53::Reader::new(&session),
        writers: rds::Reader::new(&primary),
        fence: rds::Writer::new(&primary),
    };
    let (plan, calls) = (&plan, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        // Boxed, since the SDK's futures nest deeper than the compiler lays out in one piece.
        Ok::<_, Diagnostic>(Box::pin(calls.handle(plan)).await)
    }))
    .await
}
