//! Route 53's control plane as the SDK sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use aws_sdk_route53::Client;
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::operation::RequestId;
use aws_sdk_route53::types::{
    AlarmIdentifier, AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, CloudWatchRegion, HealthCheckConfig,
    HealthCheckType, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType,
};
use lab::Lab;
use lab::cloudwatch::{Alarm, ComparisonOperator, Dimension, Statistic};
use lab::dns::Rcode;
use lab::journal::What;
use lab::route53::DnsName;

const UNKNOWN_ZONE: &str = "Z0000000000000";

fn set(name: &str, kind: RrType, ttl: i64, values: &[&str]) -> ResourceRecordSet {
    let records = values.iter().map(|value| ResourceRecord::builder().value(*value).build().unwrap()).collect();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(ttl).set_resource_records(Some(records)).build().unwrap()
}

/// A health check's id: "A non-alias primary ResourceRecordSet must have an associated health check".
fn check(lab: &Lab) -> String {
    let port = Some(9);
    let ip_address = Some("127.0.0.1".parse().unwrap());
    let config = lab::health::HealthCheckConfig {
        ip_address,
        port,
        ..lab::health::HealthCheckConfig::new(lab::health::CheckType::Tcp)
    };
    lab.route53.create_health_check(lab, config).unwrap()
}

fn half(role: ResourceRecordSetFailover, value: &str, check: Option<&str>) -> ResourceRecordSet {
    let mut set = set("app.example.com", RrType::A, 60, &[value]);
    set.set_identifier = Some(role.as_str().to_lowercase());
    set.failover = Some(role);
    set.health_check_id = check.map(str::to_owned);
    set
}

