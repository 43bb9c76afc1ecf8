//! `holdfast failback`: back to the primary, guarded, and safe to interrupt anywhere, since each run goes on from what AWS
//! says.

mod compare;
mod global;
mod latch;
mod log;
mod rebuild;
mod way;

use std::collections::BTreeSet;
use std::time::Duration;

use aws::rds::{self, ReplicaWriter as _};
use aws::rebuild::Builder;
use aws::route53::{HealthCheckWriter as _, RecordReader as _, Writer};
use failover::announcement::Deed;
use failover::change::{self, Write};
use failover::failback::{self, Move, Observation, Obstacle, Readiness, Successor};
use failover::name::Name;
use failover::observation::{ChangeStatus, NameView};
use failover::plan::ReplicaId;
use failover::position::Proof;
use failover::promotion::PromotionCall;
use failover::rule::Rule;
use serde_json::json;
use way::Way;
pub use way::{old_primary, unseen};

use crate::announce::announce;
use crate::cli::{self, Homecoming};
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

/// One of the steps.
pub async fn run(workload: &Workload, terminal: &Terminal, command: cli::Failback) -> Result<(), Failure> {
    match command {
        cli::Failback::Check(named) => {
            let mut way = Way::new(workload, &named).await?;
            way.ask_losses(workload, true).await?;
            check(workload, terminal, &way).await?;
            losses(workload, terminal, &way).await?;
            terminal.result(&json!({"obstacles": []}));
            Ok(())
        }
        cli::Failback::Rebuild(placed) => rebuild::rebuild(workload, terminal, &placed).await,
        cli::Failback::CatchUp(named) => {
            rebuild::catch_up(workload, terminal, &Way::new(workload, &named).await?).await
        }
        cli::Failback::Compare(compared) => compare::compare(workload, terminal, compared).await,
        cli::Failback::Protect(placed) => rebuild::protect(workload, terminal, &placed).await,
        cli::Failback::Switch(home) => switch(workload, terminal, &home).await,
    }
}

