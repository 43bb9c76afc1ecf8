//! Buckets as a web site sees them.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{DR, PRIMARY, lab, request};
use lab::Lab;
use lab::s3::Bucket;

/// Waits, for an hour of lab time, until a bucket has an object of that content.
async fn arrived(lab: &Lab, bucket: &Bucket, content: &'static str) {
    let wanted = BTreeMap::from([("logo.svg".to_owned(), content.into())]);
    for _ in 0..3600 {
        if bucket.objects() == wanted {
            return;
        }
        lab.clock.sleep(Duration::from_secs(1)).await;
    }
    panic!("it has {:?}", bucket.objects());
}

#[tokio::test]
async fn an_object_is_replicated_after_its_delay_not_while_a_region_is_down_and_never_back() {
    let lab = lab(1000.0).await;
    let (primary, at_primary) = Bucket::open(&lab, PRIMARY).await.unwrap();
    let (dr, at_dr) = Bucket::open(&lab, DR).await.unwrap();
    primary.replicate_to(&dr, Duration::from_secs(60));
    dr.replicate_to(&primary, Duration::from_secs(60));
    let working = lab.clock.working();
    assert_eq!(request(at_primary, "PUT", "/logo.svg", "first").await.0, "HTTP/1.1 200 OK");
    assert_eq!(request(at_primary, "GET", "/logo.svg", "").await.1, "first");
    assert_eq!(request(at_dr, "GET", "/logo.svg", "").await.0, "HTTP/1.1 404 Not Found");
    drop(working);
    arrived(&lab, &dr, "first").await;
    assert_eq!(request(at_dr, "GET", "/logo.svg", "").await.1, "first");

    lab.faults.fail_region(PRIMARY);
    assert_eq!(request(at_primary, "GET", "/logo.svg", "").await.0, "", "nobody answers");
    request(at_dr, "PUT", "/logo.svg", "second").await;
    lab.clock.sleep(Duration::from_secs(3600)).await;
    assert_eq!(primary.objects(), BTreeMap::from([("logo.svg".to_owned(), "first".into())]));
    lab.faults.heal_region(PRIMARY);
    arrived(&lab, &primary, "second").await;
    assert_eq!(primary.objects(), dr.objects());
    let read: Vec<_> = dr.reads().into_iter().map(|(_, key)| key).collect();
    assert_eq!(read, ["logo.svg"], "what was not there was not read");
}

#[tokio::test]
async fn of_two_versions_the_later_one_stays_though_the_other_arrives_after_it() {
    let lab = lab(1000.0).await;
    let (primary, at_primary) = Bucket::open(&lab, PRIMARY).await.unwrap();
    let (dr, at_dr) = Bucket::open(&lab, DR).await.unwrap();
    primary.replicate_to(&dr, Duration::from_secs(600));
    request(at_primary, "PUT", "/logo.svg", "earlier").await;
    lab.clock.sleep(Duration::from_secs(60)).await;
    request(at_dr, "PUT", "/logo.svg", "later").await;
    lab.clock.sleep(Duration::from_secs(1200)).await;
    assert_eq!(dr.objects(), BTreeMap::from([("logo.svg".to_owned(), "later".into())]));
}
