//! The responder's stack as it is deployed: what it watches of itself, and how it tells people.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

mod alarms;
mod dashboard;
mod several;
mod told;
mod zone_role;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use drill::lambdas::{self, repository};
use drill::stage::{DR, PRIMARY, Settings, start_lab};
use lab::journal::What;
use lab::template::Binary;
use lab::{Lab, arn, functions, template};

/// Name of the stack.
const STACK: &str = "responder";

/// A stack with a fence and a step, and with these parameters besides. `edit` changes the template's text, as a hand changes a
/// stack; `executable` stands behind every function, or else its own binary.
async fn deployed(given: &[(&str, &str)], edit: impl Fn(String) -> String, executable: Option<&str>) -> Arc<Lab> {
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let lab = start_lab(Settings { seed: 1, speed: 3_600.0 }, 0, 0).await.expect("the lab starts");
    let zone = lab.route53.create_zone(lab.clock.now(), "example.com").expect("the zone is new");
    let usual = [
        ("HostedZoneId", zone.as_str()),
        ("RecordNames", "app.example.com"),
        ("OperatorEmail", "a@example.com"),
        ("FenceRegion", PRIMARY),
        ("FenceSecurityGroupId", "sg-1"),
        ("FenceRdsInstances", "orders"),
        ("After", "arn:aws:events:eu-central-1:123456789012:rule/nightly=on"),
        ("StepResources", "arn:aws:events:eu-central-1:123456789012:rule/nightly"),
    ];
    let parameters = usual.iter().chain(given).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let yaml = std::fs::read_to_string(repository().join("template.yaml")).expect("the template is there");
    let code = |binary: &Binary| executable.map_or_else(|| lambdas.join(&binary.name), PathBuf::from);
    template::deploy(&lab, DR, STACK, &edit(yaml), &parameters.collect(), &code).expect("it deploys");
    lab
}

/// Invokes a function asynchronously.
fn invoke(lab: &Arc<Lab>, function: &str, event: serde_json::Value) {
    functions::invoke_async(lab, &arn::arn("lambda", DR, &format!("function:holdfast-{function}")), event);
}

/// Waits until the journal has something.
async fn until<T>(lab: &Lab, what: &str, found: impl Fn(&What) -> Option<T>) -> T {
    for _ in 0..60 {
        if let Some(found) = lab.journal.entries().iter().find_map(|entry| found(&entry.what)) {
            return found;
        }
        lab.clock.sleep(Duration::from_secs(30)).await;
    }
    panic!("half an hour went by without {what}");
}
