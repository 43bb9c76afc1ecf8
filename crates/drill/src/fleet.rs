//! Many workloads in one account: a stack and a name each, all names in one zone, and one region with all of their primaries in it.

mod pinned;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::report::Page;
use jiff::{SignedDuration, Timestamp};
use lab::Lab;
use lab::journal::What;

use crate::check::Checked;
use crate::evidence::{OUTAGE, Reached};
use crate::files::TEMPLATE;
use crate::permissions::Permissions;
use crate::report::{Report, Verdict};
use crate::scenario::started;
use crate::stage::{DR, PRIMARY, Settings, SetupError, start_lab};
pub use pinned::PINNED_IN_TIME;
use pinned::{Asked, Pinned};
use site::Site;

/// What each workload's stack gets beside its names.
const PARAMETERS: [(&str, &str); 4] =
    [("DnsMoves", "by-holdfast"), ("OutageMinutes", "5"), ("SettleSeconds", "120"), ("DetectionSecondsMax", "900")];

const PATIENCE: Duration = Duration::from_secs(45 * 60);

/// Everything on the stage.
struct Fleet {
    lab: Arc<Lab>,
    site: Site,
    /// The workloads' names, which their buses have too.
    names: Vec<String>,
}

/// What the account's Route 53 was asked in peace.
struct Quiet {
    minutes: f64,
    calls: Vec<Asked>,
}

/// Plays it: all is quiet for a while, and then all of them fail over at once.
///
/// # Errors
/// If the stage cannot be set, or something that must happen does not.
pub fn play(count: u16, settings: Settings, lambdas: &Path) -> Result<Report, SetupError> {
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (checks, stages) = runtime.block_on(async {
        let fleet = Fleet::deploy(count, settings, lambdas).await?;
        eprintln!("{count} stacks are deployed; until every name is armed and on its switch …");
        fleet.arm().await?;
        let quiet = fleet.quiet(count).await;
        eprintln!("the primary region goes down …");
        let outage_at = fleet.lab.clock.now();
        fleet.lab.record(What::Fault { what: OUTAGE.to_owned() });
        fleet.lab.faults.fail_region(PRIMARY);
        fleet.until("every name is pinned", |fleet| fleet.pinned(outage_at).len() == fleet.names.len()).await?;
        // Lab time in which the mail of the last pin arrives.
        fleet.lab.clock.sleep(Duration::from_secs(120)).await;
        Ok::<_, SetupError>(fleet.judge(&quiet, outage_at))
    })?;
    runtime.shutdown_background();
    let verdict = if checks.iter().all(|check| check.held) { Verdict::Passed } else { Verdict::Failed };
    Ok(Report {
        scenario: "many workloads in one account",
        seed: settings.seed,
        verdict,
        checks,
        stages,
        rto_seconds: None,
        interruption_seconds: None,
        rpo_seconds: None,
        rpo_writes: 0,
        real_seconds: began.elapsed().as_secs_f64(),
        plan: None,
        again: format!("{} --workloads {count} --seed {}", started(), settings.seed),
        permissions: Permissions::default(),
        page: Page::default(),
    })
}

impl Fleet {
    async fn deploy(count: u16, settings: Settings, lambdas: &Path) -> Result<Self, SetupError> {
        let lab = start_lab(settings, 0, 0).await?;
        let _working = lab.clock.working();
        let site = Site::open(&lab).await?;
        let yaml = TEMPLATE;
        let mut names = Vec::new();
        for nth in 1..=count {
            let name = format!("w{nth:02}");
            let mut own = BTreeMap::from(PARAMETERS.map(|(key, value)| (key.to_owned(), value.to_owned())));
            for (key, value) in [
                ("BusName", name.clone()),
                ("RecordNames", domain(&name)),
                ("OperatorEmail", mailbox(&name)),
                // A listing a minute for all of them.
                ("ListingMinutesMax", (count + 1).to_string()),
            ] {
                own.insert(key.to_owned(), value);
            }
            let outputs = site.deploy(&lab, lambdas, &name, yaml, &own)?;
            site.create_pair(&domain(&name), &outputs["FailoverHealthCheckId"]).await?;
            names.push(name);
        }
        Ok(Self { lab, site, names })
    }

    /// Until every name has armed itself; then the switch is put on it, as infrastructure code does.
    async fn arm(&self) -> Result<(), SetupError> {
        self.until("every name is armed", |fleet| {
            fleet.names.iter().all(|name| fleet.register(name).contains("armed"))
        })
        .await?;
        let switch_of = |name: &String| {
            let record = self.lab.stacks.properties(DR, name, "SwitchPrimaryRecord")?;
            Some((domain(name), record["HealthCheckId"].as_str()?.to_owned()))
        };
        let switches: Option<Vec<_>> = self.names.iter().map(switch_of).collect();
        self.site.put_on_primaries(&switches.ok_or("a stack has no switch")?).await?;
        // Asks nobody any more, and every look has seen the switch.
        self.lab.clock.sleep(Duration::from_secs(600)).await;
        Ok(())
    }

