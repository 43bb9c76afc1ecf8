//! What is protected on a stage: the usual workload of the drills, or a user's own plan.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lab::site::Sites;
use lab::{Lab, rds};

use super::{
    CLOSED_GROUP, CLUSTER, CLUSTER_SOURCE, DR, DR_ADDRESS, GLOBAL, INSTANCE, NAMES, PRIMARY, PRIMARY_ADDRESS,
    SetupError, TYPED,
};
use crate::databases::{Database, Kind};
use crate::plan::Plan;

/// Users beyond these would slow the lab down, and see the same.
const USERS_MAX: usize = 20;

/// What all takes at most from an outage to the end of its failover, but for what a plan adds to it.
const FAILED_OVER_WITHIN: Duration = Duration::from_secs(180 * 60);

/// What is protected.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Domains of the hosted zones, the first one's first.
    pub domains: Vec<String>,
    /// The names by which the two sites are reached past all failover: the primary's, and DR's.
    pub endpoints: [String; 2],
    /// The protected names, zone by zone.
    pub names: Vec<String>,
    /// What users type, each something that one of the names answers for.
    pub typed: Vec<String>,
    /// The replicas; users write to the first, and to its source.
    pub databases: Vec<Database>,
    /// Where users' writes are in real ones.
    pub table: &'static str,
    /// How many seconds of writes may be lost.
    pub loss_seconds_max: f64,
    /// After which a failover counts as failed.
    pub failed_over_within: Duration,
    /// The user's plan, if it is one.
    pub plan: Option<&'static Plan>,
}

impl Workload {
    /// What all drills but a user's own plan are about.
    #[must_use]
    pub fn usual() -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let database = |id: &str, source: &str, kind| Database { id: id.to_owned(), source: source.to_owned(), kind };
        Self {
            domains: owned(&["example.com", "example.org"]),
            endpoints: ["primary", "dr"].map(|site| format!("{site}.example.com")),
            names: owned(&NAMES),
            typed: owned(&TYPED),
            databases: vec![
                database(CLUSTER, CLUSTER_SOURCE, Kind::Cluster),
                database(INSTANCE, "orders", Kind::Instance),
            ],
            table: "writes",
            loss_seconds_max: 60.0,
            failed_over_within: FAILED_OVER_WITHIN,
            plan: None,
        }
    }

    /// The usual one on a global database, and no other.
    #[must_use]
    pub fn on_global() -> Self {
        let kind = Kind::Global(GLOBAL.to_owned());
        let database = Database { id: CLUSTER.to_owned(), source: CLUSTER_SOURCE.to_owned(), kind };
        Self { databases: vec![database], ..Self::usual() }
    }

    /// The usual one of the application of examples/warm-standby, whose orders are in one cluster.
    #[must_use]
    pub fn of_shop() -> Self {
        let usual = Self::usual();
        let clusters = usual.databases.iter().filter(|database| database.kind == Kind::Cluster);
        Self { databases: clusters.cloned().collect(), table: "orders", ..usual }
    }

    /// True of the replicas, by what they are called.
    #[must_use]
    pub fn has_database(&self, id: &str) -> bool {
        self.databases.iter().any(|database| database.id == id)
    }

    /// What a user's plan is about.
    #[must_use]
    pub fn of(plan: &'static Plan) -> Self {
        let names: Vec<_> = plan.zones.iter().flat_map(|zone| zone.names.clone()).collect();
        let typed = names.iter().take(USERS_MAX).map(|name| name.replace('*', "holdfast-drill"));
        let domains: Vec<_> = plan.zones.iter().map(|zone| zone.domain.clone()).collect();
        Self {
            endpoints: ["primary", "dr"].map(|site| format!("holdfast-drill-{site}.{}", domains[0])),
            domains,
            typed: typed.collect(),
            names,
            databases: plan.databases.clone(),
            table: "writes",
            loss_seconds_max: plan.loss_seconds_max().into(),
            failed_over_within: FAILED_OVER_WITHIN + Duration::from_secs(u64::from(plan.waits_minutes()) * 60),
            plan: Some(plan),
        }
    }
}

/// Opens both sites, each writing to its own region's first database; the port that both listen on.
pub(crate) async fn open_sites(lab: &Arc<Lab>, workload: &Workload) -> Result<u16, SetupError> {
    const ATTEMPTS_MAX: usize = 20;
    let Database { id, source, .. } = &workload.databases[0];
    for _ in 0..ATTEMPTS_MAX {
        let any = SocketAddr::new(PRIMARY_ADDRESS, 0);
        let port = Sites::open(lab, PRIMARY, any, (PRIMARY, source)).await?.port();
        // The port may be taken at the other address; then the first site stays where nobody looks for it.
        if Sites::open(lab, DR, SocketAddr::new(DR_ADDRESS, port), (DR, id)).await.is_ok() {
            return Ok(port);
        }
    }
    Err("no port is free at both sites' addresses".into())
}

pub(super) fn create_databases(lab: &Arc<Lab>, workload: &Workload) -> Result<(), SetupError> {
    rds::close_group(lab, CLOSED_GROUP);
    for Database { id, source, kind } in &workload.databases {
        if let Kind::Instance = kind {
            rds::create_instance(lab, PRIMARY, source, None)?;
            rds::create_instance(lab, DR, id, Some((PRIMARY, source)))?;
            continue;
        }
        rds::create_cluster(lab, PRIMARY, source, None, &[&format!("{source}-1")])?;
        let member = format!("{id}-1");
        match kind {
            Kind::Global(global) => rds::create_global(lab, global, (PRIMARY, source), (DR, id), &[&member])?,
            Kind::Instance | Kind::Cluster => {
                drop(rds::create_cluster(lab, DR, id, Some((PRIMARY, source)), &[&member])?);
            }
        }
    }
    if let Some(minutes) = workload.plan.and_then(|plan| plan.facts.promotion_minutes) {
        let seconds = i64::from(minutes) * 60;
        lab.rds.set_promotion_seconds(seconds..=seconds);
    }
    Ok(())
}

/// The hosted zones, by domain.
pub(super) fn create_zones(lab: &Lab, workload: &Workload) -> Result<BTreeMap<String, String>, SetupError> {
    let now = lab.clock.now();
    let mut zones = BTreeMap::new();
    for domain in &workload.domains {
        zones.insert(domain.clone(), lab.route53.create_zone(now, domain)?);
    }
    Ok(zones)
}
