//! `holdfast failback`: back to the primary, guarded, and safe to interrupt anywhere, since each run goes on from what AWS
//! says.

mod compare;
mod global;
mod latch;
mod position;
mod rebuild;

use std::time::Duration;

use aws::cloudwatch::{self, LagOf, LagReader as _};
use aws::rds::{self, ReplicaReader as _, ReplicaWriter as _};
use aws::rebuild::Builder;
use aws::route53::{RecordReader as _, Writer};
use failover::announcement::Deed;
use failover::change::{self, Write};
use failover::failback::{self, Move, Observation, Obstacle, Readiness, Successor};
use failover::observation::{ChangeStatus, NameView};
use failover::plan::ReplicaId;
use failover::promotion::{PromotionCall, ReplicaState};
use failover::rule::Rule;
use jiff::{SignedDuration, Timestamp};
use position::Engine;
use serde_json::json;

use crate::announce::announce;
use crate::cli::{self, Homecoming, Named, Successors};
use crate::failure::Failure;
use crate::fence;
use crate::guard;
use crate::look::look;
use crate::orders::{self, submit_batch};
use crate::terminal::{BAD, BOLD, DIM, GOOD, Terminal};
use crate::workload::Workload;

const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often at everything: the five requests that Route 53 takes in a second are a whole account's.
const WHOLE_LOOK_EVERY: Duration = Duration::from_secs(5);

/// Catching up and promotion take minutes; after this a person should look at RDS.
const SUCCESSOR_MAX: Duration = Duration::from_secs(1_800);

/// "Changes generally propagate … within 60 seconds" (Route 53, GetChange); ten times that.
const SPREAD_MAX: Duration = Duration::from_secs(600);

/// How far back a lag sample may lie: CloudWatch has one a minute, some minutes late.
const LAG_LOOKBACK: SignedDuration = SignedDuration::from_mins(10);

/// One of the steps.
pub async fn run(workload: &Workload, terminal: &Terminal, command: cli::Failback) -> Result<(), Failure> {
    match command {
        cli::Failback::Check(named) => {
            check(workload, terminal, &named, None).await?;
            losses(workload, terminal, &named).await?;
            terminal.result(&json!({"obstacles": []}));
            Ok(())
        }
        cli::Failback::Rebuild(placed) => rebuild::rebuild(workload, terminal, &placed).await,
        cli::Failback::CatchUp(named) => rebuild::catch_up(workload, terminal, &named).await,
        cli::Failback::Compare { incident } => compare::compare(workload, terminal, incident).await,
        cli::Failback::Protect(placed) => rebuild::protect(workload, terminal, &placed).await,
        cli::Failback::Switch(home) => switch(workload, terminal, &home).await,
    }
}

/// Waits as long as nothing but successors on their way stands in the way: they catch up, or an interrupted run has
/// promoted them.
async fn ready(
    workload: &Workload,
    terminal: &Terminal,
    named: &Successors,
    stopped: Option<Timestamp>,
) -> Result<Observation, Failure> {
    let progress = terminal.wait("looking".to_owned());
    let wait = async {
        loop {
            let seen = observe(workload, named, stopped).await?;
            let obstacles = failback::obstacles(&workload.plan, &seen);
            if obstacles.is_empty() || obstacles.iter().any(|obstacle| obstacle.rule != Rule::F07) {
                return Ok::<_, Failure>(());
            }
            let told: Vec<_> = obstacles.iter().map(|obstacle| obstacle.because.as_str()).collect();
            progress.set_message(told.join("; "));
            tokio::time::sleep(WHOLE_LOOK_EVERY).await;
        }
    };
    // Once time is up the check says what is missing.
    let waited = tokio::time::timeout(SUCCESSOR_MAX, wait).await;
    progress.finish_and_clear();
    waited.unwrap_or(Ok(()))?;
    check(workload, terminal, named, stopped).await
}

