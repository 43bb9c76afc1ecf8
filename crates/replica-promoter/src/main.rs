//! The Lambda: parse, observe, decide, act, return.

use aws::beside::Beside;
use aws::{Session, cloudwatch, rds, route53, start, store};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use replica_promoter::event;
use replica_promoter::handler::Calls;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let session = Session::load().await.for_plan(&plan).await;
    let calls = Calls {
        records: route53::Reader::new(&session),
        registers: route53::Writer::new(&session),
        replicas: rds::Reader::new(&session),
        promoter: rds::Writer::new(&session),
        lag: cloudwatch::Reader::new(&session),
        beside: Beside::new(store::Writer::new(&session)),
    };
    let (plan, calls) = (&plan, &calls);
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        // Boxed, since the SDK's futures nest deeper than the compiler lays out in one piece.
        let outcome = Box::pin(calls.handle(plan, event::parse(event.payload)?)).await;
        let error_type = "ApprovalNotCarriedOut".to_owned();
        outcome.map_err(|error| Diagnostic { error_type, error_message: error.to_string() })
    }))
    .await
}
