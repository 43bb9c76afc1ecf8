//! Route 53: the record sets of a zone, atomic batches, and how far a change has come.

mod sdk;
mod submit;
mod walk;

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use aws_sdk_route53::Client;
use aws_sdk_route53::types::{ChangeBatch, ChangeStatus as SdkStatus};
use failover::change;
use failover::name::Name;
use failover::observation::{ChangeStatus, Changes, NameView};
use failover::plan::{Names, Plan, Zone};
use failover::record::{ALIAS_CHAIN_MAX, RecordSet, alias_targets};
use failover::register::{Register, Spread};
use jiff::Timestamp;

use crate::error::CallError;
use crate::session::{GrowingAttempts, Session, WaitsOutThrottling};
use sdk::{readable, to_sdk};
pub use submit::{Refused, Submitted, submit_by_name};
use walk::{Page, Start, walk};

/// "Comment … Maximum length of 256" (ChangeBatch).
const COMMENT_BYTES_MAX: usize = 256;

/// Someone who can look at Route 53.
pub trait RecordReader {
    /// The record sets of a zone that belong to the wanted names and their registers. Other names' may be among them; of each
    /// name that is, all are.
    async fn record_sets(&self, zone: &str, names: &Names) -> Result<Vec<RecordSet>, CallError>;
    /// How far a change has come.
    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError>;
    /// AWS's time, as of its last answer.
    fn now(&self) -> Timestamp;
    /// Lets so much time pass.
    async fn wait(&self, seconds: u32);
}

/// Someone who can change Route 53.
pub trait RecordWriter {
    /// Submits a batch, which is applied whole or not at all; the id of the change.
    async fn submit(&self, batch: &change::Batch) -> Result<String, CallError>;
}

/// Someone who can disable a health check.
pub trait HealthCheckWriter {
    /// "When you disable a health check, Route 53 considers the status … to always be healthy" (developer guide,
    /// "UpdateHealthCheck"). Said twice, it changes nothing the second time.
    async fn set_disabled(&self, check: &str, disabled: bool) -> Result<(), CallError>;
}

/// Every name the plan protects, as Route 53 describes it now.
///
/// # Errors
/// The first listing that failed.
pub async fn protected_names(plan: &Plan, reader: &impl RecordReader) -> Result<Vec<NameView>, CallError> {
    let mut views = Vec::new();
    for zone in &plan.zones {
        let sets = reader.record_sets(&zone.id, &zone.names).await?;
        let sets = with_alias_targets(reader, zone, sets).await?;
        let names = match &zone.names {
            Names::Listed(names) => names.clone(),
            Names::EveryPair => names_with_pairs(&sets),
        };
        views.extend(NameView::of_names(&zone.id, &names, &sets));
    }
    Ok(views)
}

/// With the records of the zone that aliases lead through: how long resolvers keep an alias is for them to say.
async fn with_alias_targets(
    reader: &impl RecordReader,
    zone: &Zone,
    mut sets: Vec<RecordSet>,
) -> Result<Vec<RecordSet>, CallError> {
    let Names::Listed(names) = &zone.names else { return Ok(sets) };
    let mut looked_at: Vec<Name> = names.iter().flat_map(|name| [name.clone(), name.register()]).collect();
    for _ in 0..ALIAS_CHAIN_MAX {
        let more = alias_targets(&zone.id, &looked_at, &sets);
        if more.is_empty() {
            break;
        }
        looked_at.extend(more.iter().cloned());
        // In most zones what was listed has them already, and an account has five requests a second.
        let unseen: Vec<Name> = more.into_iter().filter(|name| !sets.iter().any(|set| set.name == *name)).collect();
        if unseen.is_empty() {
            continue;
        }
        let found = reader.record_sets(&zone.id, &Names::Listed(unseen.clone())).await?;
        sets.extend(found.into_iter().filter(|set| unseen.contains(&set.name)));
    }
    Ok(sets)
}