/// Tells everything that stands in the way; fails if anything does.
async fn check(
    workload: &Workload,
    terminal: &Terminal,
    named: &Successors,
    stopped: Option<Timestamp>,
) -> Result<Observation, Failure> {
    let seen = observe(workload, named, stopped).await?;
    let obstacles = failback::obstacles(&workload.plan, &seen);
    for obstacle in &obstacles {
        terminal
            .say(format!("{BAD}{}{BAD:#}  {}\n      {DIM}{}{DIM:#}", obstacle.rule, obstacle.because, obstacle.remedy));
    }
    if obstacles.is_empty() {
        terminal.say(format!("{GOOD}nothing stands in the way of a failback{GOOD:#}"));
        return Ok(seen);
    }
    let asks_position = obstacles.iter().any(|obstacle| obstacle.rule == Rule::F10);
    let positions = if asks_position { positions(workload, &seen, named).await? } else { Vec::new() };
    positions.iter().for_each(|line| terminal.say(format!("      {line}")));
    let told =
        |obstacle: &Obstacle| json!({"rule": obstacle.rule, "because": obstacle.because, "remedy": obstacle.remedy});
    terminal
        .result(&json!({"obstacles": obstacles.iter().map(told).collect::<Vec<_>>(), "position_commands": positions}));
    let rules: Vec<_> = obstacles.iter().map(|obstacle| obstacle.rule.to_string()).collect();
    Err(Failure::Refused(format!("no failback yet: {} in the way", rules.join(", "))))
}

/// The commands by which each successor that follows DR is proved to have everything.
async fn positions(workload: &Workload, seen: &Observation, named: &Successors) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for successor in seen.successors.iter().filter(|one| matches!(one.state, ReplicaState::Present { .. })) {
        let Some(chosen) = named.successors.iter().find(|one| one.dr == successor.of.name()) else { continue };
        let target = Builder::new(&workload.session.in_region(&chosen.region));
        let from = Builder::new(&workload.session).pattern(&successor.of).await?;
        let to = target.pattern(&renamed(&successor.of, &chosen.id)).await?;
        let (Some(from), Some(to)) = (from, to) else { continue };
        let engine = Engine::of(&from.engine.0, &from.engine.1);
        lines.push(format!("{}, then {} in {}:", successor.of, renamed(&successor.of, &chosen.id), chosen.region));
        lines
            .extend(position::proof(&engine, &from.endpoint, &to.endpoint).into_iter().map(|line| format!("  {line}")));
    }
    Ok(lines)
}

/// What the rebuilt databases lack of what the old ones had, before users come to them.
async fn losses(workload: &Workload, terminal: &Terminal, named: &Successors) -> Result<(), Failure> {
    let Some(since) = failback::pinned_at(&look(workload).await?.names) else { return Ok(()) };
    for (of, chosen) in rebuild::chosen(workload, named)? {
        let target = Builder::new(&workload.session.in_region(&chosen.region));
        rebuild::tell_losses(terminal, &target, &renamed(of, &chosen.id), since).await?;
    }
    Ok(())
}

/// `stopped` is since when writes to DR are known to have stopped: a run that promotes trusts no sample from before it.
async fn observe(workload: &Workload, named: &Successors, stopped: Option<Timestamp>) -> Result<Observation, Failure> {
    let unknown = named.successors.iter().find(|one| !workload.plan.replicas.iter().any(|id| id.name() == one.dr));
    if let Some(Named { dr, .. }) = unknown {
        return Err(Failure::Usage(format!("--successor {dr}=…: the plan has no database {dr}")));
    }
    let seen = look(workload).await?;
    let mut successors = Vec::new();
    for of in &workload.plan.replicas {
        let named = named.successors.iter().find(|one| one.dr == of.name());
        successors.push(successor(workload, of, named, seen.now).await?);
    }
    Ok(Observation {
        now: seen.now,
        alarms: seen.alarms,
        probes: seen.probes,
        names: seen.names,
        successors,
        writes_stopped: named.writes_stopped.then_some(stopped.unwrap_or(seen.now - LAG_LOOKBACK)),
        loss_acknowledged: named.loss_acknowledged,
        position_verified: named.position_verified,
    })
}

async fn successor(
    workload: &Workload,
    of: &ReplicaId,
    named: Option<&Named>,
    now: Timestamp,
) -> Result<Successor, Failure> {
    let Some((region, id)) = place(workload, of, named).await? else {
        let (state, of) = (ReplicaState::Missing, of.clone());
        return Ok(Successor { of, named: None, state, created: None, lags: Vec::new() });
    };
    let session = workload.session.in_region(&region);
    let databases = rds::Reader::new(&session);
    let state = databases.state(&id).await?;
    let of_id = LagOf::Rds { replica: &id, database: state.database() };
    let lags = cloudwatch::Reader::new(&session).good_lags(of_id, now - LAG_LOOKBACK, now).await?;
    let created = databases.created(&id).await?;
    Ok(Successor { of: of.clone(), named: Some(format!("{id} in {region}")), state, created, lags })
}