fn batch(changes: Vec<(ChangeAction, ResourceRecordSet)>) -> ChangeBatch {
    let changes = changes
        .into_iter()
        .map(|(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap());
    ChangeBatch::builder().comment("test").set_changes(Some(changes.collect())).build().unwrap()
}

/// The account's limit is five requests a second; tests that are not about it wait a lab second before each.
async fn change(
    lab: &Lab,
    zone: &str,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
) -> Result<aws_sdk_route53::types::ChangeInfo, aws_sdk_route53::Error> {
    lab.clock.sleep(Duration::from_secs(1)).await;
    let request = common::route53(lab).change_resource_record_sets().hosted_zone_id(zone);
    Ok(request.change_batch(batch(changes)).send().await?.change_info.unwrap())
}

async fn sets(client: &Client, zone: &str) -> Vec<ResourceRecordSet> {
    client.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap().resource_record_sets
}

#[tokio::test]
async fn a_zone_is_made_with_its_soa_and_ns_records_and_found_by_name() {
    let lab = common::lab(60.0).await;
    let client = common::route53(&lab);
    let made = client.create_hosted_zone().name("Example.com").caller_reference("1").send().await.unwrap();
    let zone = made.hosted_zone().unwrap();
    assert!(zone.id().starts_with("/hostedzone/Z"), "{}", zone.id());
    assert_eq!((zone.name(), zone.resource_record_set_count()), ("example.com.", Some(2)));
    assert_eq!(made.delegation_set().unwrap().name_servers().len(), 4);
    assert!(made.location().ends_with(zone.id()));
    let found = client.list_hosted_zones_by_name().dns_name("example.com").send().await.unwrap();
    assert_eq!(found.hosted_zones(), std::slice::from_ref(zone));
    let got = client.get_hosted_zone().id(zone.id()).send().await.unwrap();
    assert_eq!(got.hosted_zone(), Some(zone));
    let kinds: Vec<_> = sets(&client, zone.id()).await.into_iter().map(|set| set.r#type).collect();
    assert_eq!(kinds, [RrType::Ns, RrType::Soa]);
}

#[tokio::test]
async fn a_change_is_pending_then_in_sync_and_listed_as_it_was_asked_for() {
    let lab = common::lab(60.0).await;
    let (client, zone) = (common::route53(&lab), lab.route53.create_zone(lab.clock.now(), "example.com").unwrap());
    let wanted = [
        set("*.example.com", RrType::A, 60, &["192.0.2.1", "192.0.2.2"]),
        half(ResourceRecordSetFailover::Primary, "192.0.2.1", Some(&check(&lab))),
        half(ResourceRecordSetFailover::Secondary, "192.0.2.2", None),
        set("_state.app.example.com", RrType::Txt, 60, &["\"v=1 <armed> & \\\"so\\\"\" \"on\""]),
    ];
    let creates = wanted.iter().map(|set| (ChangeAction::Create, set.clone())).collect();
    let info = change(&lab, &zone, creates).await.unwrap();
    assert!(info.id().starts_with("/change/C"));
    assert_eq!(info.status(), &ChangeStatus::Pending);
    let listed = sets(&client, &format!("/hostedzone/{zone}")).await;
    let expected = |index: usize, name: &str| {
        let mut set = wanted[index].clone();
        set.name = name.to_owned();
        set
    };
    assert_eq!(
        listed[2..],
        [
            expected(0, "\\052.example.com."),
            expected(1, "app.example.com."),
            expected(2, "app.example.com."),
            expected(3, "_state.app.example.com."),
        ]
    );
    let id = info.id().trim_start_matches("/change/").to_owned();
    let is = |wanted: &'static str| {
        let id = id.clone();
        move |what: &What| matches!(what, What::Change { id: of, status, .. } if *of == id && status == wanted)
    };
    let pending = common::entry(&lab, is("PENDING")).await;
    let in_sync = common::entry(&lab, is("INSYNC")).await;
    let took = in_sync.at.duration_since(pending.at).as_secs();
    assert!((5..=61).contains(&took), "{took} s");
    let got = client.get_change().id(info.id()).send().await.unwrap();
    assert_eq!(got.change_info().unwrap().status(), &ChangeStatus::Insync);
    let What::Change { names, .. } = pending.what else { unreachable!() };
    assert!(names.contains(&"_state.app.example.com".to_owned()), "{names:?}");
}

#[tokio::test]
async fn a_batch_is_refused_whole_with_every_reason_and_changes_nothing() {
    let lab = common::lab(60.0).await;
    let zone = lab.route53.create_zone(lab.clock.now(), "example.com").unwrap();
    let primary = half(ResourceRecordSetFailover::Primary, "192.0.2.1", Some(&check(&lab)));
    change(&lab, &zone, vec![(ChangeAction::Create, primary.clone())]).await.unwrap();
    let before = lab.route53.records(&zone);
    let mut other = primary.clone();
    other.ttl = Some(61);
    let good = set("good.example.com", RrType::A, 60, &["192.0.2.1"]);
    let changes = vec![
        (ChangeAction::Create, good),
        (ChangeAction::Delete, other),
        (ChangeAction::Delete, set("gone.example.com", RrType::A, 60, &["192.0.2.1"])),
    ];
    let refusal = change(&lab, &zone, changes).await.unwrap_err();
    assert_eq!(refusal.code(), Some("InvalidChangeBatch"));
    assert_eq!(
        refusal.message(),
        Some(
            "[Tried to delete resource record set [name='app.example.com.', type='A', set-identifier='primary'] but the \
             values provided do not match the current values, Tried to delete resource record set \
             [name='gone.example.com.', type='A'] but it was not found]"
        )
    );
    assert!(refusal.request_id().is_some());
    assert_eq!(lab.route53.records(&zone), before);
}

#[tokio::test]
async fn a_zone_made_by_the_lab_itself_is_answered_at_once_and_hurries_no_change_of_another() {
    let lab = common::lab(1.0).await;
    let first = lab.route53.create_zone(lab.clock.now(), "example.com").unwrap();
    let record = set("a.example.com", RrType::A, 60, &["192.0.2.1"]);
    let info = change(&lab, &first, vec![(ChangeAction::Create, record)]).await.unwrap();
    lab.route53.create_zone(lab.clock.now(), "example.org").unwrap();
    let answer = |name| lab.route53.resolve(&DnsName::parse(name).unwrap(), None).rcode;
    assert_eq!((answer("example.org"), answer("a.example.com")), (Rcode::NoError, Rcode::NxDomain));
    let got = common::route53(&lab).get_change().id(info.id()).send().await.unwrap();
    assert_eq!(got.change_info().unwrap().status(), &ChangeStatus::Pending);
}

#[tokio::test]
async fn requests_that_make_no_record_set_are_invalid_input_and_strangers_are_not_found() {
    let lab = common::lab(60.0).await;
    let (client, zone) = (common::route53(&lab), lab.route53.create_zone(lab.clock.now(), "example.com").unwrap());
    let mut no_identifier = half(ResourceRecordSetFailover::Primary, "192.0.2.1", None);
    no_identifier.set_identifier = None;
    let mut no_ttl = set("x.example.com", RrType::A, 60, &["192.0.2.1"]);
    no_ttl.ttl = None;
    let mut both = set("x.example.com", RrType::A, 60, &["192.0.2.1"]);
    let alias = AliasTarget::builder().hosted_zone_id(&zone).dns_name("example.com").evaluate_target_health(false);
    both.alias_target = Some(alias.build().unwrap());
    let mut two_ways = half(ResourceRecordSetFailover::Secondary, "192.0.2.1", None);
    two_ways.weight = Some(1);
    let mut too_heavy = set("x.example.com", RrType::A, 60, &["192.0.2.1"]);
    (too_heavy.weight, too_heavy.set_identifier) = (Some(256), Some("w".to_owned()));
    let mut named = set("x.example.com", RrType::A, 60, &["192.0.2.1"]);
    named.set_identifier = Some("alone".to_owned());
    let too_long = set("x.example.com", RrType::A, 2_147_483_648, &["192.0.2.1"]);
    for (set, reason) in [
        (no_identifier, "Missing field 'SetIdentifier' in Change with [Action=CREATE, Name=app.example.com, Type=A"),
        (no_ttl, "but found none"),
        (both, "but found more than one"),
        (two_ways, "but found more than one"),
        (too_heavy, "between 0 and 255"),
        (named, "Missing one of the fields [Weight,"),
        (too_long, "between 0 and 2147483647"),
        (set("x.example.com", "WKS".into(), 60, &["192.0.2.1"]), "enumeration set"),
    ] {
        let refusal = change(&lab, &zone, vec![(ChangeAction::Create, set)]).await.unwrap_err();
        assert_eq!(refusal.code(), Some("InvalidInput"), "{refusal:?}");
        assert!(refusal.message().unwrap().contains(reason), "{:?} does not say {reason:?}", refusal.message());
    }
    let stranger = set("x.example.com", RrType::A, 60, &["192.0.2.1"]);
    let refusal = change(&lab, UNKNOWN_ZONE, vec![(ChangeAction::Create, stranger)]).await.unwrap_err();
    assert!(matches!(refusal, aws_sdk_route53::Error::NoSuchHostedZone(_)), "{refusal:?}");
    let refusal = client.get_change().id("C0").send().await.unwrap_err();
    assert!(refusal.into_service_error().is_no_such_change());
    let refusal = client.get_hosted_zone_count().send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("NotImplemented"));
}

