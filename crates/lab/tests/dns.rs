//! The data plane as a resolver sees it, and the way from an outage to another answer.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover,
    RrType,
};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use lab::Lab;
use lab::cloudwatch::{Alarm, ComparisonOperator, Dimension, Statistic, TreatMissingData};
use lab::fault::Ailment;
use lab::health::{AlarmIdentifier, CheckType, HealthCheckConfig, InsufficientData};
use lab::journal::{Entry, What};
use lab::site::Sites;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

fn query(name: &str, kind: RecordType, udp_bytes: Option<u16>) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    if let Some(bytes) = udp_bytes {
        let mut edns = Edns::new();
        edns.set_max_payload(bytes);
        message.edns = Some(edns);
    }
    message.to_vec().unwrap()
}

async fn over_udp(lab: &Lab, query: &[u8]) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(query, lab.dns).await.unwrap();
    let mut answer = vec![0; 4096];
    let received = tokio::time::timeout(Duration::from_secs(5), socket.recv(&mut answer)).await.unwrap().unwrap();
    Message::from_vec(&answer[..received]).unwrap()
}

async fn over_tcp(lab: &Lab, query: &[u8]) -> Message {
    let mut stream = TcpStream::connect(lab.dns).await.unwrap();
    stream.write_u16(query.len().try_into().unwrap()).await.unwrap();
    stream.write_all(query).await.unwrap();
    let mut answer = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut answer).await.unwrap();
    Message::from_vec(&answer).unwrap()
}

async fn ask(lab: &Lab, name: &str, kind: RecordType) -> Message {
    over_udp(lab, &query(name, kind, None)).await
}

async fn address(lab: &Lab, name: &str) -> Option<Ipv4Addr> {
    let answer = ask(lab, name, RecordType::A).await;
    answer.answers.iter().find_map(|record| match &record.data {
        RData::A(address) => Some(address.0),
        _ => None,
    })
}

fn set(name: &str, kind: RrType, values: &[String]) -> ResourceRecordSet {
    let records = values.iter().map(|value| ResourceRecord::builder().value(value).build().unwrap()).collect();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(60).set_resource_records(Some(records)).build().unwrap()
}

fn half(role: ResourceRecordSetFailover, value: &str, check: Option<&str>) -> ResourceRecordSet {
    let mut set = set("app.example.com", RrType::A, &[value.to_owned()]);
    set.set_identifier = Some(role.as_str().to_lowercase());
    set.failover = Some(role);
    set.health_check_id = check.map(str::to_owned);
    set
}

/// Creates the sets and waits until the name servers have them.
async fn create(lab: &Lab, zone: &str, sets: Vec<ResourceRecordSet>) {
    let changes = sets
        .into_iter()
        .map(|set| Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap());
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap();
    let client = common::route53(lab);
    let made = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
    let id = made.change_info().unwrap().id().trim_start_matches("/change/").to_owned();
    common::entry(lab, |what| matches!(what, What::Change { id: of, status, .. } if *of == id && status == "INSYNC"))
        .await;
}

fn zone(lab: &Lab) -> String {
    lab.route53.create_zone(lab.clock.now(), "example.com").unwrap()
}

#[tokio::test]
async fn each_of_four_name_servers_has_every_zone_and_ails_by_itself() {
    let lab = common::lab(600.0).await;
    zone(&lab);
    assert_eq!((lab.name_servers.len(), lab.name_servers[0]), (4, lab.dns));
    lab.faults.ail_name_servers(&lab.name_servers[1..2], Some(Ailment::Failing));
    lab.faults.ail_name_servers(&lab.name_servers[2..3], Some(Ailment::Silent));
    let asked = query("example.com", RecordType::SOA, None);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut codes = Vec::new();
    for server in &lab.name_servers {
        socket.send_to(&asked, server).await.unwrap();
        let mut answer = vec![0; 4096];
        let heard = tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut answer)).await;
        codes.push(
            heard.ok().map(|length| Message::from_vec(&answer[..length.unwrap()]).unwrap().metadata.response_code),
        );
    }
    assert_eq!(codes, [Some(ResponseCode::NoError), Some(ResponseCode::ServFail), None, Some(ResponseCode::NoError)]);
    assert_eq!(lab.faults.in_force().len(), 2);
    lab.faults.heal_everything();
    assert_eq!(lab.faults.in_force(), [""; 0]);
}