/// Names with a failover record that Holdfast pins, and names whose register says that they had one; a drill's are nobody's.
fn names_with_pairs(sets: &[RecordSet]) -> Vec<Name> {
    let protected = sets.iter().filter_map(|set| match set.is_pinnable() {
        true => Some(set.name.clone()),
        false => set.name.protected_by_register(),
    });
    protected.filter(|name| !name.is_drills()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// How far the changes have come that carry pins not yet on record as in sync. A change that Route 53 says nothing of is
/// left out, which rules take as "not known yet".
pub async fn spreading_changes(reader: &impl RecordReader, names: &[NameView]) -> Changes {
    let mut changes = Changes::new();
    for view in names {
        let Some(Register::Pinned { spread: Spread::Change { id }, .. }) = view.register() else { continue };
        if changes.contains_key(id) {
            continue;
        }
        match reader.change_status(id).await {
            Ok(status) => drop(changes.insert(id.clone(), status)),
            Err(error) => tracing::warn!(change = id, %error, "the change cannot be asked for"),
        }
    }
    changes
}

/// Looks at Route 53 and holds nothing that can write.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
    /// For listings: what tells most, and what a control plane in trouble is slowest at.
    listings: Client,
    session: Session,
}

/// Changes Route 53.
#[derive(Clone, Debug)]
pub struct Writer {
    /// For batches that change registers alone.
    client: Client,
    /// For those that change what users are answered.
    pins: Client,
    /// Health checks are the own account's, whosever the zones are.
    checks: Client,
}

pub(crate) fn client(session: &Session, config: &SdkConfig) -> Client {
    Client::from_conf(builder(session, config, WaitsOutThrottling::Patiently).build())
}

fn builder(session: &Session, config: &SdkConfig, throttled: WaitsOutThrottling) -> aws_sdk_route53::config::Builder {
    aws_sdk_route53::config::Builder::from(config)
        .http_client(session.route53_client())
        .retry_partition(session.retries())
        .interceptor(session.clock().clone())
        .interceptor(throttled)
}

impl Reader {
    /// A reader with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self::listing(session, WaitsOutThrottling::Patiently)
    }

    /// The same, for who lists in order to pin.
    #[must_use]
    pub fn for_pins(session: &Session) -> Self {
        Self::listing(session, WaitsOutThrottling::ForPins)
    }

    fn listing(session: &Session, throttled: WaitsOutThrottling) -> Self {
        let zones = session.zone_config();
        let listings = builder(session, zones, throttled).timeout_config(session.limits_of_looks());
        let listings = Client::from_conf(listings.interceptor(GrowingAttempts).build());
        Self { client: client(session, zones), listings, session: session.clone() }
    }

    /// The names of a zone's name servers.
    ///
    /// # Errors
    /// If Route 53 does not say.
    pub async fn name_servers(&self, zone: &str) -> Result<Vec<String>, CallError> {
        let answer = self.client.get_hosted_zone().id(zone).send().await;
        let answer = answer.map_err(|error| CallError::of("GetHostedZone", error))?;
        Ok(answer.delegation_set().map(|set| set.name_servers().to_vec()).unwrap_or_default())
    }

    /// One page of the listing from `start`, and where the next begins.
    async fn page(&self, zone: &str, start: &Start) -> Result<Page, CallError> {
        let page = self
            .listings
            .list_resource_record_sets()
            .hosted_zone_id(zone)
            .set_start_record_name(start.at.clone())
            .set_start_record_type(start.kind.clone())
            .set_start_record_identifier(start.identifier.clone())
            .send()
            .await
            .map_err(|error| CallError::of("ListResourceRecordSets", error))?;
        let next = match page.next_record_name() {
            Some(name) if page.is_truncated() => Some(Start {
                at: Some(name.to_owned()),
                kind: page.next_record_type().cloned(),
                identifier: page.next_record_identifier().map(str::to_owned),
            }),
            None if page.is_truncated() => {
                let why = "the listing goes on, and Route 53 does not say where".to_owned();
                return Err(CallError::Unanswered { call: "ListResourceRecordSets", why });
            }
            _ => None,
        };
        Ok((readable(page.resource_record_sets()), next))
    }
}

