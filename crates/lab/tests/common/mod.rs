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

/// The region things run in.
pub const DR: &str = "us-west-2";
/// The region things fail in.
pub const PRIMARY: &str = "us-east-1";

/// A lab that runs a thousand times faster than real time.
pub async fn lab() -> Arc<Lab> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start = "2026-01-01T12:00:00Z".parse().unwrap();
    Lab::start(&Options { start, speed: 1000.0, endpoint: any, dns: any }).await.unwrap()
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
    if let Some(found) = lab.journal.entries().iter().find_map(&pick) {
        return found;
    }
    let search = async {
        loop {
            if let Some(found) = pick(&new.recv().await.unwrap()) {
                return found;
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(20), search).await {
        Ok(found) => found,
        Err(_) => panic!("not in the journal: {:#?}", lab.journal.entries()),
    }
}

/// How many journal entries `pick` takes.
pub fn count(lab: &Lab, pick: impl Fn(&What) -> bool) -> usize {
    lab.journal.entries().iter().filter(|entry| pick(&entry.what)).count()
}
