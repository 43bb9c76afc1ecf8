//! What the lab's tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "clippy does not know that this is a part of tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::{Credentials, SharedCredentialsProvider};
use lab::journal::{Entry, What};
use lab::{Lab, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The region things run in.
pub const DR: &str = "us-west-2";
/// The region things fail in.
pub const PRIMARY: &str = "us-east-1";

/// Lab time at the start of every test.
pub const START: &str = "2026-01-01T12:00:00Z";

/// A lab that runs `speed` times as fast as real time.
pub async fn lab(speed: f64) -> Arc<Lab> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Lab::start(&Options { start: START.parse().unwrap(), speed, endpoint: any, dns: any }).await.unwrap()
}

/// What an SDK needs to reach the lab.
pub async fn sdk(lab: &Lab, region: &'static str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .endpoint_url(lab.endpoint_url())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("TESTER", "secret", None, None, "test")))
        .build()
}

/// The example function, which `cargo test -p lab` builds beside the tests.
pub fn echo() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples/echo")
}

/// Waits until the journal has an entry `pick` takes, and returns what it made of it.
pub async fn journaled<T>(lab: &Lab, pick: impl Fn(&Entry) -> Option<T>) -> T {
    let mut new = lab.journal.follow();
    if let Some(found) = lab.journal.entries().iter().find_map(|entry| pick(entry)) {
        return found;
    }
    let search = async {
        loop {
            if let Some(found) = pick(&new.recv().await.unwrap()) {
                return found;
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), search).await {
        Ok(found) => found,
        Err(_) => panic!("not in the journal: {:#?}", lab.journal.entries()),
    }
}

/// The first entry, past or to come, that `wanted` accepts.
pub async fn entry(lab: &Lab, wanted: impl Fn(&What) -> bool) -> Entry {
    journaled(lab, |entry| wanted(&entry.what).then(|| entry.clone())).await
}

/// How many journal entries `pick` takes.
pub fn count(lab: &Lab, pick: impl Fn(&What) -> bool) -> usize {
    lab.journal.entries().iter().filter(|entry| pick(&entry.what)).count()
}

pub fn route53(lab: &Lab) -> aws_sdk_route53::Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(aws_sdk_route53::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_route53::config::Credentials::new("tester", "secret", None, None, "test"))
        .retry_config(aws_sdk_route53::config::retry::RetryConfig::disabled())
        .endpoint_url(lab.endpoint_url())
        .build();
    aws_sdk_route53::Client::from_conf(config)
}

pub fn cloudwatch(lab: &Lab, region: &'static str) -> aws_sdk_cloudwatch::Client {
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(aws_sdk_cloudwatch::config::Region::new(region))
        .credentials_provider(aws_sdk_cloudwatch::config::Credentials::new("tester", "secret", None, None, "test"))
        .retry_config(aws_sdk_cloudwatch::config::retry::RetryConfig::disabled())
        .endpoint_url(lab.endpoint_url())
        .build();
    aws_sdk_cloudwatch::Client::from_conf(config)
}

/// The first line of the answer, empty if the connection was closed unanswered, and the body.
pub async fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: site\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    // Writing or reading may fail once the other side has hung up, which is what the empty answer says.
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.read_to_string(&mut answer).await;
    let status = answer.lines().next().unwrap_or_default().to_owned();
    (status, answer.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned())
}
