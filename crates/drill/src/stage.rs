//! The stage of a drill: a workload in two regions, Holdfast deployed from its templates, and users.

mod operator;
pub(crate) mod parameters;
pub(crate) mod records;
pub mod shop;
pub mod standby;
pub mod steps;
pub mod targets;
pub mod unready;
pub(crate) mod workload;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use failover::register::Register;
use jiff::{SignedDuration, Timestamp};
use lab::route53::{Kind as RecordKind, RecordSet, Target};
use lab::{Lab, Options, rds, template};

use crate::client::Clients;
use crate::databases::Databases;
pub use crate::databases::{Database, Kind};
use crate::files::{DETECTOR_TEMPLATE, ORDERS_TABLE, TEMPLATE};
use crate::plan::Plan;
pub use crate::regions::{DETECTOR, DR, ELSEWHERE, PRIMARY};
pub use operator::{APPROVER, Credentials, DRILLER, MAINTAINER, OPERATOR, READER};
pub use parameters::name_servers;
pub(crate) use parameters::{CLOCK, NAME_SERVERS};
use parameters::{Stacks, endpoint_parameters, one_stack_parameters, parameters_of};
pub(crate) use records::LONG_TTL_SECONDS;
use records::{create_crowd, create_endpoints, create_pairs, create_plain_pairs, route53};
use shop::Shop;
pub use workload::Workload;
use workload::{create_databases, create_zones, open_sites};

/// The Aurora cluster in the DR region; the primary's is `app`.
pub const CLUSTER: &str = "app-dr";
/// What it replicates.
pub const CLUSTER_SOURCE: &str = "app";
/// The global database that the cluster is in, on a stage that has one.
pub const GLOBAL: &str = "world";
/// The RDS instance in the DR region; the primary's is `orders`.
pub const INSTANCE: &str = "orders-dr";

/// The addresses of the two sites; both on one port, since DNS gives no port.
pub const PRIMARY_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 10, 1));
/// See [`PRIMARY_ADDRESS`].
pub const DR_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 20, 1));

/// The protected names: pairs of A and AAAA under one name, a wildcard, aliases, CNAMEs, and the apex of a second zone.
pub const NAMES: [&str; 5] =
    ["app.example.com", "*.shop.example.com", "www.example.com", "login.example.com", "example.org"];
/// One name a user types for each of [`NAMES`].
pub const TYPED: [&str; 5] =
    ["app.example.com", "berlin.shop.example.com", "www.example.com", "login.example.com", "example.org"];

/// A security group in the primary region that lets nobody in.
pub const CLOSED_GROUP: &str = "sg-0c105ed";

/// What a drill may vary.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Decides everything left to chance.
    pub seed: u64,
    /// How many times faster than real time the lab runs while nobody works.
    pub speed: f64,
}

/// What the stage of a scenario has of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Parameters of the responder's template that differ from the usual.
    pub responder: &'static [(&'static str, &'static str)],
    /// Parameters of the detector's template that differ from the usual.
    pub detector: &'static [(&'static str, &'static str)],
    /// How many protected names there are besides [`NAMES`], over both zones.
    pub crowd: usize,
    /// Whether the DR region's stack is all there is (`Detection=dr-region`); the detector's parameters are then its own.
    pub one_stack: bool,
    /// What stands behind RDS.
    pub databases: Databases,
    /// Whether the usual workload's database is a global one.
    pub is_global: bool,
    /// Whether the sites are the application of examples/warm-standby.
    pub has_shop: bool,
    /// What is protected in the place of the usual, if it is a user's own plan. The parameters are then the plan's.
    pub plan: Option<&'static Plan>,
}

impl Layout {
    /// What is protected.
    #[must_use]
    pub fn workload(&self) -> Workload {
        let usual = match (self.is_global, self.has_shop) {
            (true, _) => Workload::on_global,
            (false, true) => Workload::of_shop,
            (false, false) => Workload::usual,
        };
        self.plan.map_or_else(usual, Workload::of)
    }
}

/// `SettleSeconds` of the template, where no layout says otherwise.
const SETTLE_SECONDS: u64 = 900;

/// Why the stage could not be set.
pub type SetupError = Box<dyn std::error::Error + Send + Sync>;

/// Everything on the stage.
#[derive(Debug)]
pub struct Stage {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The users.
    pub clients: Clients,
    /// Hosted zones by name.
    pub zones: BTreeMap<String, String>,
    /// What is protected.
    pub workload: Arc<Workload>,
    /// All records as they were before anything happened.
    pub original: Vec<RecordSet>,
    /// Id of the health check that informs people.
    pub endpoint_check: String,
    /// Id of the health check that moves DNS.
    pub failover_check: String,
    /// Id of the switch, where DNS moves by Holdfast alone.
    pub switch: Option<String>,
    /// When the switch was put on the records.
    pub adopted_at: Option<Timestamp>,
    /// How many names are protected.
    pub names: usize,
    /// Where the operators' command line finds a user for the databases, where these are real.
    pub asks_databases: Credentials,
    /// The application, where sites are that.
    pub shop: Option<Shop>,
    /// Where the functions and the operators' command line are.
    pub binaries: PathBuf,
    /// The port of both sites.
    port: u16,
    /// The parameters of the responder's stack.
    pub(crate) responder: BTreeMap<String, String>,
}

