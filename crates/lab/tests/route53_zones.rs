//! What real zones hold, what protects them, and what Route 53 refuses of both.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, CidrRoutingConfig, Coordinates, GeoLocation, GeoProximityLocation,
    ResourceRecord, ResourceRecordSet, ResourceRecordSetRegion, RrType,
};
use lab::Lab;
use lab::journal::What;
use lab::route53::{AcceleratedRecovery, ErrorRoot, Guardrail, Kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn set(name: &str, kind: RrType, values: &[&str]) -> ResourceRecordSet {
    let records = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap()).collect();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(60).set_resource_records(Some(records)).build().unwrap()
}

fn alias(name: &str, zone: &str, target: &str) -> ResourceRecordSet {
    let target = AliasTarget::builder().hosted_zone_id(zone).dns_name(target).evaluate_target_health(true);
    ResourceRecordSet::builder().name(name).r#type(RrType::A).alias_target(target.build().unwrap()).build().unwrap()
}

type Edits = Vec<(ChangeAction, ResourceRecordSet)>;

async fn change(lab: &Lab, zone: &str, edits: Edits) -> Result<String, aws_sdk_route53::Error> {
    change_saying(lab, zone, edits, "test").await
}

async fn change_saying(lab: &Lab, zone: &str, edits: Edits, comment: &str) -> Result<String, aws_sdk_route53::Error> {
    // The account's limit is five requests a second.
    lab.clock.sleep(Duration::from_secs(1)).await;
    let changes = edits
        .into_iter()
        .map(|(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap());
    let batch = ChangeBatch::builder().comment(comment).set_changes(Some(changes.collect())).build().unwrap();
    let request = common::route53(lab).change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    Ok(request.send().await?.change_info.unwrap().id.trim_start_matches("/change/").to_owned())
}

async fn in_sync(lab: &Lab, id: &str) {
    common::entry(lab, |what| matches!(what, What::Change { id: of, status, .. } if of == id && status == "INSYNC"))
        .await;
}

fn created(sets: &[ResourceRecordSet]) -> Edits {
    sets.iter().map(|set| (ChangeAction::Create, set.clone())).collect()
}

fn zone(lab: &Lab) -> String {
    lab.route53.create_zone(lab.clock.now(), "example.com").unwrap()
}

/// A call that the SDK lacks: its status and body.
async fn raw(lab: &Lab, method: &str, path: &str, body: &str) -> (u16, String) {
    lab.clock.sleep(Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(lab.endpoint).await.unwrap();
    let request = format!(
        "{method} /2013-04-01/{path} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: {}\r\nAuthorization: \
         AWS4-HMAC-SHA256 Credential=tester/20260101/us-east-1/route53/aws4_request\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

fn protections(request: &str, element: &str, entries: &[(&str, &str, &str)]) -> String {
    let entries: String = entries
        .iter()
        .map(|(name, kind, more)| {
            format!("<{element}><RecordName>{name}</RecordName><RecordType>{kind}</RecordType>{more}</{element}>")
        })
        .collect();
    format!(
        "<{request} xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Protections>{entries}</Protections></{request}>"
    )
}

fn protecting(entries: &[(&str, &str, &str)]) -> String {
    protections("CreateResourceRecordSetProtectionsRequest", "ResourceRecordSetProtectionConfig", entries)
}

fn unprotecting(entries: &[(&str, &str, &str)]) -> String {
    protections("DeleteResourceRecordSetProtectionsRequest", "ResourceRecordSetProtectionKey", entries)
}

#[tokio::test]
async fn every_record_type_is_kept_as_given() {
    let lab = common::lab(600.0).await;
    let zone = zone(&lab);
    let sets = [
        set("t.example.com.", RrType::A, &["192.0.2.1"]),
        set("t.example.com.", RrType::Aaaa, &["2001:db8::1"]),
        set("t.example.com.", RrType::Caa, &["0 issue \"letsencrypt.org\"", "0 iodef \"mailto:a@example.com\""]),
        set("t.example.com.", RrType::Ds, &["12345 3 1 123456789abcdef67890123456789abcdef67890"]),
        set("t.example.com.", RrType::Https, &["1 . alpn=\"h3,h2\" ipv4hint=192.0.2.1"]),
        set("t.example.com.", RrType::Mx, &["10 mail.example.com", "20 mail2.example.com."]),
        set("t.example.com.", RrType::Naptr, &["100 50 \"u\" \"E2U+sip\" \"!^.*$!sip:a@example.com!\" ."]),
        set("t.example.com.", RrType::Ptr, &["host.example.com"]),
        set("t.example.com.", RrType::Spf, &["\"v=spf1 -all\""]),
        set("t.example.com.", RrType::Srv, &["1 10 5269 xmpp.example.com."]),
        set("t.example.com.", RrType::Sshfp, &["1 1 09F6A01D2175742B257C6B98B7C72C44C4040683"]),
        set("t.example.com.", RrType::Svcb, &["16 svc.example.com. port=53"]),
        set(
            "t.example.com.",
            RrType::Tlsa,
            &["3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"],
        ),
        set("t.example.com.", RrType::Txt, &["\"heritage=external-dns,external-dns/owner=default\""]),
        set("sub.example.com.", RrType::Ns, &["ns-1.example.net.", "ns-2.example.net."]),
        set("w.example.com.", RrType::Cname, &["t.example.com"]),
    ];
    let change = change(&lab, &zone, created(&sets)).await.unwrap();
    let listed = common::route53(&lab).list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    for set in &sets {
        assert!(listed.resource_record_sets().contains(set), "{set:?} is not in {listed:?}");
    }
    in_sync(&lab, &change).await;
    for set in sets {
        let name = lab::route53::DnsName::parse(&set.name).unwrap();
        let kind: Kind = set.r#type.as_str().parse().unwrap();
        assert_eq!(lab.route53.resolve(&name, Some(kind)).answers.len(), set.resource_records().len(), "{set:?}");
    }
}

#[tokio::test]
async fn every_routing_is_kept_as_given() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let base = |name: &str, identifier: &str| {
        let mut set = set(name, RrType::A, &["192.0.2.1"]);
        set.set_identifier = Some(identifier.to_owned());
        set
    };
    let mut weighted = base("weight.example.com.", "a");
    weighted.weight = Some(0);
    let mut latency = base("region.example.com.", "a");
    latency.region = Some(ResourceRecordSetRegion::EuCentral1);
    let geo = |identifier: &str, place: GeoLocation| {
        let mut set = base("geo.example.com.", identifier);
        set.geo_location = Some(place);
        set
    };
    let mut near = base("near.example.com.", "a");
    let place = Coordinates::builder().latitude("49.22").longitude("-74.01").build().unwrap();
    near.geo_proximity_location = Some(GeoProximityLocation::builder().coordinates(place).bias(-10).build());
    let mut cidr = base("cidr.example.com.", "a");
    let collection = "c8c02a84-aaaa-bbbb-e0d2-d833a2f80106";
    cidr.cidr_routing_config =
        Some(CidrRoutingConfig::builder().collection_id(collection).location_name("paris").build().unwrap());
    let mut multi = base("multi.example.com.", "a");
    multi.multi_value_answer = Some(true);
    let mut policy = base("policy.example.com.", "a");
    (policy.set_identifier, policy.ttl, policy.resource_records) = (None, None, None);
    policy.traffic_policy_instance_id = Some("c8c02a84-aaaa-bbbb-e0d2-d833a2f80107".to_owned());
    let sets = [
        weighted,
        latency,
        geo("eu", GeoLocation::builder().continent_code("EU").build()),
        geo("us-wa", GeoLocation::builder().country_code("US").subdivision_code("WA").build()),
        geo("rest", GeoLocation::builder().country_code("*").build()),
        near,
        cidr,
        multi,
        policy,
    ];
    change(&lab, &zone, created(&sets)).await.unwrap();
    let listed = common::route53(&lab).list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    for set in &sets {
        assert!(listed.resource_record_sets().contains(set), "{set:?} is not in {listed:?}");
    }
    change(&lab, &zone, sets.map(|set| (ChangeAction::Delete, set)).to_vec()).await.unwrap();
}

#[tokio::test]
async fn places_that_there_are_not_and_comments_that_are_too_long_are_invalid_input() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let mut nowhere = set("a.example.com", RrType::A, &["192.0.2.1"]);
    (nowhere.set_identifier, nowhere.region) = (Some("a".to_owned()), Some("mars-north-1".into()));
    let mut both = set("a.example.com", RrType::A, &["192.0.2.1"]);
    both.set_identifier = Some("a".to_owned());
    both.geo_location = Some(GeoLocation::builder().continent_code("EU").country_code("DE").build());
    let mut routed = set("a.example.com", RrType::Ns, &["ns.example.net"]);
    (routed.set_identifier, routed.weight) = (Some("a".to_owned()), Some(1));
    let cloudfront = alias("a.example.com", "Z2FDTNDATAQYW2", "d111111abcdef8.cloudfront.net");
    for set in [nowhere, both, routed, cloudfront] {
        let refusal = change(&lab, &zone, created(&[set])).await.unwrap_err();
        assert_eq!(refusal.code(), Some("InvalidInput"), "{refusal:?}");
    }
    let good = [set("a.example.com", RrType::A, &["192.0.2.1"])];
    let refusal = change_saying(&lab, &zone, created(&good), &"x".repeat(257)).await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidInput"), "{refusal:?}");
    assert!(change_saying(&lab, &zone, created(&good), &"x".repeat(256)).await.is_ok());
}

#[tokio::test]
async fn what_aws_has_and_the_lab_has_not_is_nobodys_word_but_the_labs() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    for (method, path, body) in [
        ("GET", "hostedzonecount".to_owned(), ""),
        ("GET", format!("hostedzone/{zone}/rrset?colour=red"), ""),
        (
            "POST",
            format!("hostedzone/{zone}/features"),
            "<R><EnablePublicDNSFallback>true</EnablePublicDNSFallback></R>",
        ),
        ("POST", "hostedzone".to_owned(), "<R><Name>a.example</Name><CallerReference>r</CallerReference><VPC/></R>"),
        (
            "POST",
            "hostedzone".to_owned(),
            "<R><Name>a.example</Name><CallerReference>r</CallerReference><HostedZoneConfig><PrivateZone>true</PrivateZone></HostedZoneConfig></R>",
        ),
        (
            "POST",
            "healthcheck".to_owned(),
            "<R><CallerReference>r</CallerReference><HealthCheckConfig><Type>TCP</Type><SearchString>x</SearchString></HealthCheckConfig></R>",
        ),
        (
            "POST",
            "healthcheck".to_owned(),
            "<R><CallerReference>r</CallerReference><HealthCheckConfig><Type>RECOVERY_CONTROL</Type></HealthCheckConfig></R>",
        ),
        (
            "POST",
            "healthcheck".to_owned(),
            "<R><CallerReference>r</CallerReference><HealthCheckConfig><Type>TCP</Type><IPAddress>192.0.2.1</IPAddress><Port>80</Port></HealthCheckConfig></R>",
        ),
    ] {
        let (status, answer) = raw(&lab, method, &path, body).await;
        assert_eq!(status, 501, "{path}: {answer}");
        assert!(answer.contains("<Code>NotImplemented</Code><Message>the lab does not know "), "{path}: {answer}");
    }
}

#[tokio::test]
async fn a_protected_name_refuses_the_whole_batch_and_says_why_until_its_protection_is_lifted() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let path = format!("hostedzone/{zone}/rrsetprotection");
    let comment = "<Comment>ask the platform team</Comment>";
    let entries = [("www.example.com", "A", comment), ("new.example.com", "TXT", "")];
    assert_eq!(raw(&lab, "POST", &path, &protecting(&entries)).await.0, 200);
    let (_, listed) = raw(&lab, "GET", &format!("{path}?maxresults=1"), "").await;
    assert!(listed.contains("<RecordName>new.example.com.</RecordName><RecordType>TXT</RecordType>"), "{listed}");
    let token = listed.split("<NextToken>").nth(1).unwrap().split('<').next().unwrap().replace(' ', "%20");
    let (_, listed) = raw(&lab, "GET", &format!("{path}?nexttoken={token}"), "").await;
    assert!(listed.contains("<Comment>ask the platform team</Comment>") && !listed.contains("NextToken"), "{listed}");

    let batch = || {
        created(&[
            set("free.example.com", RrType::A, &["192.0.2.1"]),
            set("www.example.com", RrType::A, &["192.0.2.1"]),
            set("new.example.com", RrType::Txt, &["\"x\""]),
        ])
    };
    let before = lab.route53.records(&zone);
    let refusal = change(&lab, &zone, batch()).await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidChangeBatch"));
    let message = refusal.message().unwrap();
    assert!(
        message.contains("[name='www.example.com.', type='A']") && message.contains("ask the platform team"),
        "{message}"
    );
    assert!(message.contains("[name='new.example.com.', type='TXT']") && !message.contains("free"), "{message}");
    assert_eq!(lab.route53.records(&zone), before);
    lab.route53.set_error_root(ErrorRoot::InvalidChangeBatch);
    let batch_in_xml = "<R><ChangeBatch><Changes><Change><Action>UPSERT</Action><ResourceRecordSet><Name>www.example.com</Name>\
                        <Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>\
                        </ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></R>";
    let (status, refusal) = raw(&lab, "POST", &format!("hostedzone/{zone}/rrset/"), batch_in_xml).await;
    assert_eq!(status, 400);
    let messages = "<Messages><Message>Tried to update resource record set ";
    assert!(refusal.contains("<InvalidChangeBatch ") && refusal.contains(messages), "{refusal}");
    assert!(refusal.contains("ask the platform team") && !refusal.contains("<Code>"), "{refusal}");
    lab.route53.set_error_root(ErrorRoot::ErrorResponse);

    let keys = entries.map(|(name, kind, _)| (name, kind, ""));
    assert_eq!(raw(&lab, "POST", &format!("{path}/delete"), &unprotecting(&keys)).await.0, 200);
    assert!(change(&lab, &zone, batch()).await.is_ok());
}

