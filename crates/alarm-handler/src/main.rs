//! The Lambda: parse, observe, decide, act, return.

use alarm_handler::event;
use alarm_handler::handler::Calls;
use aws::beside::Beside;
use aws::probe::HttpProber;
use aws::{Session, cloudwatch, route53, start, store};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    start::begin();
    let plan = start::plan().await?;
    let session = Session::load().await.for_plan(&plan).await;
    let calls = Calls {
        reader: route53::Reader::for_pins(&session),
        writer: route53::Writer::new(&session),
        alarms: cloudwatch::Reader::new(&session),
        prober: HttpProber,
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