    /// Watches as many minutes as there are workloads.
    async fn quiet(&self, count: u16) -> Quiet {
        let began = self.lab.clock.now();
        self.lab.clock.sleep(Duration::from_secs(60 * u64::from(count.max(10)))).await;
        let ended = self.lab.clock.now();
        let minutes = ended.duration_since(began).as_secs_f64() / 60.0;
        Quiet { minutes, calls: self.calls(began, ended) }
    }

    /// What the functions asked of Route 53.
    fn calls(&self, from: Timestamp, to: Timestamp) -> Vec<Asked> {
        let entries = self.lab.journal.entries();
        let during = entries.iter().filter(|entry| from <= entry.at && entry.at < to);
        let calls = during.filter_map(|entry| match &entry.what {
            What::Call { caller, service, action, error, .. } if service == "route53" => self
                .owner(caller)
                .map(|_| Asked { function: caller.clone(), action: action.clone(), is_refused: error.is_some() }),
            _ => None,
        });
        calls.collect()
    }

    /// The workload whose function or resource this is.
    fn owner(&self, text: &str) -> Option<&String> {
        self.names.iter().find(|name| text.starts_with(&format!("{name}-")))
    }

    fn register(&self, name: &str) -> String {
        let sets = self.lab.route53.records(&self.site.zone).into_iter();
        let of_name = |set: &lab::route53::RecordSet| set.key.name.bare() == format!("_holdfast.{}", domain(name));
        sets.filter(of_name).flat_map(|set| set.values().to_vec()).collect()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) -> Result<(), SetupError> {
        let deadline = self.lab.clock.now() + SignedDuration::try_from(PATIENCE)?;
        while !holds(self) {
            if self.lab.clock.now() > deadline {
                return Err(format!("waited in vain until {what}").into());
            }
            self.lab.clock.sleep(Duration::from_secs(10)).await;
        }
        Ok(())
    }

    /// When a workload's alarm rang.
    fn alarm(&self, name: &str, since: Timestamp) -> Option<Timestamp> {
        let alarm = format!("{name}-prolonged-outage-5min");
        let rings = |what: &What| matches!(what, What::Alarm { name, to, .. } if to == "ALARM" && *name == alarm);
        self.lab.journal.entries().iter().find(|entry| entry.at >= since && rings(&entry.what)).map(|entry| entry.at)
    }

    /// When a workload's name was pinned.
    fn pin(&self, name: &str, since: Timestamp) -> Option<Timestamp> {
        let is_pin = |what: &What| matches!(what, What::Change { status, names, .. } if status == "PENDING" && names.contains(&domain(name)));
        self.lab.journal.entries().iter().find(|entry| entry.at >= since && is_pin(&entry.what)).map(|entry| entry.at)
    }

    /// Each workload's alarm and pin, by the alarms.
    fn pinned(&self, since: Timestamp) -> Vec<Pinned> {
        let of = |name: &String| Some(Pinned { alarm: self.alarm(name, since)?, pin: self.pin(name, since)? });
        let mut pinned: Vec<_> = self.names.iter().filter_map(of).collect();
        pinned.sort_by_key(|one| one.alarm);
        pinned
    }

    fn judge(&self, quiet: &Quiet, outage_at: Timestamp) -> (Vec<Checked>, Vec<Reached>) {
        let pinned = self.pinned(outage_at);
        let (first, last) = (pinned.first().map(|one| one.alarm), pinned.iter().map(|one| one.pin).max());
        let calls = first.zip(last).map(|(first, last)| self.calls(first, last)).unwrap_or_default();
        let checks = vec![
            self.stands_apart(),
            self.metrics_stand_apart(),
            self.mail_stands_apart(),
            once_a_minute(quiet),
            pinned::in_time(&pinned, self.names.len(), &calls),
        ];
        let stage = |name, at: Option<Timestamp>| {
            at.map(|at| Reached { name, at_seconds: at.duration_since(outage_at).as_secs_f64() })
        };
        let stages = [
            ("first failover alarm", first),
            ("last failover alarm", pinned.last().map(|one| one.alarm)),
            ("first pin requested", pinned.iter().map(|one| one.pin).min()),
            ("last pin requested", last),
        ];
        (checks, stages.into_iter().filter_map(|(name, at)| stage(name, at)).collect())
    }

