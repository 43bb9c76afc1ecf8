//! A load balancer as its clients see it.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use common::{PRIMARY, lab, request};
use lab::Lab;
use lab::elb::listener::{self, Balancer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

async fn open(lab: &Arc<Lab>, target: SocketAddr) -> SocketAddr {
    let (client_keep_alive, idle_timeout) = (Duration::from_secs(60), Duration::from_secs(1));
    let balancer = Balancer { region: PRIMARY.to_owned(), target, client_keep_alive, idle_timeout };
    listener::open(lab, balancer, ANY).await.unwrap()
}

async fn application() -> SocketAddr {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let pages = Router::new().route("/page", get(|| async { "a page" }));
    tokio::spawn(async move { axum::serve(listener, pages).await });
    address
}

/// Asks on a connection that is kept: the head of the answer, in lower case; empty if the connection is closed.
async fn ask(kept: &mut BufReader<TcpStream>) -> String {
    let _ = kept.write_all(b"GET /page HTTP/1.1\r\nhost: site\r\n\r\n").await;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && kept.read_line(&mut head).await.is_ok_and(|length| length > 0) {}
    let mut body = vec![0; if head.is_empty() { 0 } else { "a page".len() }];
    let _ = kept.read_exact(&mut body).await;
    head.to_lowercase()
}

#[tokio::test]
async fn a_connection_is_kept_for_the_keep_alive_and_then_the_answer_says_that_it_is_the_last() {
    let lab = lab(1000.0).await;
    let at = open(&lab, application().await).await;
    let mut kept = BufReader::new(TcpStream::connect(at).await.unwrap());
    for _ in 0..2 {
        let head = ask(&mut kept).await;
        assert!(head.starts_with("http/1.1 200") && !head.contains("connection: close"), "{head}");
    }
    lab.clock.sleep(Duration::from_secs(61)).await;
    let head = ask(&mut kept).await;
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    assert_eq!(ask(&mut kept).await, "", "it is closed");
}

#[tokio::test]
async fn what_the_target_does_not_answer_the_load_balancer_does() {
    let lab = lab(1000.0).await;
    let silent = TcpListener::bind(ANY).await.unwrap();
    let (silent_at, closed_at) =
        (silent.local_addr().unwrap(), TcpListener::bind(ANY).await.unwrap().local_addr().unwrap());
    let closed = open(&lab, closed_at).await;
    assert_eq!(request(closed, "GET", "/page", "").await.0, "HTTP/1.1 502 Bad Gateway");
    let hanging = open(&lab, silent_at).await;
    assert_eq!(request(hanging, "GET", "/page", "").await.0, "HTTP/1.1 504 Gateway Timeout");
    let at = open(&lab, application().await).await;
    lab.sites.fail_page(PRIMARY, "/page");
    assert_eq!(request(at, "GET", "/page", "").await.0, "HTTP/1.1 503 Service Unavailable");
    lab.sites.mend_page(PRIMARY, "/page");
    assert_eq!(request(at, "GET", "/page", "").await, ("HTTP/1.1 200 OK".to_owned(), "a page".to_owned()));
}

#[tokio::test]
async fn a_region_that_goes_down_ends_kept_connections_and_answers_no_new_ones() {
    let lab = lab(1000.0).await;
    let at = open(&lab, application().await).await;
    let mut kept = BufReader::new(TcpStream::connect(at).await.unwrap());
    assert!(ask(&mut kept).await.starts_with("http/1.1 200"));
    lab.faults.fail_region(PRIMARY);
    assert_eq!(ask(&mut kept).await, "");
    assert_eq!(request(at, "GET", "/page", "").await.0, "");
}
