//! Sites as their clients see them.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use common::{DR, PRIMARY, lab, request};
use lab::site::Sites;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_site_writes_to_its_database_and_says_so_when_that_is_read_only() {
    let lab = lab(1000.0).await;
    lab::rds::create_cluster(&lab, PRIMARY, "app", None, &["app-1"]).unwrap();
    lab::rds::create_cluster(&lab, DR, "app-dr", Some((PRIMARY, "app")), &["app-dr-1"]).unwrap();
    let any = SocketAddr::from((Ipv4Addr::new(127, 0, 1, 1), 0));
    let primary = Sites::open(&lab, PRIMARY, any, (PRIMARY, "app")).await.unwrap();
    let dr = Sites::open(&lab, DR, any, (DR, "app-dr")).await.unwrap();
    assert_eq!(request(primary, "GET", "/health", "").await.0, "HTTP/1.1 200 OK");
    assert_eq!(request(primary, "POST", "/write", "w1").await.0, "HTTP/1.1 200 OK");
    let (status, body) = request(dr, "POST", "/write", "w2").await;
    assert_eq!((status.as_str(), body.as_str()), ("HTTP/1.1 503 Service Unavailable", r#"{"error":"read-only"}"#));
    let there: Vec<String> = lab::rds::writes(&lab, PRIMARY, "app").into_iter().map(|write| write.id).collect();
    assert_eq!(there, ["w1"]);
}

#[tokio::test]
async fn while_its_region_is_down_a_site_closes_connections_unanswered() {
    let lab = lab(1000.0).await;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let site = Sites::open(&lab, PRIMARY, any, (PRIMARY, "app")).await.unwrap();
    let mut open = TcpStream::connect(site).await.unwrap();
    lab.faults.fail_region(PRIMARY);
    assert_eq!(request(site, "GET", "/health", "").await.0, "");
    assert_eq!(open.read(&mut [0]).await.unwrap_or(0), 0, "connections from before are cut");
    lab.faults.heal_region(PRIMARY);
    assert_eq!(request(site, "GET", "/health", "").await.0, "HTTP/1.1 200 OK");
    assert!(Sites::open(&lab, PRIMARY, "192.0.2.1:80".parse().unwrap(), (PRIMARY, "app")).await.is_err());
}