#[tokio::test]
async fn protections_are_made_and_lifted_all_or_none() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let path = format!("hostedzone/{zone}/rrsetprotection");
    lab.route53.protect(&zone, "a.example.com", Kind::A, None).unwrap();
    let cases = [
        (path.clone(), protecting(&[("a.example.com", "A", "")]), 409, "ProtectionAlreadyExists"),
        (
            path.clone(),
            protecting(&[("a.example.com", "A", ""), ("b.example.com", "A", "")]),
            400,
            "InvalidResourceRecordSetProtectionBatch",
        ),
        (path.clone(), protecting(&[("b.example.org", "A", "")]), 400, "<Code>InvalidInput</Code>"),
        (format!("{path}/delete"), unprotecting(&[("b.example.com", "A", "")]), 400, "<Code>ProtectionNotFound</Code>"),
        (path.clone(), protecting(&[]), 400, "<Code>InvalidInput</Code>"),
        (
            "hostedzone/Z0/rrsetprotection".to_owned(),
            protecting(&[("b.example.com", "A", "")]),
            404,
            "NoSuchHostedZone",
        ),
    ];
    for (path, body, status, code) in cases {
        let (got, answer) = raw(&lab, "POST", &path, &body).await;
        assert!(got == status && answer.contains(code), "{body}: {got} {answer}");
    }
    let (_, listed) = raw(&lab, "GET", &path, "").await;
    assert_eq!(listed.matches("<ResourceRecordSetProtection>").count(), 1);
    let client = common::route53(&lab);
    assert!(client.delete_hosted_zone().id(&zone).send().await.is_err(), "a zone with protections stays");
    lab.route53.unprotect(&zone, "a.example.com", Kind::A).unwrap();
    assert!(client.delete_hosted_zone().id(&zone).send().await.is_ok());
}

