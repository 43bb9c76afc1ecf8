//! A lab for a test, and waiting for what it records.

#![allow(dead_code, reason = "each test program uses its part of this")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lab::journal::{Entry, What};
use lab::{Lab, Options};

pub const START: &str = "2026-01-01T12:00:00Z";

/// A lab that runs `speed` times as fast as real time.
pub async fn lab(speed: f64) -> Arc<Lab> {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    Lab::start(&Options { start: START.parse().unwrap(), speed, endpoint: any, dns: any }).await.unwrap()
}

/// The first entry, past or to come, that `wanted` accepts; fails if there is none within a real minute.
pub async fn entry(lab: &Lab, wanted: impl Fn(&What) -> bool) -> Entry {
    let mut news = lab.journal.follow();
    if let Some(entry) = lab.journal.entries().into_iter().find(|entry| wanted(&entry.what)) {
        return entry;
    }
    let next = async {
        loop {
            let entry = news.recv().await.unwrap();
            if wanted(&entry.what) {
                return entry;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), next).await.expect("the lab did not record it in time")
}

pub fn route53(lab: &Lab) -> aws_sdk_route53::Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_route53::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_route53::config::Credentials::new("tester", "secret", None, None, "test"))
        .retry_config(aws_sdk_route53::config::retry::RetryConfig::disabled())
        .endpoint_url(lab.endpoint_url())
        .build();
    aws_sdk_route53::Client::from_conf(config)
}

pub fn cloudwatch(lab: &Lab, region: &'static str) -> aws_sdk_cloudwatch::Client {
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_cloudwatch::config::Region::new(region))
        .credentials_provider(aws_sdk_cloudwatch::config::Credentials::new("tester", "secret", None, None, "test"))
        .retry_config(aws_sdk_cloudwatch::config::retry::RetryConfig::disabled())
        .endpoint_url(lab.endpoint_url())
        .build();
    aws_sdk_cloudwatch::Client::from_conf(config)
}