impl Stage {
    /// Sets the stage in a lab of its own, where people have the policies that the documentation gives them.
    ///
    /// # Errors
    /// If a part of it cannot be made; the message says which.
    pub async fn set(settings: Settings, layout: &Layout, lambdas: &Path) -> Result<Self, SetupError> {
        let lab = start_lab(settings, 0, 0).await?;
        let stage = Self::set_in(lab, settings.seed, layout, lambdas).await?;
        // The examples name the usual workload; whoever plays a plan is an administrator.
        if layout.plan.is_none() {
            stage.attach_policies()?;
        }
        Ok(stage)
    }

    /// Sets the stage in an empty lab: sites, databases, records, Holdfast, users.
    ///
    /// # Errors
    /// If a part of it cannot be made; the message says which.
    pub async fn set_in(lab: Arc<Lab>, seed: u64, layout: &Layout, lambdas: &Path) -> Result<Self, SetupError> {
        // Nothing waits for a clock while the stage is being set.
        let working = lab.clock.working();
        lab.rds.seed(seed);
        let workload = Arc::new(layout.workload());
        let (shop, port) = match layout.has_shop {
            true => Shop::open(&lab, &workload, lambdas).await.map(|(shop, port)| (Some(shop), port))?,
            false => (None, open_sites(&lab, &workload).await?),
        };
        layout.databases.stand_behind(&lab).await?;
        create_databases(&lab, &workload)?;
        rds::settle(&lab).await?;
        if shop.is_some() {
            drop(rds::session(&lab, PRIMARY, &workload.databases[0].source, &[ORDERS_TABLE]).await?);
        }
        let zones = create_zones(&lab, &workload)?;
        let client = route53(&lab);
        create_endpoints(&client, &zones[&workload.domains[0]], &workload.endpoints).await?;
        lab.functions.give_all(NAME_SERVERS, name_servers(&lab));
        lab.functions.give_all(CLOCK, lab.waits.to_string());
        let Stacks { mut responder, detector } = Stacks::of(&lab, layout, &workload, &zones, port).await?;
        let detector = match detector {
            None => None,
            Some(given) => {
                let outputs = deploy(&lab, lambdas, DETECTOR, "detector", DETECTOR_TEMPLATE, &given)?;
                let check = outputs["FailoverHealthCheckId"].clone();
                responder.entry("FailoverHealthCheckId".to_owned()).or_insert(check);
                Some(outputs)
            }
        };
        let mut outputs = deploy(&lab, lambdas, DR, "template", TEMPLATE, &responder)?;
        let check = |output: &str| detector.as_ref().unwrap_or(&outputs)[output].clone();
        let (endpoint_check, failover_check) = (check("EndpointHealthCheckId"), check("FailoverHealthCheckId"));
        match layout.plan {
            None => {
                create_pairs(&client, &zones, &failover_check).await?;
                create_crowd(&client, &zones, &failover_check, layout.crowd).await?;
            }
            Some(plan) => create_plain_pairs(&client, &zones, &failover_check, plan).await?,
        }
        drop(working);
        let original = records_of(&lab, &zones);
        let clients = Clients::new(&lab, port, if shop.is_some() { "/orders" } else { "/write" });
        clients.start(&workload.typed);
        let names = workload.names.len() + layout.crowd;
        Ok(Self {
            lab,
            clients,
            zones,
            workload,
            original,
            endpoint_check,
            failover_check,
            switch: outputs.remove("SwitchHealthCheckId"),
            adopted_at: None,
            names,
            asks_databases: Credentials::None,
            shop,
            binaries: lambdas.to_owned(),
            port,
            responder,
        })
    }

    /// Updates the responder's stack with these parameters changed, as `sam deploy` does: functions get new processes and
    /// what runs of the old ones ends in its own time.
    ///
    /// # Errors
    /// If the template refuses a parameter.
    pub fn update(&self, changed: &[(&str, &str)]) -> Result<(), SetupError> {
        self.update_to(TEMPLATE, changed)
    }

    /// The same with another template.
    ///
    /// # Errors
    /// If the template cannot be deployed.
    pub fn update_to(&self, template: &str, changed: &[(&str, &str)]) -> Result<(), SetupError> {
        let _working = self.lab.clock.working();
        let mut parameters = self.responder.clone();
        parameters.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        deploy(&self.lab, &self.binaries, DR, "template", template, &parameters).map(drop)
    }