#[tokio::test]
async fn a_guardrail_refuses_to_delete_what_an_alias_points_to_even_if_it_is_created_again() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let target = set("app.example.com", RrType::A, &["192.0.2.1"]);
    change(&lab, &zone, created(&[target.clone(), alias("www.example.com", &zone, "app.example.com")])).await.unwrap();
    let again = || vec![(ChangeAction::Delete, target.clone()), (ChangeAction::Create, target.clone())];
    assert!(change(&lab, &zone, again()).await.is_ok(), "off until somebody turns it on");
    lab.route53.set_guardrail(lab.clock.now(), &zone, Guardrail::AliasTargetCheck, true).unwrap();
    let refusal = change(&lab, &zone, again()).await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidChangeBatch"));
    assert!(refusal.message().unwrap().contains("ALIAS_TARGET_CHECK"), "{refusal:?}");
    lab.route53.set_strict_guardrails(false);
    assert!(change(&lab, &zone, again()).await.is_ok(), "lenient: at the end it is there");
    let gone = change(&lab, &zone, vec![(ChangeAction::Delete, target.clone())]).await.unwrap_err();
    assert!(gone.message().unwrap().contains("ALIAS_TARGET_CHECK"), "{gone:?}");
}

#[tokio::test]
async fn a_guardrail_refuses_to_delete_the_last_record_that_people_ask_for() {
    let lab = common::lab(600.0).await;
    let zone = zone(&lab);
    let [busy, idle] = ["busy", "idle"].map(|name| set(&format!("{name}.example.com"), RrType::A, &["192.0.2.1"]));
    let id = change(&lab, &zone, created(&[busy.clone(), idle.clone()])).await.unwrap();
    in_sync(&lab, &id).await;
    lab.route53.set_guardrail(lab.clock.now(), &zone, Guardrail::ActiveRecordCheck, true).unwrap();
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let question = b"\0\x07\0\0\0\x01\0\0\0\0\0\0\x04busy\x07example\x03com\0\0\x01\0\x01";
    socket.send_to(question, lab.dns).await.unwrap();
    socket.recv(&mut [0; 512]).await.unwrap();
    assert!(change(&lab, &zone, vec![(ChangeAction::Delete, idle)]).await.is_ok());
    let swap = vec![(ChangeAction::Delete, busy.clone()), (ChangeAction::Create, busy)];
    let refusal = change(&lab, &zone, swap).await.unwrap_err();
    assert!(refusal.message().unwrap().contains("ACTIVE_RECORD_CHECK"), "{refusal:?}");
}