#[tokio::test]
async fn every_type_is_answered_with_authority_its_values_and_its_ttl() {
    let lab = common::lab(600.0).await;
    let zone = zone(&lab);
    let text = |text: &str| vec![text.to_owned()];
    let sets = vec![
        set("a.example.com", RrType::A, &["192.0.2.1".to_owned(), "192.0.2.2".to_owned()]),
        set("a.example.com", RrType::Aaaa, &text("2001:db8::1")),
        set("w.example.com", RrType::Cname, &text("a.example.com")),
        set("_state.a.example.com", RrType::Txt, &text("\"v=1 \\\"x\\\"\" \"y\"")),
        set("example.com", RrType::Mx, &text("10 mail.example.com")),
        set("*.wild.example.com", RrType::A, &text("192.0.2.3")),
    ];
    create(&lab, &zone, sets).await;
    let values = async |name: &str, kind| {
        let answer = ask(&lab, name, kind).await;
        assert!(answer.metadata.authoritative && answer.metadata.response_code == ResponseCode::NoError, "{name}");
        let values = answer.answers.iter().map(|record| format!("{} {}", record.ttl, record.data));
        values.collect::<Vec<_>>()
    };
    assert_eq!(values("A.example.com.", RecordType::A).await, ["60 192.0.2.1", "60 192.0.2.2"]);
    assert_eq!(values("a.example.com.", RecordType::AAAA).await, ["60 2001:db8::1"]);
    assert_eq!(values("w.example.com.", RecordType::A).await[..2], ["60 a.example.com.", "60 192.0.2.1"]);
    assert_eq!(values("any.wild.example.com.", RecordType::A).await, ["60 192.0.2.3"]);
    assert_eq!(values("example.com.", RecordType::MX).await, ["60 10 mail.example.com."]);
    assert_eq!(values("example.com.", RecordType::NS).await.len(), 4);
    assert!(values("example.com.", RecordType::SOA).await[0].starts_with("900 ns-2048.awsdns-64.com. "));
    let answer = ask(&lab, "_state.a.example.com.", RecordType::TXT).await;
    let RData::TXT(txt) = &answer.answers[0].data else { panic!("{answer}") };
    assert_eq!(
        txt.txt_data.iter().map(|string| string.to_vec()).collect::<Vec<_>>(),
        [b"v=1 \"x\"".to_vec(), b"y".to_vec()]
    );
}

#[tokio::test]
async fn no_data_no_name_and_not_our_zone_have_their_codes_and_the_soa() {
    let lab = common::lab(1.0).await;
    zone(&lab);
    for (name, kind, code, authority) in [
        ("example.com.", RecordType::A, ResponseCode::NoError, 1),
        ("example.com.", RecordType::HTTPS, ResponseCode::NoError, 1),
        ("no.example.com.", RecordType::A, ResponseCode::NXDomain, 1),
        ("example.org.", RecordType::A, ResponseCode::Refused, 0),
    ] {
        let answer = ask(&lab, name, kind).await;
        assert_eq!((answer.metadata.response_code, answer.authorities.len()), (code, authority), "{name} {kind}");
        assert!(answer.answers.is_empty());
    }
}

#[tokio::test]
async fn an_answer_too_long_for_udp_is_cut_short_and_whole_over_tcp() {
    let lab = common::lab(600.0).await;
    let zone = zone(&lab);
    let many: Vec<_> = (0..90).map(|n| format!("192.0.2.{n}")).collect();
    create(&lab, &zone, vec![set("many.example.com", RrType::A, &many)]).await;
    let plain = query("many.example.com.", RecordType::A, None);
    let cut = over_udp(&lab, &plain).await;
    assert!(cut.metadata.truncation && cut.answers.len() < 90);
    let whole = over_tcp(&lab, &plain).await;
    assert!(!whole.metadata.truncation);
    assert_eq!(whole.answers.len(), 90);
}

/// A site that answers every request with 200 until it is dropped.
async fn site() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    (address, serving)
}