#[tokio::test]
async fn the_sixth_request_within_a_second_is_throttled_with_http_400() {
    let lab = common::lab(1.0).await;
    let client = common::route53(&lab);
    // Ten at once: whatever the machine's pace, more than five fall into one second.
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let call = client.list_hosted_zones_by_name().send();
            tokio::spawn(call)
        })
        .collect();
    let mut refused = Vec::new();
    for call in calls {
        refused.extend(call.await.unwrap().err());
    }
    assert!(!refused.is_empty(), "ten requests took two seconds or were all admitted");
    assert_eq!((refused[0].code(), refused[0].message()), (Some("Throttling"), Some("Rate exceeded")));
    assert_eq!(refused[0].raw_response().unwrap().status().as_u16(), 400);
}

#[tokio::test]
async fn a_listing_is_paged_and_starts_where_it_is_told() {
    let lab = common::lab(60.0).await;
    let (client, zone) = (common::route53(&lab), lab.route53.create_zone(lab.clock.now(), "example.com").unwrap());
    let creates = ["a", "b", "c"]
        .map(|label| (ChangeAction::Create, set(&format!("{label}.example.com"), RrType::A, 60, &["192.0.2.1"])));
    let check = check(&lab);
    let halves = [ResourceRecordSetFailover::Primary, ResourceRecordSetFailover::Secondary]
        .map(|role| (ChangeAction::Create, half(role, "192.0.2.1", Some(&check))));
    change(&lab, &zone, creates.into_iter().chain(halves).collect()).await.unwrap();
    let page = |name: &str, kind: RrType, identifier: Option<&str>| {
        let request = client.list_resource_record_sets().hosted_zone_id(&zone).start_record_name(name);
        let request = request.start_record_type(kind).set_start_record_identifier(identifier.map(str::to_owned));
        request.max_items(1).send()
    };
    let first = page("app.example.com", RrType::A, None).await.unwrap();
    assert_eq!(first.resource_record_sets()[0].set_identifier(), Some("primary"));
    assert!(first.is_truncated());
    assert_eq!(first.next_record_name(), Some("app.example.com."));
    assert_eq!((first.next_record_type(), first.next_record_identifier()), (Some(&RrType::A), Some("secondary")));
    let second = page("app.example.com.", RrType::A, first.next_record_identifier()).await.unwrap();
    assert_eq!(second.resource_record_sets()[0].set_identifier(), Some("secondary"));
    assert_eq!(second.next_record_name(), Some("b.example.com."));
    let last = page("c.example.com", RrType::A, None).await.unwrap();
    assert_eq!((last.is_truncated(), last.resource_record_sets().len()), (false, 1));
}