#[tokio::test]
async fn a_zone_tells_its_features_and_takes_no_change_while_it_is_locked() {
    let lab = common::lab(600.0).await;
    let zone = zone(&lab);
    let path = format!("hostedzone/{zone}");
    let features = async |body: &str| raw(&lab, "POST", &format!("{path}/features"), body).await;
    let guardrail = "<R><ChangeGuardrails><ChangeGuardrail><Name>ALIAS_TARGET_CHECK</Name><Status>ENABLED</Status></ChangeGuardrail></ChangeGuardrails></R>";
    assert_eq!(features(guardrail).await.0, 400, "the tier STANDARD does not offer it");
    let tier = "<R><HostedZoneTier>ADVANCED</HostedZoneTier></R>";
    assert_eq!(raw(&lab, "POST", &format!("{path}/tier"), tier).await.0, 200);
    assert_eq!(features(guardrail).await.0, 200);
    let on = "<R><EnableAcceleratedRecovery>true</EnableAcceleratedRecovery></R>";
    assert_eq!(features(&on.replace("</R>", "<DryRun>true</DryRun></R>")).await.0, 200);
    let (_, told) = raw(&lab, "GET", &path, "").await;
    for part in [
        "<HostedZoneTier>ADVANCED</HostedZoneTier>",
        "<AcceleratedRecoveryStatus>DISABLED</AcceleratedRecoveryStatus>",
        "<ChangeGuardrail><Name>ALIAS_TARGET_CHECK</Name><Status>ENABLED</Status></ChangeGuardrail>",
        "<ChangeGuardrail><Name>NS_FORMAT_CHECK</Name><Status>ENABLED</Status></ChangeGuardrail>",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert_eq!(features(on).await.0, 200);
    let status = async || {
        let (_, told) = raw(&lab, "GET", &path, "").await;
        told.split("AcceleratedRecoveryStatus>").nth(1).unwrap().trim_end_matches("</").to_owned()
    };
    assert_eq!(status().await, "ENABLING");
    let record = created(&[set("a.example.com", RrType::A, &["192.0.2.1"])]);
    lab.route53.hold_recovery(&zone, Some(AcceleratedRecovery::EnablingHostedZoneLocked)).unwrap();
    assert_eq!(status().await, "ENABLING_HOSTED_ZONE_LOCKED");
    let refusal = change(&lab, &zone, record.clone()).await.unwrap_err();
    assert_eq!(refusal.code(), Some("PriorRequestNotComplete"));
    lab.route53.hold_recovery(&zone, None).unwrap();
    lab.clock.sleep(Duration::from_secs(16 * 60)).await;
    assert_eq!(status().await, "ENABLED");
    assert!(change(&lab, &zone, record).await.is_ok());
}

#[tokio::test]
async fn tags_belong_to_bare_ids() {
    let lab = common::lab(60.0).await;
    let zone = zone(&lab);
    let tag = "<R><AddTags><Tag><Key>a</Key><Value>b</Value></Tag></AddTags></R>";
    assert_eq!(raw(&lab, "POST", &format!("tags/hostedzone/{zone}"), tag).await.0, 200);
    assert_eq!(raw(&lab, "POST", &format!("tags/hostedzone/%2Fhostedzone%2F{zone}"), tag).await.0, 404);
    let (_, tags) = raw(&lab, "GET", &format!("tags/hostedzone/{zone}"), "").await;
    assert!(tags.contains("<Key>a</Key>"), "{tags}");
}