fn alarm_on(check: &str, name: &str, minutes: u32) -> Alarm {
    Alarm {
        alarm_name: name.to_owned(),
        alarm_description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        metric_name: "HealthCheckStatus".to_owned(),
        namespace: "AWS/Route53".to_owned(),
        statistic: Statistic::Minimum,
        dimensions: vec![Dimension { name: "HealthCheckId".to_owned(), value: check.to_owned() }],
        period: 60,
        unit: None,
        evaluation_periods: minutes,
        datapoints_to_alarm: None,
        threshold: 1.0,
        comparison_operator: ComparisonOperator::LessThanThreshold,
        treat_missing_data: Some(TreatMissingData::Missing),
        warm_up_configuration: None,
        evaluation_window: None,
    }
}

/// The detector: an endpoint check, a prolonged-outage alarm on it, a check on that alarm's metric, and an alarm on that.
fn detector(lab: &Lab, site: SocketAddr, minutes: u32) -> (String, String) {
    let endpoint = HealthCheckConfig {
        name: Some("endpoint".to_owned()),
        fully_qualified_domain_name: Some("site.example.com".to_owned()),
        port: Some(site.port()),
        resource_path: Some("/health".to_owned()),
        request_interval: Some(10),
        ..HealthCheckConfig::new(CheckType::Http)
    };
    let endpoint = lab.route53.create_health_check(lab, endpoint).unwrap();
    let now = lab.clock.now();
    lab.cloudwatch.put_alarm("us-east-1", alarm_on(&endpoint, "prolonged-outage", minutes), now).unwrap();
    let on_alarm = HealthCheckConfig {
        name: Some("failover".to_owned()),
        alarm_identifier: Some(AlarmIdentifier { region: "us-east-1".to_owned(), name: "prolonged-outage".to_owned() }),
        insufficient_data_health_status: Some(InsufficientData::LastKnownStatus),
        ..HealthCheckConfig::new(CheckType::CloudwatchMetric)
    };
    let on_alarm = lab.route53.create_health_check(lab, on_alarm).unwrap();
    lab.cloudwatch.put_alarm("us-east-1", alarm_on(&on_alarm, "failover-started", 1), now).unwrap();
    (endpoint, on_alarm)
}

async fn turn(lab: &Lab, of: &str, to: bool) -> Entry {
    common::entry(lab, |what| matches!(what, What::HealthCheck { name, healthy, .. } if name == of && *healthy == to))
        .await
}

async fn raised(lab: &Lab, of: &str) -> Entry {
    common::entry(lab, |what| matches!(what, What::Alarm { name, to, .. } if name == of && to == "ALARM")).await
}

#[tokio::test]
async fn an_outage_turns_the_check_then_the_metric_check_then_dns_and_then_the_alarm_on_it() {
    let lab = common::lab(300.0).await;
    let zone = zone(&lab);
    let (address_of_site, serving) = site().await;
    create(&lab, &zone, vec![set("site.example.com", RrType::A, &["127.0.0.1".to_owned()])]).await;
    let (endpoint, on_alarm) = detector(&lab, address_of_site, 5);
    let pair = vec![
        half(ResourceRecordSetFailover::Primary, "192.0.2.1", Some(&on_alarm)),
        half(ResourceRecordSetFailover::Secondary, "192.0.2.2", None),
    ];
    create(&lab, &zone, pair).await;
    lab.clock.sleep(Duration::from_secs(600)).await;
    assert_eq!(lab.route53.healthy(&endpoint), Some(true), "a site that answers is healthy");
    assert_eq!(address(&lab, "app.example.com.").await, Some(Ipv4Addr::new(192, 0, 2, 1)));

    serving.abort();
    let outage = lab.clock.now();
    let site_down = turn(&lab, "endpoint", false).await;
    let failover = turn(&lab, "failover", false).await;
    let started = raised(&lab, "failover-started").await;
    let since = |entry: &Entry| entry.at.duration_since(outage).as_secs();
    // Three failures ten seconds apart; then five whole minutes; then the check's own metric a minute later.
    assert!((20..=45).contains(&since(&site_down)), "{} s", since(&site_down));
    assert!((since(&site_down) + 240..=since(&site_down) + 380).contains(&since(&failover)), "{} s", since(&failover));
    assert!((50..=130).contains(&(since(&started) - since(&failover))), "{} s", since(&started));
    assert_eq!(address(&lab, "app.example.com.").await, Some(Ipv4Addr::new(192, 0, 2, 2)));
}