/// Where a successor is, and what it is called there; a global database says so itself.
async fn place(
    workload: &Workload,
    of: &ReplicaId,
    named: Option<&Named>,
) -> Result<Option<(String, ReplicaId)>, Failure> {
    match of {
        ReplicaId::GlobalMember { global, .. } => {
            Ok(global::home(workload, global, named).await?.map(|home| (home.region, home.id)))
        }
        ReplicaId::AuroraCluster(_) | ReplicaId::RdsInstance(_) => {
            Ok(named.map(|named| (named.region.clone(), renamed(of, &named.id))))
        }
    }
}

/// A database of the same kind.
fn renamed(kind: &ReplicaId, id: &str) -> ReplicaId {
    match kind {
        ReplicaId::AuroraCluster(_) => ReplicaId::AuroraCluster(id.to_owned()),
        ReplicaId::RdsInstance(_) => ReplicaId::RdsInstance(id.to_owned()),
        ReplicaId::GlobalMember { global, .. } => {
            ReplicaId::GlobalMember { global: global.clone(), cluster: id.to_owned() }
        }
    }
}

async fn switch(workload: &Workload, terminal: &Terminal, home: &Homecoming) -> Result<(), Failure> {
    let named = &home.successors;
    // An interrupted run may have brought users home, and left the old writers behind their fence.
    let is_home = failback::pinned_at(&look(workload).await?.names).is_none();
    if is_home && !fence::lift(workload, terminal).await?.is_empty() {
        return Ok(());
    }
    // Whoever says --writes-stopped says it of now, so only samples from now on count.
    let stopped = Some(look(workload).await?.now);
    let seen = ready(workload, terminal, named, stopped).await?;
    losses(workload, terminal, named).await?;
    guard::writable(workload, terminal, &seen.names).await?;
    // Before anything is promoted: a name that cannot be restored, or a move of what nobody had, is found out now.
    let away = orders::named(&restoring(workload, &seen, "", &home.moves)?);
    let by = workload.author("").await?;
    if promote(workload, terminal, named, &seen).await? {
        announce(workload, terminal, Deed::FailbackSwitching, &by, &away).await;
    }
    // What may have changed while the databases were promoted.
    let seen = check(workload, terminal, named, stopped).await?;
    // Of what leads to DR: that is what resolvers were given.
    let ttl_seconds = seen.names.iter().map(NameView::ttl_seconds).max().unwrap_or_default();
    let writes = restoring(workload, &seen, &by, &home.moves)?;
    let names = orders::named(&writes);
    let batches = change::batches(writes);
    terminal.show_batches(&batches);
    terminal.confirm("Send users back to the primary?")?;
    latch::lift(workload, terminal).await?;
    let writer = Writer::new(&workload.session);
    let mut changes = Vec::new();
    for batch in &batches {
        changes.push(submit_batch(workload, &writer, batch).await?);
    }
    for id in &changes {
        let what = format!("waiting for change {id} to be at every name server");
        until(terminal, what, SPREAD_MAX, || async {
            Ok(workload.records.change_status(id).await? == ChangeStatus::InSync)
        })
        .await?;
    }
    let lifted = fence::lift(workload, terminal).await?;
    terminal.result(&json!({"restored": names, "changes": changes, "lifted": lifted, "ttl_seconds": ttl_seconds}));
    tell_home(workload, terminal, &names, ttl_seconds);
    if !names.is_empty() {
        announce(workload, terminal, Deed::FailedBack, &by, &names).await;
    }
    Ok(())
}

