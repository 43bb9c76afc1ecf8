//! `holdfast drill`: a failover and a failback of a throw-away name, in the real zone, by the functions' own handlers. Nothing of production
//! is written, and nothing here could.

mod canary;
mod clean;
mod log;
mod play;
mod stand_ins;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use aws::dns::{NAME_SERVERS_VARIABLE, NameServers as _, Server};
use aws::route53::{RecordReader as _, protected_names};
use aws::zone;
use clap::Args;
use failover::incident::DRILL;
use failover::observation::NameView;
use failover::plan::{Limits, Mode, Names, Plan, ProbeUrls};
use futures_util::future::join_all;

use crate::failure::Failure;
use crate::terminal::{BAD, BOLD, GOOD, Terminal, WARNING, record};
use crate::workload::Workload;
use canary::Canary;
use log::Log;
use play::Play;
use stand_ins::Alarm;
use tokio::signal::unix::{SignalKind, signal};

/// The waits that people choose are cut to this: a drill is to end within minutes.
const WAIT_SECONDS_MAX: u32 = 60;

/// What a person may say beforehand.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The id of the hosted zone to drill in; else the first of the plan whose names are listed.
    #[arg(long, value_name = "ID")]
    pub zone: Option<String>,
    /// Write the report's page to this file.
    #[arg(long, value_name = "FILE")]
    pub page: Option<PathBuf>,
    /// Remove what drills left behind that were killed, and do nothing else.
    #[arg(long, conflicts_with = "page")]
    pub clean: bool,
}

/// A hosted zone.
#[derive(Clone, Debug)]
struct Zone {
    id: String,
    domain: String,
}

/// Drills, or cleans up after drills.
pub async fn run(
    workload: &Workload,
    terminal: &Terminal,
    dns: Option<SocketAddr>,
    options: &Options,
) -> Result<(), Failure> {
    let zone = zone_of(workload, options.zone.as_deref(), options.clean).await?;
    if options.clean {
        return clean::all(workload, terminal, &zone).await;
    }
    let before = protected_names(&workload.plan, &workload.records).await?;
    quiet(&before)?;
    let check = health_check(&before)?;
    let now = workload.records.now();
    let canary = Canary::new(&zone.id, &zone.domain, check, now, nonce());
    let canary = canary.map_err(|error| Failure::Usage(error.to_string()))?;
    let left = clean::look(workload, &zone).await?;
    under_way(terminal, &left);
    let left = left.without_young();
    confirm(terminal, &canary, &left)?;
    clean::remove_all(workload, &zone, &left).await?;
    let plan = plan_of(&workload.plan, &canary);
    let servers = servers(workload, dns, &canary).await;
    if servers.is_empty() {
        terminal.say(format!(
            "{WARNING}no name server of the zone can be asked from here{WARNING:#} (is port 53 blocked?): Route 53's word must do"
        ));
    }
    let alarm = Alarm::quiet(&plan.alarms[0], workload.records.now());
    let mut play = Play { workload, terminal, canary: &canary, plan: &plan, alarm, servers, log: Log::default() };
    let played = or_interrupted(Box::pin(play.play())).await;
    // Whatever became of it.
    let removed = clean::remove(workload, &canary).await;
    let ended = match removed {
        Ok(changes) if played.is_ok() => or_interrupted(play.gone(&changes)).await,
        Ok(_) => {
            terminal.say("what it made is removed");
            played
        }
        // The drill's own failure is why; what is still there is told beside it.
        Err(failure) => {
            terminal.say(format!("{WARNING}not cleaned up{WARNING:#}: {failure}"));
            played.and(Err(failure))
        }
    };
    unchanged(workload, &before, &play.log).await;
    finish(terminal, options, play.log, &canary, ended)
}

/// Tells one drill from another that begins in the same second.
fn nonce() -> u32 {
    // Seeded afresh by the operating system.
    let seed = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    u32::try_from(seed >> 32).unwrap_or_default()
}