    /// Goes from two stacks to one: the responder's stack gets what the detector was given. The detector and the records stay as they
    /// are; what is returned is the new stack's own endpoint check and failover check.
    ///
    /// # Errors
    /// If the template refuses a parameter.
    pub async fn go_to_one_stack(&mut self, outage_minutes: &str) -> Result<(String, String), SetupError> {
        let _working = self.lab.clock.working();
        self.responder.extend(endpoint_parameters(self.port, &self.workload.endpoints[0]));
        self.responder.extend(one_stack_parameters(&self.lab).await?);
        let changed = [("OutageMinutes", outage_minutes), ("FailoverHealthCheckId", "")];
        self.responder.extend(parameters_of(changed.map(|(name, value)| (name, value.to_owned()))));
        let before = self.records();
        let outputs = deploy(&self.lab, &self.binaries, DR, "template", TEMPLATE, &self.responder)?;
        // The stack's own, which it keeps.
        let is_new = |set: &RecordSet| before.iter().all(|old| old.key != set.key);
        self.original.extend(self.records().into_iter().filter(is_new));
        Ok((outputs["EndpointHealthCheckId"].clone(), outputs["FailoverHealthCheckId"].clone()))
    }

    /// Every record set of both zones.
    #[must_use]
    pub fn records(&self) -> Vec<RecordSet> {
        records_of(&self.lab, &self.zones)
    }

    /// Takes the records as they are now, but for registers, for what they were before anything happened.
    pub fn note_original(&mut self) {
        self.original =
            self.records().into_iter().filter(|set| !set.key.name.bare().starts_with("_holdfast.")).collect();
    }

    /// Protects the records of one of the first zone's names and one type, as their owner does.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub fn protect(&self, name: &str, kind: RecordKind, because: &str) -> Result<(), SetupError> {
        Ok(self.lab.route53.protect(&self.zones["example.com"], name, kind, Some(because))?)
    }

    /// Deletes that protection.
    ///
    /// # Errors
    /// If there is none.
    pub fn unprotect(&self, name: &str, kind: RecordKind) -> Result<(), SetupError> {
        Ok(self.lab.route53.unprotect(&self.zones["example.com"], name, kind)?)
    }

    /// Waits until `holds`, looking every few lab seconds; false if it does not within the limit.
    pub async fn until(&self, limit: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(5);
        // A look takes a while on a busy machine; lab time must not run ahead meanwhile.
        let mut working = self.lab.clock.working();
        let limit = self.lab.clock.now() + SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        while !holds(self) {
            let now = self.lab.clock.now();
            if now >= limit {
                return false;
            }
            drop(working);
            working = self.lab.clock.work_at(now + LOOK_EVERY).await;
        }
        true
    }

    /// Lets lab time pass.
    pub async fn minutes(&self, minutes: u64) {
        self.lab.clock.sleep(Duration::from_secs(minutes * 60)).await;
    }

    /// What the registers say now, by protected name; unreadable ones are missing.
    #[must_use]
    pub fn registers(&self) -> BTreeMap<String, Register> {
        let records = self.records().into_iter();
        records
            .filter_map(|set| {
                let name = set.key.name.bare();
                let protected = name.strip_prefix("_holdfast.")?.to_owned();
                let Target::Values { values, .. } = &set.target else { return None };
                let text = values.first()?.trim_matches('"').replace("\" \"", "");
                Some((protected.replace("\\052", "*"), Register::parse(&text).ok()?))
            })
            .collect()
    }

    /// What Holdfast's event bus is called.
    #[must_use]
    pub fn bus(&self) -> &str {
        self.responder.get("BusName").map_or("holdfast", String::as_str)
    }

    /// How long all must have been well before a name arms itself, or an alarm asks nobody.
    #[must_use]
    pub fn settle_seconds(&self) -> u64 {
        let given = self.responder.get("SettleSeconds");
        given.and_then(|seconds| seconds.parse().ok()).unwrap_or(SETTLE_SECONDS)
    }

    /// True if every protected name's register is as `wanted` says.
    #[must_use]
    pub fn all_registers(&self, wanted: impl Fn(&Register) -> bool) -> bool {
        let registers = self.registers();
        registers.len() == self.names && registers.values().all(wanted)
    }
}

/// An empty lab on the loopback interface; port 0 takes any free one.
///
/// # Errors
/// If a port cannot be bound.
pub async fn start_lab(settings: Settings, port: u16, dns_port: u16) -> Result<Arc<Lab>, SetupError> {
    let loopback = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
    let start = "2026-01-05T09:00:00Z".parse::<Timestamp>()? + SignedDuration::from_secs(seeded_offset(settings.seed));
    let (endpoint, dns) = (loopback(port), loopback(dns_port));
    Ok(Lab::start(&Options { start, speed: settings.speed, endpoint, dns }).await?)
}

/// Drills of different seeds begin at different seconds of a minute, since much happens by the minute.
fn seeded_offset(seed: u64) -> i64 {
    i64::try_from(seed.wrapping_mul(37) % 60).unwrap_or_default()
}

fn records_of(lab: &Lab, zones: &BTreeMap<String, String>) -> Vec<RecordSet> {
    zones.values().flat_map(|zone| lab.route53.records(zone)).collect()
}

pub(crate) fn deploy(
    lab: &Arc<Lab>,
    binaries: &Path,
    region: &str,
    stack: &str,
    yaml: &str,
    parameters: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, SetupError> {
    Ok(template::deploy(lab, region, stack, yaml, parameters, &|binary| binaries.join(&binary.name))?)
}