impl RecordReader for Reader {
    async fn record_sets(&self, zone: &str, names: &Names) -> Result<Vec<RecordSet>, CallError> {
        walk(names, async |start| self.page(zone, start).await).await
    }

    async fn change_status(&self, id: &str) -> Result<ChangeStatus, CallError> {
        match self.client.get_change().id(id).send().await {
            Ok(answer) => match answer.change_info().map(|info| info.status()) {
                Some(SdkStatus::Insync) => Ok(ChangeStatus::InSync),
                _ => Ok(ChangeStatus::Pending),
            },
            // "Stranded changes … resubmit" (Route 53 developer guide, "Accelerated recovery").
            Err(error) => match CallError::of("GetChange", error) {
                refused if refused.is_refused_with("NoSuchChange") => Ok(ChangeStatus::Lost),
                other => Err(other),
            },
        }
    }

    fn now(&self) -> Timestamp {
        self.session.clock().now()
    }

    async fn wait(&self, seconds: u32) {
        self.session.clock().wait(seconds).await;
    }
}

impl Writer {
    /// A writer with the session's settings.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        let (zones, checks) = (session.zone_config(), session.config());
        let pins = Client::from_conf(builder(session, zones, WaitsOutThrottling::ForPins).build());
        Self { client: client(session, zones), pins, checks: client(session, checks) }
    }
}

impl RecordWriter for Writer {
    async fn submit(&self, batch: &change::Batch) -> Result<String, CallError> {
        const CALL: &str = "ChangeResourceRecordSets";
        let never_sent = |why: String| CallError::NeverSent { call: CALL, why };
        let changes =
            batch.changes().map(to_sdk).collect::<Result<Vec<_>, _>>().map_err(|e| never_sent(e.to_string()))?;
        let sdk_batch = ChangeBatch::builder()
            .comment(comment(batch))
            .set_changes(Some(changes))
            .build()
            .map_err(|error| never_sent(error.to_string()))?;
        let client = if batch.changes_records() { &self.pins } else { &self.client };
        let answer = client
            .change_resource_record_sets()
            .hosted_zone_id(&batch.zone)
            .change_batch(sdk_batch)
            .send()
            .await
            .map_err(|error| CallError::of(CALL, error))?;
        match answer.change_info() {
            Some(info) => Ok(info.id().trim_start_matches("/change/").to_owned()),
            None => Err(CallError::Unknown { call: CALL, why: "the answer names no change".to_owned() }),
        }
    }
}

/// What the change is about, for whoever lists the zone's changes.
fn comment(batch: &change::Batch) -> String {
    let names: Vec<_> = batch.writes.iter().take(3).map(|write| write.name.to_string()).collect();
    let mut comment = format!("Holdfast: {}", names.join(", "));
    comment.truncate(comment.floor_char_boundary(COMMENT_BYTES_MAX));
    comment
}

impl HealthCheckWriter for Writer {
    async fn set_disabled(&self, check: &str, disabled: bool) -> Result<(), CallError> {
        let call = self.checks.update_health_check().health_check_id(check).disabled(disabled).send();
        call.await.map(drop).map_err(|error| CallError::of("UpdateHealthCheck", error))
    }
}

#[cfg(test)]
mod tests {
    use failover::record::{Role, Routing, Target};

    use super::*;

    fn sample(routing: Routing, target: Target) -> RecordSet {
        let name = "*.example.com".parse().unwrap();
        RecordSet { name, kind: "A".to_owned(), routing, target, health_check: Some("hc".to_owned()) }
    }

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn every_pair_of_a_zone_means_its_pairs_and_whatever_a_register_speaks_of() {
        let values = Target::Values { ttl_seconds: 60, values: vec!["192.0.2.1".to_owned()] };
        let pair = Routing::Failover { role: Role::Primary, set_identifier: "p".to_owned() };
        let plain = |text| RecordSet { name: name(text), ..sample(Routing::Simple, values.clone()) };
        let mail =
            RecordSet { name: name("mail.example.com"), kind: "MX".to_owned(), ..sample(pair.clone(), values.clone()) };
        let drill = RecordSet {
            name: name("holdfast-drill-20261130t012650z-1f.example.com"),
            ..sample(pair.clone(), values.clone())
        };
        let sets = [
            sample(pair, values.clone()),
            plain("plain.example.com"),
            mail,
            plain("_holdfast.gone.example.com"),
            plain("_holdfast.holdfast-drill-20261130t012650z-1f.example.com"),
            drill,
        ];
        assert_eq!(names_with_pairs(&sets), [name("*.example.com"), name("gone.example.com")]);
    }