#[tokio::test]
async fn a_health_check_is_kept_updated_by_version_and_deleted() {
    let lab = common::lab(60.0).await;
    let client = common::route53(&lab);
    let config = HealthCheckConfig::builder()
        .r#type(HealthCheckType::Http)
        .ip_address("127.0.0.1")
        .port(9)
        .resource_path("/health")
        .fully_qualified_domain_name("app.example.com")
        .build()
        .unwrap();
    let create = || client.create_health_check().caller_reference("1").health_check_config(config.clone()).send();
    let made = create().await.unwrap();
    let check = made.health_check().unwrap();
    let stored = check.health_check_config().unwrap();
    assert_eq!((stored.request_interval(), stored.failure_threshold(), stored.port()), (Some(30), Some(3), Some(9)));
    assert_eq!(
        create().await.unwrap().health_check().unwrap().id(),
        check.id(),
        "the same request finds the same check"
    );
    let update = |version| {
        let request = client.update_health_check().health_check_id(check.id()).health_check_version(version);
        request.disabled(true).send()
    };
    let updated = update(1).await.unwrap();
    let updated = updated.health_check().unwrap();
    assert_eq!(updated.health_check_version(), 2);
    assert_eq!(updated.health_check_config().unwrap().disabled(), Some(true));
    let refusal = update(1).await.unwrap_err();
    assert_eq!(refusal.raw_response().unwrap().status().as_u16(), 409);
    assert!(refusal.into_service_error().is_health_check_version_mismatch());
    lab.clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(client.list_health_checks().send().await.unwrap().health_checks(), std::slice::from_ref(updated));
    client.delete_health_check().health_check_id(check.id()).send().await.unwrap();
    let refusal = client.get_health_check().health_check_id(check.id()).send().await.unwrap_err();
    assert!(refusal.into_service_error().is_no_such_health_check());
    let matching =
        HealthCheckConfig::builder().r#type(HealthCheckType::HttpsStrMatch).ip_address("127.0.0.1").build().unwrap();
    let refusal =
        client.create_health_check().caller_reference("2").health_check_config(matching).send().await.unwrap_err();
    assert_eq!(refusal.code(), Some("NotImplemented"), "AWS has it, and the lab says so");
    assert!(refusal.message().unwrap().contains("HTTPS_STR_MATCH"), "{refusal:?}");
}

fn alarm(evaluation_periods: u32, datapoints_to_alarm: Option<u32>) -> Alarm {
    Alarm {
        alarm_name: "prolonged-outage".to_owned(),
        alarm_description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        metric_name: "HealthCheckStatus".to_owned(),
        namespace: "AWS/Route53".to_owned(),
        statistic: Statistic::Minimum,
        dimensions: vec![Dimension { name: "HealthCheckId".to_owned(), value: "h".to_owned() }],
        period: 60,
        unit: None,
        evaluation_periods,
        datapoints_to_alarm,
        threshold: 1.0,
        comparison_operator: ComparisonOperator::LessThanThreshold,
        treat_missing_data: None,
        warm_up_configuration: None,
        evaluation_window: None,
    }
}

