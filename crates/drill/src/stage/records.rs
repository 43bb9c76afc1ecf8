//! The stage's records, and what people do to them: all of it with the AWS SDK, as anybody would.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use aws_sdk_route53::Client;
use aws_sdk_route53::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_route53::types::builders::ResourceRecordSetBuilder;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover,
    RrType,
};
use lab::Lab;
use lab::dns::balancer;

use super::{DETECTOR, DR_ADDRESS, NAMES, PRIMARY, PRIMARY_ADDRESS, SetupError, Stage};
use crate::plan::Plan;

const RECORD_TTL_SECONDS: i64 = 60;

/// The TTL of the record behind an alias, in seconds, where it is long.
pub(crate) const LONG_TTL_SECONDS: i64 = 600;

/// The page by which the primary's load balancer judges its targets.
const TARGETS_PAGE: &str = "/targets";

/// "1,000 ResourceRecord elements" a request (Route 53 developer guide, quotas).
const ELEMENTS_MAX: usize = 1_000;

impl Stage {
    /// Points the PRIMARY A record of `app.example.com` at an address, as a person does.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub async fn point_app_at(&self, address: IpAddr) -> Result<(), SetupError> {
        let role = ResourceRecordSetFailover::Primary;
        let set = half(NAMES[0], RrType::A, &role, &self.failover_check);
        let set = set.ttl(RECORD_TTL_SECONDS).resource_records(value(address));
        change(&route53(&self.lab), &self.zones["example.com"], ChangeAction::Upsert, [set]).await
    }

    /// Puts the switch on every PRIMARY record, as infrastructure code does.
    ///
    /// # Errors
    /// If Route 53 refuses, or if there is no switch.
    pub async fn stand_on_switch(&self) -> Result<(), SetupError> {
        let switch = self.switch.as_ref().ok_or("the stack has no switch")?;
        self.put_on_primaries(switch).await
    }

    /// Puts a health check on every PRIMARY record, as infrastructure code does.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub async fn put_on_primaries(&self, check: &str) -> Result<(), SetupError> {
        let role = ResourceRecordSetFailover::Primary;
        let half = |name: &str, kind| half(name, kind, &role, check);
        let plain = |name, kind, record| half(name, kind).ttl(RECORD_TTL_SECONDS).resource_records(record);
        let (client, com) = (route53(&self.lab), &self.zones["example.com"]);
        let alias = AliasTarget::builder().hosted_zone_id(com).dns_name("primary.example.com");
        let sets = [
            plain(NAMES[0], RrType::A, value(PRIMARY_ADDRESS)),
            plain(NAMES[0], RrType::Aaaa, value("2001:db8::a")),
            plain(NAMES[1], RrType::A, value(PRIMARY_ADDRESS)),
            half(NAMES[2], RrType::A).alias_target(alias.evaluate_target_health(false).build()?),
            plain(NAMES[3], RrType::Cname, value("primary.example.com")),
        ];
        change(&client, com, ChangeAction::Upsert, sets).await?;
        let org = plain(NAMES[4], RrType::A, value(PRIMARY_ADDRESS));
        change(&client, &self.zones["example.org"], ChangeAction::Upsert, [org]).await
    }

    /// Puts records of other types beside the pairs, some of them pairs themselves, and a long TTL behind an alias.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub async fn mix_zone(&mut self) -> Result<(), SetupError> {
        let (client, com) = (route53(&self.lab), self.zones["example.com"].clone());
        for role in [ResourceRecordSetFailover::Primary, ResourceRecordSetFailover::Secondary] {
            let half = |kind, text: &str| {
                half(NAMES[0], kind, &role, &self.failover_check).ttl(RECORD_TTL_SECONDS).resource_records(value(text))
            };
            let site = role.as_str().to_lowercase();
            let mx = half(RrType::Mx, &format!("10 mail-{site}.example.com."));
            let ownership = half(RrType::Txt, &format!("\"heritage=external-dns,external-dns/owner={site}\""));
            create(&client, &com, [mx, ownership]).await?;
        }
        // Without an address or another name in it, it sends nobody anywhere.
        let https = ResourceRecordSet::builder().name(NAMES[4]).r#type(RrType::Https).ttl(RECORD_TTL_SECONDS);
        let https = https.resource_records(value("1 . alpn=\"h2\""));
        create(&client, &self.zones["example.org"], [https]).await?;
        let behind_alias = plain("primary.example.com", PRIMARY_ADDRESS).ttl(LONG_TTL_SECONDS);
        change(&client, &com, ChangeAction::Upsert, [behind_alias]).await?;
        self.note_original();
        Ok(())
    }

    /// Lets the PRIMARY record of a name be an alias to a load balancer in the primary region, and evaluate its targets' health.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub async fn evaluate_target(&mut self, name: &str) -> Result<(), SetupError> {
        let (client, com) = (route53(&self.lab), self.zones["example.com"].clone());
        let balancer = format!("shop-1.{PRIMARY}.elb.amazonaws.com");
        balancer::open(&self.lab, &balancer, SocketAddr::from((PRIMARY_ADDRESS, self.port)), TARGETS_PAGE)
            .map_err(|refusal| format!("{refusal:?}"))?;
        let alias = AliasTarget::builder().hosted_zone_id(balancer::ZONE).dns_name(format!("dualstack.{balancer}"));
        let alias = alias.evaluate_target_health(true).build()?;
        let role = ResourceRecordSetFailover::Primary;
        let alias = half(name, RrType::A, &role, &self.failover_check).alias_target(alias);
        change(&client, &com, ChangeAction::Upsert, [alias]).await?;
        self.note_original();
        Ok(())
    }

    /// Breaks or mends every target of the primary's load balancer; the site itself goes on serving.
    pub fn fail_target(&self, failed: bool) {
        let sites = &self.lab.sites;
        if failed { sites.fail_page(PRIMARY, TARGETS_PAGE) } else { sites.mend_page(PRIMARY, TARGETS_PAGE) }
    }
}