    /// Whatever has a name of its own in the account: alarms, dashboards, functions, rules, buses, topics, tables.
    fn stands_apart(&self) -> Checked {
        let (mut seen, mut twice, mut foreign) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for stack in &self.names {
            for (id, kind) in self.lab.stacks.kinds(DR, stack) {
                let properties = self.lab.stacks.properties(DR, stack, &id).unwrap_or_default();
                // A failover pair is two records of one name.
                let own = properties.as_object().into_iter().flatten().filter(|_| !kind.ends_with("RecordSet"));
                let named =
                    own.filter(|(key, _)| key.ends_with("Name") && kind.ends_with(key.trim_end_matches("Name")));
                for name in named.filter_map(|(_, name)| name.as_str()) {
                    if !seen.insert((kind.clone(), name.to_owned())) {
                        twice.insert(format!("{kind} {name}"));
                    }
                    if !name.contains(&format!("{stack}-")) && name != stack {
                        foreign.insert(format!("{kind} {name}"));
                    }
                }
            }
        }
        let detail =
            format!("{} named resources; twice {twice:?}, without the workload's name {foreign:?}", seen.len());
        let held = !seen.is_empty() && twice.is_empty() && foreign.is_empty();
        Checked { name: "every resource that has a name has the workload's, and no two have the same", held, detail }
    }

    fn metrics_stand_apart(&self) -> Checked {
        let metrics = self.lab.cloudwatch.metrics(DR);
        let ours: Vec<_> = metrics.iter().filter(|metric| metric.namespace == "Holdfast").collect();
        let function = |metric: &&lab::cloudwatch::MetricId| {
            metric.dimensions.iter().find(|it| it.name == "Function").map(|it| it.value.clone())
        };
        let nobodys = ours.iter().filter(|metric| function(metric).is_none_or(|of| self.owner(&of).is_none())).count();
        let armed = ours.iter().filter(|metric| metric.name == "ArmedNames").filter_map(function);
        let armed: BTreeSet<_> = armed.filter_map(|of| self.owner(&of).cloned()).collect();
        let detail = format!("{} metrics, {nobodys} of nobody; ArmedNames of {} workloads", ours.len(), armed.len());
        let held = nobodys == 0 && armed.len() == self.names.len();
        Checked { name: "every metric says whose it is", held, detail }
    }

    /// Each workload has a mailbox of its own.
    fn mail_stands_apart(&self) -> Checked {
        let (mut mails, mut wrong, mut told) = (0, BTreeSet::new(), BTreeSet::new());
        for entry in &self.lab.journal.entries() {
            let What::Mail { to, subject, body, .. } = &entry.what else { continue };
            let Some(name) = self.names.iter().find(|name| mailbox(name) == *to) else { continue };
            mails += 1;
            let subject = subject.clone().unwrap_or_default();
            let names_another = |text: &str| {
                let others = self.names.iter().filter(|other| *other != name);
                others.into_iter().any(|other| text.contains(&domain(other)) || text.contains(&format!("{other}-")))
            };
            if !subject.contains(name.as_str()) || names_another(&subject) || names_another(body) {
                wrong.insert(format!("{to}: {subject}"));
            }
            if subject.contains("pinned to DR") || subject.contains("COMMITTED") {
                told.insert(name);
            }
        }
        let detail = format!("{mails} mails, of a failover to {} workloads; not told apart: {wrong:?}", told.len());
        let held = wrong.is_empty() && told.len() == self.names.len();
        Checked { name: "every message names its workload in its subject, and no other's", held, detail }
    }
}

fn once_a_minute(quiet: &Quiet) -> Checked {
    let mut of_function: BTreeMap<&str, usize> = BTreeMap::new();
    for call in quiet.calls.iter().filter(|call| call.action == "ListResourceRecordSets") {
        *of_function.entry(&call.function).or_default() += 1;
    }
    let listings: usize = of_function.values().sum();
    #[expect(clippy::cast_precision_loss, reason = "some hundreds of calls")]
    let (a_minute, all) = (listings as f64 / quiet.minutes, quiet.calls.len() as f64 / quiet.minutes);
    let detail = format!(
        "{listings} listings by {} functions in {:.0} quiet minutes, {} of one at most: {a_minute:.2} a minute; {all:.2} calls a minute of \
         Route 53's 300",
        of_function.len(),
        quiet.minutes,
        of_function.values().max().copied().unwrap_or_default(),
    );
    let name = "in peace all workloads together list the zone at most once a minute";
    Checked { name, held: a_minute <= 1.0, detail }
}

fn domain(workload: &str) -> String {
    format!("{workload}.example.com")
}

fn mailbox(workload: &str) -> String {
    format!("{workload}@example.com")
}
