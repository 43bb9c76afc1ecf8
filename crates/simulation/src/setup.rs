//! The workloads that simulations protect.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws::store::Item;
use failover::change::Change;
use failover::listing::Listing;
use failover::name::Name;
use failover::observation::NameView;
use failover::plan::{Mode, Names, Plan, ProbeUrls, ReplicaId, Zone};
use failover::record::{RecordSet, Role, Routing, Target};
use failover::register::{ArmedBy, Reading, Register};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::holdfast::Holdfast;
use crate::primary::CLOSED;
use crate::sabotage::Sabotage;
use crate::watch::Author;
use crate::world::World;

/// When every simulation begins.
#[must_use]
pub fn start() -> Timestamp {
    // 2026-01-01T12:00:00Z
    Timestamp::from_second(1_767_268_800).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A workload: some names, some databases, a mode.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many of [`NAMES`] are protected.
    pub names: usize,
    /// Aurora clusters.
    pub clusters: usize,
    /// RDS instances.
    pub instances: usize,
    /// Clusters of global databases.
    pub globals: usize,
    /// Who decides.
    pub mode: Mode,
    /// Whether the plan gives probe URLs.
    pub probes: bool,
    /// Whether old writers are to be fenced: an Aurora cluster and an RDS instance.
    pub fence: bool,
    /// Whether PRIMARY records stand on the switch, and failovers are committed beside Route 53.
    pub switch: bool,
    /// Whether users are not to be sent to DR before an alarm says that its targets are healthy.
    pub targets: bool,
    /// What the registers say at first; `None` leaves them absent.
    pub register: Option<Register>,
}

/// The health check of PRIMARY records that stand on the switch.
pub const SWITCH: &str = "switch-1";

/// The zone that a name is in.
pub(crate) fn zone_of(name: &Name) -> &'static str {
    if name.as_str().ends_with("org") { "Z2" } else { "Z1" }
}

/// Zones and names, in the order in which a setup protects them: one zone, more names, another zone.
pub const NAMES: [(&str, &str); 4] =
    [("Z1", "app.example.com"), ("Z1", "api.example.com"), ("Z2", "*.example.org"), ("Z2", "example.org")];

/// Every name and database; a setup takes some of them. Read once, since a million plans would be a million times the same text.
#[expect(clippy::expect_used, reason = "a constant that every test reads")]
static WHOLE_PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let listed =
        |zone: &str| -> Vec<&str> { NAMES.iter().filter(|(at, _)| *at == zone).map(|(_, name)| *name).collect() };
    let zones = ["Z1", "Z2"].map(|zone| json!({"id": zone, "names": listed(zone)}));
    let plan = json!({"mode": "automatic", "zones": zones,
        "aurora_clusters": ["app-dr-1", "app-dr-2"], "rds_instances": ["audit-dr-1", "audit-dr-2"],
        "aurora_global_clusters": ["world/shop-dr"],
        "probes": {"primary": "https://primary.example.net/health", "dr": "https://dr.example.net/health"},
        "failover_health_check": "hc-1", "switch": SWITCH,
        "hold_alarm": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:holdfast-hold-lapsed",
        "targets_alarm": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:dr-healthy",
        "latch": {"table": "holdfast", "pairs": "app.example.com", "margin_seconds": 120, "listing_minutes_max": 5},
        "fence": {"region": "us-east-1", "security_group": CLOSED, "aurora_clusters": ["app"], "rds_instances": ["audit"]},
        "alarms": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:holdfast-failover-started"],
        "limits": {"lag_seconds_max": 60, "settle_seconds": 900, "cooldown_seconds": 3600, "drain_seconds": 60,
            "detection_seconds_max": 2400}});
    Plan::parse(&plan.to_string()).expect("the plan is one")
});

impl Default for Setup {
    fn default() -> Self {
        let register = Register::armed(start() - SignedDuration::from_hours(24), ArmedBy::Operator);
        let (mode, register) = (Mode::Automatic, Some(register));
        Self {
            names: 3,
            clusters: 1,
            instances: 0,
            globals: 0,
            mode,
            probes: true,
            fence: false,
            switch: false,
            targets: false,
            register,
        }
    }
}

impl Setup {
    fn plan(&self) -> Plan {
        let whole = WHOLE_PLAN.clone();
        let mut names_left = self.names;
        let zones = whole.zones.into_iter().filter_map(|zone| {
            let Names::Listed(mut names) = zone.names else { return None };
            names.truncate(names_left);
            names_left -= names.len();
            (!names.is_empty()).then_some(Zone { names: Names::Listed(names), ..zone })
        });
        let left = |count: usize| std::cell::Cell::new(count);
        let (clusters, instances, globals) = (left(self.clusters), left(self.instances), left(self.globals));
        let is_wanted = |id: &ReplicaId| {
            let left = match id {
                ReplicaId::AuroraCluster(_) => &clusters,
                ReplicaId::RdsInstance(_) => &instances,
                ReplicaId::GlobalMember { .. } => &globals,
            };
            left.replace(left.get().saturating_sub(1)) > 0
        };
        let replicas = whole.replicas.into_iter().filter(is_wanted);
        Plan {
            mode: self.mode,
            zones: zones.collect(),
            heartbeats: BTreeMap::new(),
            replicas: replicas.collect(),
            probes: if self.probes { whole.probes } else { ProbeUrls::default() },
            fence: whole.fence.filter(|_| self.fence),
            failover_health_check: whole.failover_health_check,
            switch: whole.switch.filter(|_| self.switch),
            hold_alarm: whole.hold_alarm.filter(|_| self.switch),
            targets_alarm: whole.targets_alarm.filter(|_| self.targets),
            latch: whole.latch.filter(|_| self.switch),
            hosted_zone_role: whole.hosted_zone_role,
            has_steps: whole.has_steps,
            prepares: whole.has_steps,
            alarms: whole.alarms,
            rehearse: whole.rehearse,
            limits: whole.limits,
        }
    }