/// Creates so many more failover pairs, three of five in the first zone.
pub(super) async fn create_crowd(
    client: &Client,
    zones: &BTreeMap<String, String>,
    check: &str,
    crowd: usize,
) -> Result<(), SetupError> {
    for (zone, names) in [("example.com", 0..crowd * 3 / 5), ("example.org", crowd * 3 / 5..crowd)] {
        let names = names.map(|nth| format!("n{nth}.crowd.{zone}"));
        create_address_pairs(client, &zones[zone], names, check, RECORD_TTL_SECONDS).await?;
    }
    Ok(())
}

/// Creates the failover pairs of a plan. Of what type a user's records are the lab cannot know; here they are addresses.
pub(super) async fn create_plain_pairs(
    client: &Client,
    zones: &BTreeMap<String, String>,
    check: &str,
    plan: &Plan,
) -> Result<(), SetupError> {
    let ttl_seconds = plan.facts.record_ttl_seconds.into();
    for zone in &plan.zones {
        create_address_pairs(client, &zones[&zone.domain], zone.names.iter().cloned(), check, ttl_seconds).await?;
    }
    Ok(())
}

async fn create_address_pairs(
    client: &Client,
    zone: &str,
    names: impl Iterator<Item = String>,
    check: &str,
    ttl_seconds: i64,
) -> Result<(), SetupError> {
    let sites =
        [(ResourceRecordSetFailover::Primary, PRIMARY_ADDRESS), (ResourceRecordSetFailover::Secondary, DR_ADDRESS)];
    let pair = |name: String| {
        sites.clone().map(|(role, address)| {
            half(&name, RrType::A, &role, check).ttl(ttl_seconds).resource_records(value(address))
        })
    };
    let sets: Vec<_> = names.flat_map(pair).collect();
    for batch in sets.chunks(ELEMENTS_MAX) {
        create(client, zone, batch.iter().cloned()).await?;
    }
    Ok(())
}

