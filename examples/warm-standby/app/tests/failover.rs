//! The application in the lab, on real MariaDB servers: what its pool makes of a promotion, an outage and a server that falls silent. Without
//! `mariadbd` these tests say so and are skipped; `.ci/run` sees to it that it is there.
#![allow(clippy::unwrap_used, reason = "clippy does not know that helpers are a part of tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::{Credentials, SharedCredentialsProvider};
use lab::servers::{self, Brand};
use lab::{Lab, Options, rds};
use mysql_async::Opts;
use orders::database::{Database, Error, Health};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const PRIMARY: &str = "eu-west-1";
const DR: &str = "eu-central-1";
const TABLE: &str = include_str!("../../orders.sql");

/// A lab with `shop` and its replica `shop-dr`, and the table in both; `None` where there is no MariaDB.
async fn pair() -> Option<Arc<Lab>> {
    if !Brand::MariaDb.is_installed() {
        eprintln!("SKIPPED: {}", servers::Error::Missing(Brand::MariaDb));
        return None;
    }
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options { start: "2026-01-01T12:00:00Z".parse().unwrap(), speed: 1000.0, endpoint: any, dns: any };
    let lab = Lab::start(&options).await.unwrap();
    rds::use_servers(&lab, Brand::MariaDb).await.unwrap();
    rds::create_instance(&lab, PRIMARY, "shop", None).unwrap();
    rds::create_instance(&lab, DR, "shop-dr", Some((PRIMARY, "shop"))).unwrap();
    rds::settle(&lab).await.unwrap();
    rds::session(&lab, PRIMARY, "shop", &[TABLE]).await.unwrap();
    for _ in 0..600 {
        if rds::rows_of(&lab, DR, "shop-dr", "orders").await.is_ok() {
            return Some(lab);
        }
        lab.clock.sleep(Duration::from_secs(1)).await;
    }
    panic!("the table does not arrive in DR");
}

fn database(at: SocketAddr) -> Database {
    Database::open(Opts::from_url(&format!("mysql://app@{at}/app")).unwrap())
}

/// Opens it at an endpoint of the lab's.
async fn at_endpoint(lab: &Arc<Lab>, region: &str, id: &str) -> Database {
    database(rds::open_endpoint(lab, region, id).await.unwrap())
}

async fn promote(lab: &Lab) {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(DR))
        .endpoint_url(lab.endpoint_url())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("TESTER", "secret", None, None, "test")))
        .build();
    let client = aws_sdk_rds::Client::new(&sdk);
    client.promote_read_replica().db_instance_identifier("shop-dr").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_serves_and_takes_no_orders_until_it_is_promoted_and_then_nobody_tells_the_application() {
    let Some(lab) = pair().await else { return };
    let shop = at_endpoint(&lab, DR, "shop-dr").await;
    assert_eq!(shop.health().await, Health { reads: true, writes: false });
    assert!(matches!(shop.order("too early").await, Err(Error::ReadOnly)));
    promote(&lab).await;
    let mut sent = 0;
    while shop.order("after").await.is_err() {
        sent += 1;
        assert!(sent < 1200, "it never takes orders");
        lab.clock.sleep(Duration::from_secs(1)).await;
    }
    assert!(sent > 10, "promotions take minutes");
    assert_eq!(shop.health().await, Health { reads: true, writes: true });
    shop.order("after").await.unwrap();
    let rows = rds::rows_of(&lab, DR, "shop-dr", "orders").await.unwrap();
    assert_eq!(rows, ["after"], "an order that is sent twice is there once, and a look at the health leaves none");
    rds::close(&lab);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_region_is_down_nothing_is_taken_and_the_first_order_after_it_is() {
    let Some(lab) = pair().await else { return };
    let shop = at_endpoint(&lab, PRIMARY, "shop").await;
    shop.order("before").await.unwrap();
    lab.faults.fail_region(PRIMARY);
    assert!(shop.order("in the outage").await.is_err());
    assert_eq!(shop.health().await, Health { reads: false, writes: false });
    lab.faults.heal_region(PRIMARY);
    shop.order("after").await.unwrap();
    assert_eq!(rds::rows_of(&lab, PRIMARY, "shop", "orders").await.unwrap(), ["before", "after"]);
    rds::close(&lab);
}

/// What an endpoint's name leads to.
struct Way {
    address: SocketAddr,
    /// Where new connections go; those that are there stay.
    leads_to: watch::Sender<SocketAddr>,
    /// Whoever is connected at a change of this hears nothing for ever, as from a host that vanished.
    silence: watch::Sender<()>,
}

impl Way {
    async fn open(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (leads_to, silence) = (watch::channel(to).0, watch::channel(()).0);
        let (to, silenced) = (leads_to.subscribe(), silence.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (to, mut silent) = (*to.borrow(), silenced.subscribe());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(to).await.unwrap();
                    tokio::select! {
                        biased;
                        _ = silent.changed() => std::future::pending().await,
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                    }
                });
            }
        });
        Self { address, leads_to, silence }
    }
}

async fn at_once(shop: &Database, wave: usize, count: usize) -> usize {
    let mut all = tokio::task::JoinSet::new();
    for nth in 0..count {
        let shop = shop.clone();
        all.spawn(async move { shop.order(&format!("{wave}-{nth}")).await.is_ok() });
    }
    all.join_all().await.into_iter().filter(|is_taken| *is_taken).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_vanishes_costs_each_of_its_connections_one_order_and_the_pool_no_place() {
    let Some(lab) = pair().await else { return };
    let way = Way::open(rds::address(&lab, PRIMARY, "shop").unwrap()).await;
    let shop = database(way.address);
    assert_eq!(at_once(&shop, 1, 16).await, 16);
    way.silence.send_replace(());
    let began = Instant::now();
    let taken = at_once(&shop, 2, 16).await;
    let silent_seconds = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let after = at_once(&shop, 3, 16).await;
    let then_seconds = began.elapsed().as_secs_f64();
    println!("{taken} of 16 taken in {silent_seconds:.2} s, then {after} of 16 in {then_seconds:.2} s");
    assert!(taken < 16, "some went over connections that are silent");
    assert!((2.0..3.0).contains(&silent_seconds), "each waits two seconds");
    assert_eq!(after, 16, "every place in the pool leads to the host that is well");
    assert!(then_seconds < 2.0);
    rds::close(&lab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_orders_is_left_and_the_next_one_goes_where_the_name_leads_by_then() {
    let Some(lab) = pair().await else { return };
    let [writer, reader] =
        [(PRIMARY, "shop"), (DR, "shop-dr")].map(|(region, id)| rds::address(&lab, region, id).unwrap());
    let way = Way::open(reader).await;
    let shop = database(way.address);
    assert_eq!(shop.health().await, Health { reads: true, writes: false });
    way.leads_to.send_replace(writer);
    let mut refused = 0;
    while matches!(shop.order("1").await, Err(Error::ReadOnly)) {
        refused += 1;
        assert!(refused <= 2, "the look before left no more connections than that behind");
    }
    assert_eq!(rds::rows_of(&lab, PRIMARY, "shop", "orders").await.unwrap(), ["1"]);
    rds::close(&lab);
}