/// The writes that restore every name, to where its primary is now.
fn restoring(workload: &Workload, seen: &Observation, by: &str, moves: &[Move]) -> Result<Vec<Write>, Failure> {
    let writes = seen.names.iter().map(|view| failback::restore(&workload.plan, view, seen.now, by));
    let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>();
    let writes = writes.map_err(|error| Failure::Refused(format!("nothing was restored: {error}")))?;
    let (writes, counts): (Vec<_>, Vec<_>) = writes.into_iter().map(|write| failback::moved(write, moves)).unzip();
    // An interrupted run may have brought home the names that a move is about.
    let all_away = seen.names.iter().all(|view| view.register().is_some_and(|register| register.pin().is_some()));
    match moves.iter().enumerate().find(|(nth, _)| counts.iter().all(|of_name| of_name[*nth] == 0)) {
        Some((_, Move { from, .. })) if all_away => {
            Err(Failure::Usage(format!("--new-target {from}=…: no PRIMARY record led to {from} before the failover")))
        }
        _ => Ok(writes),
    }
}

fn tell_home(workload: &Workload, terminal: &Terminal, names: &[String], ttl_seconds: u32) {
    terminal.say(format!("{GOOD}DNS answers with the primary again{GOOD:#}: {}", names.join(", ")));
    match failback::leaves_replicas(&workload.plan) {
        true => terminal.say("armed; a failover within the cool-down asks for an approval (P08)"),
        false => terminal.say(format!(
            "writes may go on there; keep them stopped in DR for another {ttl_seconds} s: until then resolvers may still send users \
             to it, and what it took now would be nowhere else\n{BOLD}disarmed, since nothing replicates to DR any more{BOLD:#}: `holdfast failback protect`, with the same --successor, \
             makes the plan's databases replicas of the primary's and arms"
        )),
    }
}

/// Promotes what has caught up and waits until it takes writes; true if anything was.
async fn promote(
    workload: &Workload,
    terminal: &Terminal,
    named: &Successors,
    seen: &Observation,
) -> Result<bool, Failure> {
    let mut has_promoted = false;
    let Some(pinned_at) = failback::pinned_at(&seen.names) else { return Ok(has_promoted) };
    for successor in
        seen.successors.iter().filter(|one| one.readiness(pinned_at, seen.writes_stopped) == Readiness::CaughtUp)
    {
        let chosen = named.successors.iter().find(|one| one.dr == successor.of.name());
        let name = successor.named.as_deref().unwrap_or_default();
        if !ask_to_promote(workload, terminal, &successor.of, chosen).await? {
            continue;
        }
        let what = format!("waiting for {name} to take writes");
        until(terminal, what, SUCCESSOR_MAX, || async {
            Ok(self::successor(workload, &successor.of, chosen, seen.now).await?.readiness(pinned_at, None)
                == Readiness::Writer)
        })
        .await?;
        terminal.say(format!("{name} takes writes"));
        has_promoted = true;
    }
    Ok(has_promoted)
}

/// Asks RDS, once a person has said so; false if there is nobody to ask it of.
async fn ask_to_promote(
    workload: &Workload,
    terminal: &Terminal,
    of: &ReplicaId,
    chosen: Option<&Named>,
) -> Result<bool, Failure> {
    if let ReplicaId::GlobalMember { global, .. } = of {
        let Some(home) = global::home(workload, global, chosen).await? else { return Ok(false) };
        global::switch_over(workload, terminal, &home).await?;
        return Ok(true);
    }
    let Some(chosen) = chosen else { return Ok(false) };
    let (session, id) = (workload.session.in_region(&chosen.region), renamed(of, &chosen.id));
    let question = format!("Promote {id} in {}? It stops following {of}.", chosen.region);
    terminal.confirm_by_name(&question, &chosen.id)?;
    let call = match &id {
        ReplicaId::RdsInstance(id) => PromotionCall::Instance(id.clone()),
        ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
            PromotionCall::Cluster(id.clone())
        }
    };
    rds::Writer::new(&session).promote(&call).await?;
    Ok(true)
}

/// Looks until it is so; a look that fails is made again.
async fn until<F: Future<Output = Result<bool, Failure>>>(
    terminal: &Terminal,
    what: String,
    patience: Duration,
    is_so: impl Fn() -> F,
) -> Result<(), Failure> {
    let progress = terminal.wait(what.clone());
    let wait = async {
        while !matches!(is_so().await, Ok(true)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let waited = tokio::time::timeout(patience, wait).await;
    progress.finish_and_clear();
    waited
        .map_err(|_| Failure::Refused(format!("gave up {what} after {} s; run the command again", patience.as_secs())))
}