/// Does the work, or ends it where a person (Ctrl-C) or a pipeline (SIGTERM) stops it: what was made is removed either way.
async fn or_interrupted(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let interrupted = async {
        let heard = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let (Ok(mut interrupt), Ok(mut terminate)) = heard else {
            // Nobody can be heard; a kill it is, then.
            return std::future::pending::<()>().await;
        };
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    tokio::select! {
        done = work => done,
        () = interrupted => Err(Failure::Refused("interrupted before its end".to_owned())),
    }
}

/// The zone to drill in. Where Holdfast protects every pair of a zone, the deployed functions would take the throw-away pair for one of
/// theirs; what is there already may be removed all the same.
async fn zone_of(workload: &Workload, given: Option<&str>, cleans: bool) -> Result<Zone, Failure> {
    let given = given.map(|id| id.trim_start_matches("/hostedzone/"));
    let zones = &workload.plan.zones;
    let is_whole = |id: &str| zones.iter().any(|zone| zone.id == id && zone.names == Names::EveryPair);
    let listed = || zones.iter().map(|zone| zone.id.as_str()).find(|id| cleans || !is_whole(id));
    let Some(id) = given.or_else(listed).filter(|id| cleans || !is_whole(id)) else {
        return Err(Failure::Refused(
            "nothing was made: with RecordNames=ALL the deployed functions would take the throw-away name for one of theirs, arm it and tell \
             of it; name another public zone of the account with --zone, or list the names in RecordNames"
                .to_owned(),
        ));
    };
    let features = zone::features(&workload.session, id).await?;
    match features.is_private {
        true => Err(Failure::Refused(format!(
            "nothing was made: {id} is a private zone, which no name server answers for in public"
        ))),
        false => Ok(Zone { id: id.to_owned(), domain: features.domain.trim_end_matches('.').to_lowercase() }),
    }
}

/// While users are on DR nobody needs a drill, and the health check that its PRIMARY record refers to may be unhealthy.
fn quiet(views: &[NameView]) -> Result<(), Failure> {
    match views.iter().find(|view| view.pin().is_some()) {
        None => Ok(()),
        Some(view) => Err(Failure::Refused(format!(
            "nothing was made: {} is pinned to DR, and a drill is for quiet times; `holdfast status` says how far the failover is",
            view.name
        ))),
    }
}

/// The health check of production's PRIMARY records: a PRIMARY record must refer to one, and to refer to it changes nothing of it.
fn health_check(views: &[NameView]) -> Result<&str, Failure> {
    let mut primaries = views.iter().flat_map(|view| view.pairs.iter().flatten().map(|pair| pair.primary()));
    primaries.find_map(|primary| primary.health_check.as_deref()).ok_or_else(|| {
        Failure::Refused(
            "nothing was made: no protected name has a failover pair yet, whose health check the drill's PRIMARY record could refer to; \
             `holdfast status` says what is missing"
                .to_owned(),
        )
    })
}

/// The deployed plan, for the throw-away name alone: no database, no probe, no switch, no latch, no fence, and an alarm of its own.
fn plan_of(deployed: &Plan, canary: &Canary) -> Plan {
    let limits = Limits {
        settle_seconds: deployed.limits.settle_seconds.min(WAIT_SECONDS_MAX),
        drain_seconds: deployed.limits.drain_seconds.min(WAIT_SECONDS_MAX),
        ..deployed.limits
    };
    Plan {
        mode: Mode::Automatic,
        zones: vec![failover::plan::Zone { id: canary.zone.clone(), names: Names::Listed(vec![canary.name.clone()]) }],
        hosted_zone_role: deployed.hosted_zone_role.clone(),
        replicas: Vec::new(),
        heartbeats: BTreeMap::new(),
        probes: ProbeUrls::default(),
        failover_health_check: None,
        switch: None,
        hold_alarm: None,
        targets_alarm: None,
        latch: None,
        fence: None,
        has_steps: false,
        prepares: false,
        alarms: vec![format!("arn:aws:cloudwatch:us-east-1:000000000000:alarm:{DRILL}")],
        rehearse: true,
        limits,
    }
}

/// The name servers that answer from here.
async fn servers(workload: &Workload, given: Option<SocketAddr>, canary: &Canary) -> Vec<Server> {
    // The variable names all of them, and is what the functions go by.
    let all = match given.filter(|_| std::env::var_os(NAME_SERVERS_VARIABLE).is_none()) {
        Some(given) => vec![given.into()],
        None => workload.beside.servers(&canary.name).await.unwrap_or_default(),
    };
    let heard = join_all(all.iter().map(|server| workload.beside.ask(server, &canary.name, "A"))).await;
    all.into_iter().zip(heard).filter(|(_, heard)| heard.is_ok()).map(|(server, _)| server).collect()
}

fn under_way(terminal: &Terminal, left: &clean::Left) {
    for name in &left.young {
        terminal.say(format!(
            "{WARNING}{name}{WARNING:#} is of a drill that began within the last three hours and may be running: left alone; if it was killed, \
             `holdfast drill --clean` removes it"
        ));
    }
}

fn confirm(terminal: &Terminal, canary: &Canary, left: &clean::Left) -> Result<(), Failure> {
    clean::tell(terminal, left);
    if !left.ours.is_empty() {
        terminal.say("which is removed first");
    }
    terminal.say(format!(
        "{BOLD}{}{BOLD:#}  will be made in zone {}, failed over, failed back and removed:",
        canary.name, canary.zone
    ));
    canary.records().iter().for_each(|set| terminal.say(format!("  {}", record(set))));
    terminal.say(format!("  {} TXT, its register", canary.name.register()));
    terminal.say("no other record is written; it takes five to ten minutes");
    terminal.confirm("Drill?")
}

/// What became of production's records meanwhile.
async fn unchanged(workload: &Workload, before: &[NameView], log: &Log) {
    let after = protected_names(&workload.plan, &workload.records).await;
    log.note(match after {
        Ok(after) if after == before => "production: every protected name's records and register are as before the drill".to_owned(),
        Ok(_) => "production: records or registers of protected names were changed meanwhile, by somebody else: the drill's writer takes no \
                  name but its own"
            .to_owned(),
        Err(error) => format!("MISSING: production's records could not be read after the drill: {error}"),
    });
}

fn finish(
    terminal: &Terminal,
    options: &Options,
    log: Log,
    canary: &Canary,
    ended: Result<(), Failure>,
) -> Result<(), Failure> {
    let page = log.page(canary, ended.as_ref().err());
    terminal.result(&page);
    terminal.say("");
    for check in &page.checks {
        let mark = if check.held { format!("{GOOD}held{GOOD:#}") } else { format!("{BAD}FAILED{BAD:#}") };
        terminal.say(format!("  {mark}  {} ({})", check.name, check.detail));
    }
    for figure in &page.figures {
        terminal.say(format!("  {BOLD}{}{BOLD:#}  {}", figure.name, figure.value));
    }
    page.notes.iter().for_each(|note| terminal.say(format!("  {note}")));
    if let Some(verdict) = &page.verdict {
        let (style, mark) = if verdict.good { (GOOD, "passed") } else { (BAD, "FAILED") };
        terminal.say(format!("{style}{mark}{style:#}: {}", verdict.text));
    }
    if let Some(file) = &options.page {
        std::fs::write(file, page.html())
            .map_err(|error| Failure::Usage(format!("--page {}: {error}", file.display())))?;
        terminal.say(format!("the page is in {}", file.display()));
    }
    ended?;
    match page.checks.iter().all(|check| check.held) {
        true => Ok(()),
        false => Err(Failure::Refused("the drill failed: a check did not hold; nothing of it is left".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drills_plan_has_one_name_and_nothing_of_production() {
        let deployed = r#"{"mode":"approval","zones":[{"id":"Z1","names":["app.example.com"]},{"id":"Z2","names":["ALL"]}],
            "aurora_clusters":["app-dr"],"rds_instances":["orders-dr"],"probes":{"primary":"https://p.example.com/health"},
            "failover_health_check":"hc","switch":"sw","hold_alarm":"arn:aws:cloudwatch:eu-central-1:1:alarm:h",
            "latch":{"table":"t","pairs":"holdfast.example.com","margin_seconds":300},
            "fence":{"region":"eu-west-1","security_group":"sg-1","rds_instances":["orders"]},
            "alarms":["arn:aws:cloudwatch:us-east-1:1:alarm:a"],"limits":{"lag_seconds_max":60,"settle_seconds":900,
            "cooldown_seconds":3600,"drain_seconds":30,"detection_seconds_max":2400}}"#;
        let deployed = Plan::parse(deployed).unwrap();
        let now = "2026-11-30T01:26:50Z".parse().unwrap();
        let canary = Canary::new("Z1", "example.com", "hc", now, 0).unwrap();
        let plan = plan_of(&deployed, &canary);
        let names = Names::Listed(vec![canary.name.clone()]);
        assert_eq!(plan.zones, [failover::plan::Zone { id: "Z1".to_owned(), names }]);
        assert!(plan.replicas.is_empty() && plan.fence.is_none() && plan.latch.is_none() && plan.switch.is_none());
        assert!(plan.failover_health_check.is_none() && plan.hold_alarm.is_none());
        assert_eq!((plan.probes, plan.mode), (ProbeUrls::default(), Mode::Automatic));
        assert!(plan.alarms.iter().all(|alarm| !deployed.alarms.contains(alarm)));
        assert_eq!((plan.limits.settle_seconds, plan.limits.drain_seconds), (60, 30), "cut, and never made longer");
    }
}