    fn records(&self) -> Vec<(String, RecordSet)> {
        let mut records = Vec::new();
        for (zone, name) in &NAMES[..self.names] {
            let Ok(name) = name.parse::<Name>() else { continue };
            let first = records.len();
            let has_two_types = *zone == "Z1" && name.as_str().starts_with("app");
            records.extend(pair(&name, "A", has_two_types));
            if has_two_types {
                records.extend(pair(&name, "AAAA", true));
            }
            let memory = NameView::of_name(zone, &name, &records[first..]).memory(start());
            let register = self.register.clone().map(|register| register.remembering(memory));
            records.extend(register.and_then(|register| register.record_set(&name).ok()));
            records.push(RecordSet {
                kind: "MX".to_owned(),
                routing: Routing::Simple,
                target: Target::Values { ttl_seconds: 300, values: vec!["10 mail.example.com".to_owned()] },
                health_check: None,
                name,
            });
        }
        let on_switch = |set: RecordSet| match &set.health_check {
            Some(_) if self.switch => RecordSet { health_check: Some(SWITCH.to_owned()), ..set },
            _ => set,
        };
        records.into_iter().map(|set| (zone_of(&set.name).to_owned(), on_switch(set))).collect()
    }

    /// Deploys Holdfast over this workload.
    #[must_use]
    pub fn deploy(&self) -> Holdfast {
        let plan = self.plan();
        let world = World::new(&plan, start(), self.records());
        let holdfast = Holdfast::new(plan, world.into());
        // As the last tick of peace left it.
        let listing = Listing::of(&holdfast.names(), start()).and_then(|listing| serde_json::to_string(&listing).ok());
        if let Some(listing) = listing.filter(|_| self.switch) {
            holdfast.world.get().store.insert(Item::Listing, listing);
        }
        holdfast
    }

    /// The same, with functions that break a rule.
    #[must_use]
    pub fn deploy_sabotaged(&self, sabotage: Sabotage) -> Holdfast {
        let mut holdfast = self.deploy();
        holdfast.plan = sabotage.plan(self.plan()).into();
        holdfast.sabotage = Some(sabotage);
        holdfast
    }
}

/// The TTL of the records, until a person gives them another.
pub(crate) const TTL_SECONDS: u32 = 20;

fn pair(name: &Name, kind: &str, is_alias: bool) -> [RecordSet; 2] {
    [(Role::Primary, "192.0.2"), (Role::Secondary, "198.51.100")].map(|(role, net)| {
        let set_identifier = format!("{role:?}").to_lowercase();
        let target = if is_alias {
            Target::Alias { zone: "Z9".to_owned(), name: format!("{net}.elb.example.net."), evaluate_health: false }
        } else {
            Target::Values { ttl_seconds: TTL_SECONDS, values: vec![format!("{net}.2"), format!("{net}.1")] }
        };
        let health_check = (role == Role::Primary).then(|| "hc-1".to_owned());
        let routing = Routing::Failover { role, set_identifier };
        RecordSet { name: name.clone(), kind: kind.to_owned(), routing, target, health_check }
    })
}

/// An operator's failback of every name.
///
/// # Errors
/// In words, if a name is not pinned or Route 53 refuses.
pub fn fail_back(holdfast: &Holdfast) -> Result<(), String> {
    holdfast.names().iter().try_for_each(|view| fail_back_one(holdfast, view))
}

/// An operator's failback of one name: in one batch the exact inverse of its pin, and the register armed anew.
///
/// # Errors
/// In words, if it is not pinned or Route 53 refuses.
pub fn fail_back_one(holdfast: &Holdfast, view: &NameView) -> Result<(), String> {
    let mut world = holdfast.world.get();
    let Reading::Known { set, register } = &view.register else {
        return Err(format!("{} has no register", view.name));
    };
    let armed = Register::armed(world.now, ArmedBy::Failback);
    let armed = armed.record_set(&view.name).map_err(|error| error.to_string())?;
    let mut changes = vec![Change::Delete(set.clone()), Change::Create(armed)];
    let pin = register.pin().ok_or_else(|| format!("{} is not pinned", view.name))?;
    for pair in view.pairs.as_deref().unwrap_or_default() {
        let primary = pair.primary();
        let target = pin.original.get(&primary.kind).cloned().ok_or("the register lacks a type")?;
        changes.push(Change::Delete(primary.clone()));
        changes.push(Change::Create(RecordSet { target, ..primary.clone() }));
    }
    world.submit(Author::Operator, &view.zone, changes.iter()).map(drop).map_err(|error| error.to_string())
}

/// An operator rewrites a name's register by hand and nothing else.
///
/// # Errors
/// In words, if it does not fit or Route 53 refuses.
pub fn write_registers(holdfast: &Holdfast, register: &Register) -> Result<(), String> {
    for view in holdfast.names() {
        let set = register.record_set(&view.name).map_err(|error| error.to_string())?;
        let mut world = holdfast.world.get();
        let before = world.route53.records(&view.zone).like(&set).cloned();
        let changes: Vec<_> = before.map(Change::Delete).into_iter().chain([Change::Create(set)]).collect();
        world.submit(Author::Operator, &view.zone, changes.iter()).map_err(|error| error.to_string())?;
    }
    Ok(())
}