/// Waits as long as nothing but successors on their way stands in the way: they catch up, or an interrupted run has
/// promoted them.
async fn ready(workload: &Workload, terminal: &Terminal, way: &Way<'_>) -> Result<Observation, Failure> {
    let progress = terminal.wait("looking".to_owned());
    let wait = async {
        loop {
            let seen = way.observe(workload).await?;
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
    check(workload, terminal, way).await
}

/// Tells everything that stands in the way, or that nothing does; fails if anything does.
async fn check(workload: &Workload, terminal: &Terminal, way: &Way<'_>) -> Result<Observation, Failure> {
    let seen = unobstructed(workload, terminal, way).await?;
    terminal.say(format!("{GOOD}nothing stands in the way of a failback{GOOD:#}"));
    Ok(seen)
}

/// Looks again at everything, after a question or a wait, in which the primary may have gone; tells what stands in the way, and fails
/// if anything does.
async fn unobstructed(workload: &Workload, terminal: &Terminal, way: &Way<'_>) -> Result<Observation, Failure> {
    let seen = way.observe(workload).await?;
    let obstacles = failback::obstacles(&workload.plan, &seen);
    if obstacles.is_empty() {
        return Ok(seen);
    }
    for Obstacle { rule, because, remedy } in &obstacles {
        let style = if *rule == Rule::F01 { BOLD } else { BAD };
        terminal.say(format!("{style}{rule}{style:#}  {because}\n      {DIM}{remedy}{DIM:#}"));
    }
    let asks_position = obstacles.iter().any(|obstacle| obstacle.rule == Rule::F10);
    let positions = if asks_position { way.positions(workload, &seen).await } else { Vec::new() };
    positions.iter().for_each(|line| terminal.say(format!("      {line}")));
    let told =
        |obstacle: &Obstacle| json!({"rule": obstacle.rule, "because": obstacle.because, "remedy": obstacle.remedy});
    terminal
        .result(&json!({"obstacles": obstacles.iter().map(told).collect::<Vec<_>>(), "position_commands": positions}));
    let rules: Vec<_> = obstacles.iter().map(|obstacle| obstacle.rule.to_string()).collect();
    if rules == ["F01"] {
        return Err(Failure::Refused("there is nothing to fail back (F01)".to_owned()));
    }
    Err(Failure::Refused(format!("no failback yet: {} in the way", rules.join(", "))))
}

/// What the rebuilt databases lack of what the old ones had, before users come to them.
async fn losses(workload: &Workload, terminal: &Terminal, way: &Way<'_>) -> Result<(), Failure> {
    let Some(since) = failback::pinned_at(&look(workload).await?.names) else { return Ok(()) };
    for (of, chosen) in rebuild::chosen(workload, way.named)? {
        let target = Builder::new(&workload.session.in_region(&chosen.region));
        rebuild::tell_losses(terminal, &target, &renamed(of, &chosen.id), since).await?;
    }
    Ok(())
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
    let mut way = Way::new(workload, &home.successors).await?;
    // An interrupted run may have brought users home, and left the old writers behind their fence.
    let is_home = failback::pinned_at(&look(workload).await?.names).is_none();
    if is_home && !fence::lift(workload, terminal).await?.is_empty() {
        return Ok(());
    }
    // Whoever says --writes-stopped says it of now, so only samples from now on count.
    way.stopped = Some(look(workload).await?.now);
    way.ask_losses(workload, false).await?;
    let seen = ready(workload, terminal, &way).await?;
    losses(workload, terminal, &way).await?;
    guard::writable(workload, terminal, &seen.names).await?;
    // Before anything is promoted: a name that cannot be restored, or a move of what nobody had, is found out now.
    let (away, _) = told(&seen, &restoring(workload, &seen, "", &home.moves)?);
    let by = workload.author("").await?;
    if promote(workload, terminal, &mut way, &seen).await? {
        announce(workload, terminal, Deed::FailbackSwitching, &by, &away).await;
    }
    let seen = agreed(workload, terminal, &way, &by, &home.moves).await?;
    // Of what leads to DR: that is what resolvers were given.
    let ttl_seconds = seen.names.iter().map(NameView::ttl_seconds).max().unwrap_or_default();
    let writes = restoring(workload, &seen, &by, &home.moves)?;
    let (names, idle) = told(&seen, &writes);
    let batches = change::batches(writes);
    let writer = Writer::new(&workload.session);
    // A name that is disarmed in the middle of a maintenance ends it, and nobody else would enable the check that it disabled.
    let ends_pause = !idle.is_empty() && orders::is_paused(&seen.names);
    if let Some(check) = workload.plan.failover_health_check.as_ref().filter(|_| ends_pause) {
        writer.set_disabled(check, false).await?;
    }
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
    terminal.result(
        &json!({"restored": names, "disarmed": idle, "changes": changes, "lifted": lifted, "ttl_seconds": ttl_seconds}),
    );
    tell_home(workload, terminal, &names, ttl_seconds);
    if !idle.is_empty() {
        terminal.say(format!("{BOLD}disarmed too{BOLD:#}, though the failover had left them out: {}", idle.join(", ")));
    }
    if !names.is_empty() {
        announce(workload, terminal, Deed::FailedBack, &by, &names).await;
    }
    Ok(())
}

/// Asks, and lifts the latch. What stood in the way of nothing before the question may do so after it, and again after the minutes of the
/// lift; so what is restored is what the last look saw.
async fn agreed(
    workload: &Workload,
    terminal: &Terminal,
    way: &Way<'_>,
    by: &str,
    moves: &[Move],
) -> Result<Observation, Failure> {
    // Before the look: what is committed after it belongs to another failover.
    let latch = latch::standing(workload).await?;
    // What may have changed while the databases were promoted.
    let seen = check(workload, terminal, way).await?;
    terminal.show_batches(&change::batches(restoring(workload, &seen, by, moves)?));
    terminal.confirm("Send users back to the primary?")?;
    // Where nobody is asked no time has passed.
    let seen = if terminal.yes { seen } else { unobstructed(workload, terminal, way).await? };
    if workload.plan.latch.is_none() {
        return Ok(seen);
    }
    latch::lift(workload, terminal, latch.as_ref()).await?;
    let seen = unobstructed(workload, terminal, way).await?;
    match latch::standing(workload).await? {
        None => Ok(seen),
        Some(latch) => Err(latch::committed_meanwhile(&latch)),
    }
}

/// The writes that restore every name, to where its primary is now.
fn restoring(workload: &Workload, seen: &Observation, by: &str, moves: &[Move]) -> Result<Vec<Write>, Failure> {
    let writes = seen.names.iter().map(|view| failback::restore(&workload.plan, view, seen.now, by));
    let writes = writes.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>();
    let mut writes = writes.map_err(|error| Failure::Refused(format!("nothing was restored: {error}")))?;
    // Those first that no pin tells of: once every name is at home, a run that goes on has nothing to do any more.
    let away = away(seen);
    writes.sort_by_key(|write| away.contains(&write.name));
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

/// The names that come home, and those that were never away, and are disarmed all the same.
fn told(seen: &Observation, writes: &[Write]) -> (Vec<String>, Vec<String>) {
    let away = away(seen);
    let (home, idle): (Vec<_>, Vec<_>) = writes.iter().map(|write| &write.name).partition(|name| away.contains(name));
    let told = |names: Vec<&Name>| names.iter().map(ToString::to_string).collect();
    (told(home), told(idle))
}

fn away(seen: &Observation) -> BTreeSet<&Name> {
    seen.names.iter().filter(|view| view.pin().is_some()).map(|view| &view.name).collect()
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
    way: &mut Way<'_>,
    seen: &Observation,
) -> Result<bool, Failure> {
    let mut has_promoted = false;
    let Some(pinned_at) = failback::pinned_at(&seen.names) else { return Ok(has_promoted) };
    for successor in
        seen.successors.iter().filter(|one| one.readiness(pinned_at, seen.writes_stopped) == Readiness::CaughtUp)
    {
        let name = successor.named.as_deref().unwrap_or_default();
        if !ask_to_promote(workload, terminal, way, successor).await? {
            continue;
        }
        let chosen = way.chosen(&successor.of);
        let what = format!("waiting for {name} to take writes");
        until(terminal, what, SUCCESSOR_MAX, || async {
            Ok(way::successor(workload, &successor.of, chosen, seen.now).await?.readiness(pinned_at, None)
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
    way: &mut Way<'_>,
    successor: &Successor,
) -> Result<bool, Failure> {
    let (of, chosen) = (&successor.of, way.chosen(&successor.of));
    if let ReplicaId::GlobalMember { global, .. } = of {
        let Some(home) = global::home(workload, global, chosen).await? else { return Ok(false) };
        global::ask(terminal, &home)?;
        unobstructed(workload, terminal, way).await?;
        global::switch_over(workload, &home).await?;
        return Ok(true);
    }
    let Some(chosen) = chosen else { return Ok(false) };
    let (session, id) = (workload.session.in_region(&chosen.region), renamed(of, &chosen.id));
    let question = format!("Promote {id} in {}? It stops following {of}.", chosen.region);
    terminal.confirm_by_name(&question, &chosen.id)?;
    // A person may have taken their time to answer.
    unobstructed(workload, terminal, way).await?;
    let proof = way.prove(workload, successor).await?;
    still_complete(&proof, way.named.position_verified, &id)?;
    if let Proof::Everything { at } = &proof {
        terminal.say(format!("{id} has everything that {of} has, up to {at}"));
    }
    way.proved.insert(of.name().to_owned(), proof);
    let call = match &id {
        ReplicaId::RdsInstance(id) => PromotionCall::Instance(id.clone()),
        ReplicaId::AuroraCluster(id) | ReplicaId::GlobalMember { cluster: id, .. } => {
            PromotionCall::Cluster(id.clone())
        }
    };
    rds::Writer::new(&session).promote(&call).await?;
    Ok(true)
}

/// Nothing is promoted on the strength of what was so some minutes ago.
fn still_complete(proof: &Proof, is_vouched_for: bool, id: &ReplicaId) -> Result<(), Failure> {
    let why = match proof {
        Proof::Everything { .. } => return Ok(()),
        Proof::NotAsked | Proof::Later | Proof::NotKnown { .. } if is_vouched_for => return Ok(()),
        Proof::Behind { at, .. } => format!("{id} has not come to {at}: something still writes to DR"),
        Proof::NotKnown { why } => why.clone(),
        Proof::NotAsked | Proof::Later => format!("nobody asked {id}"),
    };
    Err(Failure::Refused(format!(
        "{id} was not promoted: it had everything when it was asked first, and now: {why}; run the command again"
    )))
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