    /// A zone whose pages hold the wanted names and one other.
    struct Zone {
        sets: Vec<RecordSet>,
        asked: std::cell::RefCell<Vec<Vec<String>>>,
    }

    impl RecordReader for Zone {
        async fn record_sets(&self, _: &str, names: &Names) -> Result<Vec<RecordSet>, CallError> {
            let Names::Listed(names) = names else { panic!("names are asked for") };
            self.asked.borrow_mut().push(names.iter().map(ToString::to_string).collect());
            let wanted = self.sets.iter().filter(|set| names.contains(&set.name));
            let neighbour = self.sets.iter().find(|set| !names.contains(&set.name));
            Ok(wanted.chain(neighbour).cloned().collect())
        }

        async fn change_status(&self, _: &str) -> Result<ChangeStatus, CallError> {
            Ok(ChangeStatus::Pending)
        }

        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn wait(&self, seconds: u32) {
            panic!("it waits for {seconds} s")
        }
    }

    #[tokio::test]
    async fn a_listed_name_is_looked_at_with_the_records_that_its_aliases_lead_through_and_each_once() {
        let values = |ttl_seconds| Target::Values { ttl_seconds, values: vec!["192.0.2.1".to_owned()] };
        let own = |of: &str| Target::Alias { zone: "Z1".to_owned(), name: of.to_owned(), evaluate_health: false };
        let half = |role, target| {
            let routing = Routing::Failover { role, set_identifier: format!("{role:?}") };
            RecordSet { name: name("app.example.com"), ..sample(routing, target) }
        };
        let leaf = |of: &str, target| RecordSet { name: name(of), ..sample(Routing::Simple, target) };
        let sets = vec![
            leaf("two.example.com", values(3_600)),
            leaf("one.example.com", own("two.example.com.")),
            half(Role::Primary, own("one.example.com")),
            half(Role::Secondary, values(60)),
        ];
        let zone = Zone { sets, asked: std::cell::RefCell::default() };
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["app.example.com"]}],
            "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:a"],"limits":{"lag_seconds_max":60,"settle_seconds":900,
            "cooldown_seconds":3600,"drain_seconds":60,"detection_seconds_max":2400}}"#;
        let views = protected_names(&Plan::parse(plan).unwrap(), &zone).await.unwrap();
        assert_eq!(views[0].ttl_seconds(), 3_600);
        assert_eq!(views[0].aliased.len(), 2, "no set is counted twice: {:?}", views[0].aliased);
        assert_eq!(
            *zone.asked.borrow(),
            [["app.example.com"], ["one.example.com"]],
            "the first page had two.example.com"
        );
    }

    #[test]
    fn a_comment_is_cut_where_route_53_would_refuse_it() {
        let long = |nth: usize| format!("{}.{}.{nth}.example.com", "a".repeat(60), "b".repeat(60)).parse().unwrap();
        let register = Register::disarmed(Timestamp::UNIX_EPOCH, String::new());
        let write =
            |name| change::Write { zone: "Z1".to_owned(), name, register: register.clone(), changes: Vec::new() };
        let batch = |writes| change::Batch { zone: "Z1".to_owned(), writes };
        let three = comment(&batch((0..3).map(long).map(write).collect()));
        assert_eq!(three.len(), 256);
        assert!(three.starts_with("Holdfast: aaa"));
        assert_eq!(comment(&batch(vec![write(name("a.example.com"))])), "Holdfast: a.example.com");
    }
}
