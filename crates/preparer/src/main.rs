//! The Lambda: observe, decide, act, return. Whatever wakes it says no more than "look now".

use aws::beside::Beside;
use aws::{Session, cloudwatch, route53, start, steps, store};
use failover::step::{STEPS_VARIABLE, Steps};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use preparer::handler::Calls;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let wanted = Steps::parse(&std::env::var(STEPS_VARIABLE).unwrap_or_default());
    let wanted = start::needed("StepsRefused", wanted).await?;
    let session = Session::load().await.for_plan(&plan).await;
    let calls = Calls {
        records: route53::Reader::new(&session),
        alarms: cloudwatch::Reader::new(&session),
        beside: Beside::new(store::Reader::new(&session)),
        looks: steps::Reader::new(&session),
        acts: steps::Writer::new(&session),
    };
    let (plan, wanted, calls) = (&plan, &wanted, &calls);
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        // Boxed, since the SDK's futures nest deeper than the compiler lays out in one piece.
        Ok::<_, Diagnostic>(Box::pin(calls.handle(plan, wanted)).await)
    }))
    .await
}