/// Records are made as anybody would make them: with the AWS SDK.
pub(crate) fn route53(lab: &Lab) -> Client {
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(DETECTOR))
        .endpoint_url(lab.endpoint_url())
        .credentials_provider(Credentials::new("owner", "secret", None, None, "drill"))
        .build();
    Client::from_conf(config)
}

pub(crate) async fn create_endpoints(
    client: &Client,
    zone: &str,
    [primary, dr]: &[String; 2],
) -> Result<(), SetupError> {
    let sets = [plain(primary, PRIMARY_ADDRESS), plain(dr, DR_ADDRESS)];
    create(client, zone, sets).await
}

fn plain(name: &str, address: IpAddr) -> ResourceRecordSetBuilder {
    ResourceRecordSet::builder().name(name).r#type(RrType::A).ttl(RECORD_TTL_SECONDS).resource_records(value(address))
}

pub(crate) fn value(value: impl ToString) -> ResourceRecord {
    let record = ResourceRecord::builder().value(value.to_string());
    #[expect(clippy::expect_used, reason = "its one required field is given")]
    record.build().expect("a value is given")
}

/// One record of a failover pair.
pub(crate) fn half(
    name: &str,
    kind: RrType,
    role: &ResourceRecordSetFailover,
    check: &str,
) -> ResourceRecordSetBuilder {
    let is_primary = *role == ResourceRecordSetFailover::Primary;
    ResourceRecordSet::builder()
        .name(name)
        .r#type(kind)
        .set_identifier(if is_primary { "primary" } else { "dr" })
        .set_health_check_id(is_primary.then(|| check.to_owned()))
        .failover(role.clone())
}

pub(super) async fn create_pairs(
    client: &Client,
    zones: &BTreeMap<String, String>,
    check: &str,
) -> Result<(), SetupError> {
    let sites = [
        (ResourceRecordSetFailover::Primary, PRIMARY_ADDRESS, "2001:db8::a", "primary.example.com"),
        (ResourceRecordSetFailover::Secondary, DR_ADDRESS, "2001:db8::d", "dr.example.com"),
    ];
    let com = &zones["example.com"];
    for (role, address, address_v6, endpoint) in sites {
        let half = |name: &str, kind: RrType| half(name, kind, &role, check);
        let plain = |name, kind, record| half(name, kind).ttl(RECORD_TTL_SECONDS).resource_records(record);
        let alias =
            AliasTarget::builder().hosted_zone_id(com).dns_name(endpoint).evaluate_target_health(false).build()?;
        let sets = [
            plain(NAMES[0], RrType::A, value(address)),
            plain(NAMES[0], RrType::Aaaa, value(address_v6)),
            plain(NAMES[1], RrType::A, value(address)),
            half(NAMES[2], RrType::A).alias_target(alias),
            plain(NAMES[3], RrType::Cname, value(endpoint)),
        ];
        create(client, com, sets).await?;
        create(client, &zones["example.org"], [plain(NAMES[4], RrType::A, value(address))]).await?;
    }
    Ok(())
}

async fn create(
    client: &Client,
    zone: &str,
    sets: impl IntoIterator<Item = ResourceRecordSetBuilder>,
) -> Result<(), SetupError> {
    change(client, zone, ChangeAction::Create, sets).await
}

pub(crate) async fn change(
    client: &Client,
    zone: &str,
    action: ChangeAction,
    sets: impl IntoIterator<Item = ResourceRecordSetBuilder>,
) -> Result<(), SetupError> {
    let change = |set: ResourceRecordSetBuilder| {
        Change::builder().action(action.clone()).resource_record_set(set.build()?).build()
    };
    let changes = sets.into_iter().map(change).collect::<Result<Vec<_>, _>>()?;
    let batch = ChangeBatch::builder().set_changes(Some(changes)).build()?;
    let sent = client.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await;
    sent.map(drop).map_err(|error| error.into_service_error().to_string().into())
}