#[tokio::test]
async fn a_check_of_an_alarm_keeps_a_copy_of_its_settings_until_it_is_updated() {
    let lab = common::lab(60.0).await;
    let client = common::route53(&lab);
    let put = |alarm| lab.cloudwatch.put_alarm("us-east-1", alarm, lab.clock.now()).unwrap();
    let identifier =
        AlarmIdentifier::builder().region(CloudWatchRegion::UsEast1).name("prolonged-outage").build().unwrap();
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::CloudwatchMetric);
    let config = config.alarm_identifier(identifier.clone()).build().unwrap();
    let create = || client.create_health_check().caller_reference("1").health_check_config(config.clone()).send();
    assert_eq!(create().await.unwrap_err().code(), Some("InvalidInput"), "there is no such alarm yet");
    put(alarm(30, Some(20)));
    assert!(create().await.unwrap_err().message().unwrap().contains("M out of N"));
    put(alarm(30, None));
    let made = create().await.unwrap().health_check.unwrap();
    let copy = made.cloud_watch_alarm_configuration().unwrap();
    assert_eq!((copy.evaluation_periods(), copy.threshold(), copy.statistic().as_str()), (30, 1.0, "Minimum"));
    assert_eq!(copy.dimensions()[0].value(), "h");
    put(alarm(10, None));
    let periods = async || {
        lab.clock.sleep(Duration::from_secs(1)).await;
        let got = client.get_health_check().health_check_id(made.id()).send().await.unwrap().health_check.unwrap();
        got.cloud_watch_alarm_configuration.unwrap().evaluation_periods
    };
    assert_eq!(periods().await, 30, "a change of the alarm does not reach the check");
    client.update_health_check().health_check_id(made.id()).disabled(true).send().await.unwrap();
    assert_eq!(periods().await, 30, "nor does an update that does not name the alarm");
    let update = client.update_health_check().health_check_id(made.id());
    update.alarm_identifier(identifier).send().await.unwrap();
    assert_eq!(periods().await, 10);
}

#[tokio::test]
async fn a_calculated_check_follows_its_children_and_an_endpoints_observations_can_be_read() {
    let lab = common::lab(300.0).await;
    let client = common::route53(&lab);
    let endpoint = HealthCheckConfig::builder().r#type(HealthCheckType::Tcp).ip_address("127.0.0.1").port(1);
    let endpoint = endpoint.request_interval(10).failure_threshold(2).build().unwrap();
    let create = async |reference: &str, config: HealthCheckConfig| {
        let made = client.create_health_check().caller_reference(reference).health_check_config(config).send().await;
        made.map(|made| made.health_check.unwrap().id)
    };
    let child = create("child", endpoint).await.unwrap();
    let calculated = |child: &str| {
        let config = HealthCheckConfig::builder().r#type(HealthCheckType::Calculated).health_threshold(1);
        config.child_health_checks(child).build().unwrap()
    };
    let parent = create("parent", calculated(&child)).await.unwrap();
    let turned = async |check: &str| {
        let is = |what: &What| matches!(what, What::HealthCheck { id, healthy: false, .. } if id == check);
        common::entry(&lab, is).await.at
    };
    // Nothing listens on port 1.
    let apart = turned(&parent).await.duration_since(turned(&child).await);
    assert!(apart.abs() < jiff::SignedDuration::from_secs(1), "{apart}");
    let observed = client.get_health_check_status().health_check_id(&child).send().await.unwrap();
    let reports: Vec<_> =
        observed.health_check_observations().iter().map(|seen| seen.status_report().unwrap()).collect();
    assert_eq!(reports.len(), 3);
    assert!(reports[0].status().unwrap().starts_with("Failure: "), "{reports:?}");
    let refusal = create("grandparent", calculated(&parent)).await.unwrap_err();
    assert!(refusal.message().unwrap().contains("is itself calculated"));
}
