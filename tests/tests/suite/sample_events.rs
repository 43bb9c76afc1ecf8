//! Every sample in `events/` through the function it is for: the real binary, deployed from the templates into the lab.
#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use drill::lambdas;
use drill::stage::{DR, Layout, Settings, Stage};
use failover::register::Register;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

const ARMED_WITHIN: Duration = Duration::from_secs(45 * 60);

/// What a sample must come to: one of the two. Only the members that are named are compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    function: String,
    returns: Option<Map<String, Value>>,
    fails: Option<Map<String, Value>>,
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every sample by name, with what it must come to.
fn samples() -> BTreeMap<String, (Value, Expected)> {
    let folder = lambdas::repository().join("events");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = files.filter_map(|file| file.strip_suffix(".json").map(str::to_owned)).collect();
    let stories = names.iter().map(|name| name.strip_suffix(".expected").unwrap_or(name));
    let sample =
        |name: &str| (read(&folder.join(format!("{name}.json"))), read(&folder.join(format!("{name}.expected.json"))));
    stories.map(|name| (name.to_owned(), sample(name))).collect()
}

/// Invokes a deployed function and waits: whether it failed, and its response.
async fn invoke(stage: &Stage, function: &str, event: &Value) -> (bool, Value) {
    let url = format!("{}/2015-03-31/functions/holdfast-{function}/invocations", stage.lab.endpoint_url());
    // The lab reads region and service from the signature, and checks no more of it.
    let authorization = format!("AWS4-HMAC-SHA256 Credential=operator/20260105/{DR}/lambda/aws4_request");
    let request = reqwest::Client::new().post(url).header("authorization", authorization).body(event.to_string());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{function} cannot be invoked");
    let failed = response.headers().contains_key("x-amz-function-error");
    (failed, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

#[test]
fn every_sample_event_stands_in_the_table() {
    let readme = fs::read_to_string(lambdas::repository().join("events/README.md")).unwrap();
    let untold: Vec<_> = samples().into_keys().filter(|name| !readme.contains(&format!("| `{name}` |"))).collect();
    assert!(untold.is_empty(), "events/README.md does not tell of {untold:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_event_comes_to_what_stands_beside_it() {
    let samples = samples();
    let functions: BTreeSet<_> = samples.values().map(|(_, expected)| expected.function.as_str()).collect();
    assert_eq!(functions.len(), 3, "every function has samples: {functions:?}");

    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.unwrap().unwrap();
    let stage = Stage::set(Settings { seed: 1, speed: 600.0 }, &Layout::default(), &lambdas).await.unwrap();
    let armed = |stage: &Stage| stage.all_registers(|register| matches!(register, Register::Armed { .. }));
    assert!(stage.until(ARMED_WITHIN, armed).await, "the names are not armed: {:?}", stage.registers());

    for (name, (event, expected)) in &samples {
        let (failed, response) = invoke(&stage, &expected.function, event).await;
        let (must_fail, members) = match (&expected.returns, &expected.fails) {
            (Some(members), None) => (false, members),
            (None, Some(members)) => (true, members),
            _ => panic!("{name}: it either returns or fails"),
        };
        assert!(!members.is_empty(), "{name}: the expectation says nothing");
        assert_eq!(failed, must_fail, "{name}: {response}");
        for (member, wanted) in members {
            assert_eq!(response.get(member), Some(wanted), "{name}: {member} in {response}");
        }
    }
    // No sample leaves anything behind, so that each can be tried by itself and in any order.
    assert!(armed(&stage), "a sample changed a register: {:?}", stage.registers());
}