/// The half of a pair that is an alias to a load balancer, and inherits its health.
fn alias_half(role: ResourceRecordSetFailover, balancer: &str) -> ResourceRecordSet {
    let target = AliasTarget::builder().hosted_zone_id(lab::dns::balancer::ZONE).dns_name(balancer);
    let target = target.evaluate_target_health(true).build().unwrap();
    let mut set = half(role, "192.0.2.1", None);
    (set.ttl, set.resource_records, set.alias_target) = (None, None, Some(target));
    set
}

#[tokio::test]
async fn an_alias_that_inherits_health_fails_over_when_its_targets_fail_and_comes_back_by_itself() {
    let lab = common::lab(300.0).await;
    let zone = zone(&lab);
    let [primary, secondary] = ["127.0.10.1", "127.0.20.1"].map(|address| address.parse::<Ipv4Addr>().unwrap());
    for (name, address) in [("p.elb.amazonaws.com", primary), ("s.elb.amazonaws.com", secondary)] {
        let region = if address == primary { common::PRIMARY } else { common::DR };
        let site = Sites::open(&lab, region, SocketAddr::from((address, 0)), (region, "none")).await.unwrap();
        lab::dns::balancer::open(&lab, name, site, "/health").unwrap();
    }
    let pair = vec![
        alias_half(ResourceRecordSetFailover::Primary, "p.elb.amazonaws.com"),
        alias_half(ResourceRecordSetFailover::Secondary, "s.elb.amazonaws.com"),
    ];
    create(&lab, &zone, pair).await;
    assert_eq!(address(&lab, "app.example.com.").await, Some(primary));
    let failed = lab.clock.now();
    lab.sites.fail_page(common::PRIMARY, "/health");
    let down = turn(&lab, "targets of p.elb.amazonaws.com", false).await;
    let after = down.at.duration_since(failed).as_secs();
    assert!((20..=45).contains(&after), "three failures ten seconds apart, not {after} s");
    assert_eq!(address(&lab, "app.example.com.").await, Some(secondary));
    lab.sites.fail_page(common::DR, "/health");
    turn(&lab, "targets of s.elb.amazonaws.com", false).await;
    assert_eq!(address(&lab, "app.example.com.").await, Some(primary), "both unhealthy: the primary answers");
    lab.sites.mend_page(common::DR, "/health");
    turn(&lab, "targets of s.elb.amazonaws.com", true).await;
    assert_eq!(address(&lab, "app.example.com.").await, Some(secondary));
    lab.sites.mend_page(common::PRIMARY, "/health");
    turn(&lab, "targets of p.elb.amazonaws.com", true).await;
    assert_eq!(address(&lab, "app.example.com.").await, Some(primary), "by itself, and at once");
    let listed = common::route53(&lab).list_health_checks().send().await.unwrap();
    assert!(listed.health_checks().is_empty(), "a target group's checks are none of Route 53's");
}

#[tokio::test]
async fn a_state_set_by_hand_raises_the_alarm_but_never_moves_dns() {
    let lab = common::lab(300.0).await;
    let zone = zone(&lab);
    let (address_of_site, _serving) = site().await;
    create(&lab, &zone, vec![set("site.example.com", RrType::A, &["127.0.0.1".to_owned()])]).await;
    let (_, on_alarm) = detector(&lab, address_of_site, 5);
    let request = common::cloudwatch(&lab, "us-east-1").set_alarm_state().alarm_name("prolonged-outage");
    request.state_value("ALARM".into()).state_reason("game day").send().await.unwrap();
    raised(&lab, "prolonged-outage").await;
    lab.clock.sleep(Duration::from_secs(180)).await;
    assert_eq!(lab.route53.healthy(&on_alarm), Some(true));
    assert!(!lab.journal.entries().iter().any(|entry| matches!(&entry.what, What::HealthCheck { .. })));
}

#[tokio::test]
async fn a_black_hole_is_unhealthy_and_does_not_hold_up_the_time_lapse() {
    let lab: Arc<Lab> = common::lab(600.0).await;
    // Connections are taken by the kernel and never answered.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = HealthCheckConfig {
        name: Some("silent".to_owned()),
        ip_address: Some("127.0.0.1".parse().unwrap()),
        port: Some(silent.local_addr().unwrap().port()),
        ..HealthCheckConfig::new(CheckType::Http)
    };
    lab.route53.create_health_check(&lab, config).unwrap();
    let started = tokio::time::Instant::now();
    turn(&lab, "silent", false).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
