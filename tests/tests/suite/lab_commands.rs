//! `cargo lab`: a lab that runs by itself, and what people do to it.

#![expect(clippy::expect_used, reason = "what a test needs and does not get fails it")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// A lab that ends with the test.
struct Serving {
    lab: PathBuf,
    process: Child,
    endpoint: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Already over is over.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn lab() -> PathBuf {
    drill::lambdas::build().expect("all builds").join("lab")
}

fn serve() -> Serving {
    let lab = lab();
    let mut process = Command::new(&lab)
        .args(["serve", "--empty", "--port", "0", "--dns-port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the lab starts");
    let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let endpoint =
        lines.find_map(|line| Some(line.strip_prefix("export AWS_ENDPOINT_URL='")?.trim_end_matches('\'').to_owned()));
    let dns = lines.find(|line| line.starts_with("# DNS: 127.0.0.1:"));
    assert!(dns.is_some(), "the lab says where its DNS is");
    Serving { lab, process, endpoint: endpoint.expect("the lab says where it answers") }
}

fn run(lab: &PathBuf, endpoint: &str, arguments: &[&str]) -> Output {
    Command::new(lab).args(["--endpoint", endpoint]).args(arguments).output().expect("the command starts")
}

impl Serving {
    fn told(&self, arguments: &[&str]) -> String {
        let output = run(&self.lab, &self.endpoint, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn a_running_lab_is_broken_and_mended_by_name() {
    let serving = serve();
    assert!(serving.told(&["status"]).contains("all is whole"));
    for (arguments, broken) in [
        (&["fail", "primary"][..], "eu-west-1 is down"),
        (&["fail", "route53"], "route53"),
        (&["partition", "dr", "detector"], "us-east-1"),
        (&["slow", "rds", "2.5"], "rds"),
        (&["throttle", "cloudwatch"], "monitoring"),
    ] {
        let told = serving.told(arguments);
        assert!(told.contains(broken), "{arguments:?}: {told}");
    }
    let told = serving.told(&["status"]);
    for broken in ["eu-west-1 is down", "route53", "rds", "monitoring"] {
        assert!(told.contains(broken), "{told}");
    }
    assert!(serving.told(&["heal"]).contains("all is whole"));
}

#[test]
fn a_lab_starts_the_functions_of_a_folder_and_says_what_is_not_in_it() {
    let empty = env!("CARGO_TARGET_TMPDIR");
    let serve = ["serve", "--port", "0", "--dns-port", "0", "--functions", empty];
    let output = Command::new(lab()).args(serve).output().expect("the lab starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(empty) && said.contains("has no alarm-handler"), "{said}");
}

#[test]
fn what_a_lab_does_not_have_and_a_lab_that_is_not_there_are_said() {
    let serving = serve();
    for (unknown, told) in [
        (&["fail", "s3"][..], "there is no region s3"),
        (&["partition", "primary", "eu-wset-1"], "there is no region eu-wset-1"),
        (&["link", "eu-wset-1", "dr", "--silent"], "there is no region eu-wset-1"),
        (&["partition", "dr", "eu-central-1"], "eu-central-1 is one region"),
    ] {
        let unknown = run(&serving.lab, &serving.endpoint, unknown);
        let said = String::from_utf8_lossy(&unknown.stderr);
        assert_eq!(unknown.status.code(), Some(2));
        assert!(said.contains(told), "{said}");
        assert!(said.contains("primary (eu-west-1), dr (eu-central-1)") && said.contains("route53"), "{said}");
    }
    assert!(serving.told(&["status"]).contains("all is whole"), "what is refused breaks nothing");
    assert!(
        serving.told(&["fail", "ap-south-1"]).contains("ap-south-1 is down"),
        "a lab has whichever region is spoken to"
    );
    let (lab, endpoint) = (serving.lab.clone(), serving.endpoint.clone());
    drop(serving);
    let nobody = run(&lab, &endpoint, &["status"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("cargo lab serve"));
}
