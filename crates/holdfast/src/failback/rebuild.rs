//! Replicas are made: of DR's databases in the primary region, to fail back to; then of those in DR, to be protected again.

use std::time::Duration;

use aws::CallError;
use aws::rebuild::{Builder, Pattern, Placement};
use failover::announcement::Deed;
use failover::failback::{self, Successor};
use failover::plan::ReplicaId;
use failover::position::Proof;
use failover::rebuild::{Settings, Standing, Step, catches_up_in_seconds, lost, next_step, old_identifier};
use failover::rule::Rule;
use jiff::Timestamp;
use serde_json::json;

use super::way::Way;
use super::{LOOK_EVERY, WHOLE_LOOK_EVERY, renamed};
use crate::announce::announce;
use crate::cli::{Named, Placed, Successors};
use crate::failure::Failure;
use crate::look::look;
use crate::orders;
use crate::terminal::{BOLD, DIM, GOOD, Terminal, WARNING};
use crate::workload::Workload;

/// Copying a large database takes hours; after this a person should look at RDS.
const REBUILT_MAX: Duration = Duration::from_secs(6 * 3_600);

/// How many samples an estimate looks back on.
const SAMPLES_MAX: usize = 10;

/// A replica to be made.
struct Making<'a> {
    source: Builder,
    of: ReplicaId,
    target: Builder,
    region: &'a str,
    id: ReplicaId,
    /// The same in each run, or what one run renamed the next would not find.
    since: Timestamp,
}

/// A replica of each of DR's databases, in the primary region.
pub async fn rebuild(workload: &Workload, terminal: &Terminal, placed: &Placed) -> Result<(), Failure> {
    let seen = look(workload).await?;
    let Some(since) = failback::pinned_at(&seen.names) else {
        return Err(Failure::Refused(
            "there is nothing to fail back, and nothing was changed: users are at home, no name is pinned to DR (F01)"
                .to_owned(),
        ));
    };
    let (mut made, by) = (Vec::new(), workload.author("").await?);
    for (of, named) in chosen(workload, &placed.successors)? {
        let (source, target) = (Builder::new(&workload.session), in_region(workload, &named.region));
        let id = renamed(of, &named.id);
        let making = Making { source, of: of.clone(), target, region: &named.region, id, since };
        make(terminal, &making, &placed.placement()).await?;
        made.push(format!("{} in {}", making.id, making.region));
    }
    announce(workload, terminal, Deed::FailbackRebuilt, &by, &made).await;
    terminal.result(&json!({"rebuilt": made}));
    terminal.say(format!("{DIM}next: holdfast failback catch-up, with the same --successor{DIM:#}"));
    Ok(())
}

/// A replica of each of the primary's databases, in DR, under the plan's identifiers; then Holdfast is armed.
pub async fn protect(workload: &Workload, terminal: &Terminal, placed: &Placed) -> Result<(), Failure> {
    let seen = look(workload).await?;
    if failback::pinned_at(&seen.names).is_some() {
        let why =
            "nothing was changed: users are on DR, whose databases take their writes; holdfast failback switch first";
        return Err(Failure::Refused(why.to_owned()));
    }
    let Some(since) = failback::home_since(&seen.names) else {
        let why = "nothing was changed: no register says since when users are at home, so an interrupted run could not find again what it \
                   has renamed; holdfast disarm writes one, then run this again";
        return Err(Failure::Refused(why.to_owned()));
    };
    let region = workload.session.region();
    let mut made = Vec::new();
    for (of, named) in chosen(workload, &placed.successors)? {
        let (source, target) = (in_region(workload, &named.region), Builder::new(&workload.session));
        let primary = renamed(of, &named.id);
        let making = Making { source, of: primary, target, region, id: of.clone(), since };
        make(terminal, &making, &placed.placement()).await?;
        made.push(format!("{} in {}", making.id, making.region));
    }
    if made.len() < workload.plan.replicas.iter().filter(|id| is_rebuilt(id)).count() {
        terminal.result(&json!({"protected": made}));
        terminal.say("the other databases are still without a replica; `holdfast arm` once they have one");
        return Ok(());
    }
    orders::arm(workload, terminal, "failback protect").await
}

fn in_region(workload: &Workload, region: &str) -> Builder {
    Builder::new(&workload.session.in_region(region))
}

/// A global database's old primary Aurora itself makes a secondary again, and its switchover turns replication round.
fn is_rebuilt(id: &ReplicaId) -> bool {
    !matches!(id, ReplicaId::GlobalMember { .. })
}

/// Each database of the plan that a successor was named for, but for those of global databases.
pub fn chosen<'a>(workload: &'a Workload, named: &'a Successors) -> Result<Vec<(&'a ReplicaId, &'a Named)>, Failure> {
    if let Some(why) = named.misplaced(workload.session.region()) {
        return Err(Failure::Usage(why));
    }
    let of = |one: &Named| workload.plan.replicas.iter().find(|id| id.name() == one.dr);
    let chosen = named.successors.iter().map(|one| match of(one) {
        Some(id) => Ok((id, one)),
        None => Err(Failure::Usage(format!("--successor {}=…: the plan has no database {0}", one.dr))),
    });
    let mut chosen = chosen.collect::<Result<Vec<_>, _>>()?;
    chosen.retain(|(id, _)| is_rebuilt(id));
    match chosen.is_empty() && workload.plan.replicas.iter().any(is_rebuilt) {
        true => Err(Failure::Usage("name, for each database in DR, the one in the primary region and that region: --successor DR=REGION/ID, as in \
                                       app-dr=us-east-2/app-2"
            .to_owned())),
        false => Ok(chosen),
    }
}

/// Goes on, step by step, from whatever stands there, until the replica is there.
async fn make(terminal: &Terminal, making: &Making<'_>, placement: &Placement) -> Result<(), Failure> {
    let Making { source, of, target, region, id, since } = making;
    let missing = || Failure::Refused(format!("{of}, to be replicated as {id} in {region}, does not exist"));
    let pattern = source.pattern(of).await?.ok_or_else(missing)?;
    let mut old = old(making).await?;
    let has_key = placement.kms_key.is_some() || old.as_ref().is_some_and(|old| old.kms_key.is_some());
    if pattern.is_encrypted && !has_key {
        let why = format!("{of} is encrypted: name a key of {region} with --kms-key, since keys stay in their region");
        return Err(Failure::Usage(why));
    }
    let until = tokio::time::Instant::now() + REBUILT_MAX;
    let progress = terminal.wait(format!("looking at {id} in {region}"));
    while tokio::time::Instant::now() < until {
        let step = next_step(id, &target.standing(id).await?, &pattern.arn, *since);
        let ask = |question: String| progress.suspend(|| terminal.confirm(&question));
        match step {
            Step::Done => {
                progress.finish_and_clear();
                terminal.say(format!("{GOOD}{id} in {region}{GOOD:#} is a replica of {of}"));
                return tell_losses(terminal, target, id, *since).await;
            }
            Step::Refuse { why } => return Err(Failure::Refused(why)),
            Step::Wait { what } => {
                progress.set_message(format!("{what} in {region}"));
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Step::Rename { to } => {
                ask(format!("Rename the old {id} in {region} to {to}? It keeps its data; its endpoints change."))?;
                // It may have been modified since the last look, and while it is renamed RDS may show it under neither name.
                old = self::old(making).await?;
                if taken(target.rename(id, &to).await)? {
                    progress.suspend(|| terminal.say(format!("the old {id} in {region} becomes {BOLD}{to}{BOLD:#}")));
                }
            }
            Step::Create => {
                old = self::old(making).await?.or(old);
                if old.is_none() {
                    progress.suspend(|| terminal.say(without_old(making)));
                }
                ask(format!("Create {id} in {region}, a replica of {of}?"))?;
                if taken(target.create(id, &pattern, &as_was(old.as_ref(), &pattern), placement).await)? {
                    progress.suspend(|| terminal.say(format!("{id} in {region} is being created, a replica of {of}")));
                }
            }
            Step::AddInstance { id: instance } => {
                old = self::old(making).await?.or(old);
                let as_was = as_was(old.as_ref(), &pattern);
                if taken(target.add_instance(id.name(), &instance, &pattern, &as_was, placement).await)? {
                    progress.suspend(|| terminal.say(format!("{id} in {region} gets the instance {instance}")));
                }
            }
        }
    }
    Err(Failure::Refused(format!(
        "{id} in {region} is not there after {} h; run the command again",
        REBUILT_MAX.as_secs() / 3_600
    )))
}

/// What the old one of that name is set to, renamed by this run or one before it, or not yet.
async fn old(making: &Making<'_>) -> Result<Option<Settings>, Failure> {
    let Making { target, id, since, .. } = making;
    if let Some(old) = target.pattern(&renamed(id, &old_identifier(id.name(), *since))).await? {
        return Ok(Some(old.settings));
    }
    // Whatever it is doing just now: it is renamed once it is available.
    let is_old = matches!(target.standing(id).await?, Standing::Database { source: None, .. });
    let old = if is_old { target.pattern(id).await? } else { None };
    Ok(old.map(|old| old.settings))
}

/// What the new one is set to: what the old one was, which is in the same region; else what its source is, as far as that means the same in
/// another.
fn as_was(old: Option<&Settings>, source: &Pattern) -> Settings {
    old.cloned().unwrap_or_else(|| source.settings.clone().elsewhere())
}

/// What follows from nobody knowing how it was set up.
fn without_old(Making { of, region, id, since, .. }: &Making<'_>) -> String {
    let old = old_identifier(id.name(), *since);
    format!(
        "{WARNING}there is no old {id} in {region}{WARNING:#}, nor {old}: the new one is set up as {of} is, and its network, security groups \
         and parameter group are the region's defaults where you name none"
    )
}

/// Whether RDS took it. A database in another state than a call needs (`InvalidDBClusterStateFault`, `InvalidDBInstanceState`) is
/// looked at again: RDS describes it as available some moments before or after it takes the next step.
fn taken(called: Result<(), CallError>) -> Result<bool, CallError> {
    match called {
        Ok(()) => Ok(true),
        Err(CallError::Refused { code, .. }) if code.ends_with("StateFault") || code.ends_with("State") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says what the old database had and the new one has not.
pub async fn tell_losses(
    terminal: &Terminal,
    target: &Builder,
    id: &ReplicaId,
    since: Timestamp,
) -> Result<(), Failure> {
    let old = target.pattern(&renamed(id, &old_identifier(id.name(), since))).await?;
    let (Some(old), Some(new)) = (old, target.pattern(id).await?) else { return Ok(()) };
    for loss in lost(&old.settings, &new.settings) {
        terminal.say(format!("  {WARNING}not as the old {id} was{WARNING:#}: {loss}"));
    }
    Ok(())
}

/// Waits until every successor has what DR has, and says how long it will take.
pub async fn catch_up(workload: &Workload, terminal: &Terminal, way: &Way<'_>) -> Result<(), Failure> {
    let until = tokio::time::Instant::now() + REBUILT_MAX;
    let progress = terminal.wait("looking".to_owned());
    let mut samples = vec![Vec::new(); workload.plan.replicas.len()];
    let mut was_level = vec![false; workload.plan.replicas.len()];
    let by_position = loop {
        let seen = way.observe(workload).await?;
        let obstacles = failback::obstacles(&workload.plan, &seen);
        let of = |rule| obstacles.iter().filter(move |obstacle| obstacle.rule == rule);
        if let Some(hopeless) = of(Rule::F01).chain(of(Rule::F06)).next() {
            return Err(Failure::Refused(format!("{}: {}; {}", hopeless.rule, hopeless.because, hopeless.remedy)));
        }
        // Each at its own time: while users write, there may be no moment in which all of them are level.
        was_level.iter_mut().zip(&seen.successors).for_each(|(was, successor)| *was |= successor.has_caught_up());
        if was_level.iter().all(|was| *was) {
            break seen.successors.iter().all(|successor| matches!(successor.proof, Proof::Everything { .. }));
        }
        if tokio::time::Instant::now() > until {
            return Err(Failure::Refused(
                "they have not caught up; `holdfast failback check` says what is missing".to_owned(),
            ));
        }
        let told = seen.successors.iter().zip(&mut samples).map(|(successor, samples)| to_go(successor, samples));
        progress.set_message(told.collect::<Vec<_>>().join("; "));
        tokio::time::sleep(WHOLE_LOOK_EVERY).await;
    };
    progress.finish_and_clear();
    let caught_up: Vec<_> = way.named.successors.iter().map(|one| format!("{} in {}", one.id, one.region)).collect();
    terminal.result(&json!({"caught_up": caught_up, "by_position": by_position}));
    terminal.say(format!("{GOOD}caught up{GOOD:#}: {}", caught_up.join(", ")));
    let next = match by_position {
        true => "by position; next: holdfast failback compare; then stop writes in DR, and holdfast failback switch",
        false => {
            "as far as lag tells; next: holdfast failback compare; then stop writes in DR, compare positions (holdfast failback check prints \
             how), and holdfast failback switch"
        }
    };
    terminal.say(format!("{DIM}{next}{DIM:#}"));
    Ok(())
}

/// How far a successor still has to go, in words; by position where the databases say, since lag counts only what has arrived.
fn to_go(successor: &Successor, samples: &mut Vec<(Timestamp, u64)>) -> String {
    let name = successor.named.as_deref().unwrap_or("?");
    match &successor.proof {
        Proof::Everything { .. } => return format!("{name}: level by position"),
        Proof::Behind { missing: Some(missing), .. } => return format!("{name}: {missing} transactions to go"),
        Proof::Behind { missing: None, .. } => return format!("{name}: not at DR's position yet"),
        Proof::NotAsked | Proof::Later | Proof::NotKnown { .. } => {}
    }
    let Some(lag) = successor.lag() else { return format!("{name}: no lag known yet") };
    if samples.last().is_none_or(|(at, _)| *at < lag.at) {
        samples.push((lag.at, lag.seconds));
    }
    let recent = &samples[samples.len().saturating_sub(SAMPLES_MAX)..];
    let left = catches_up_in_seconds(recent).map_or("not falling yet".to_owned(), |s| format!("about {s} s to go"));
    format!("{name}: {} s behind, {left}", lag.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> CallError {
        CallError::Refused { call: "CreateDBInstance", code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn a_database_that_is_not_ready_for_the_next_step_is_waited_for_and_nothing_else_is() {
        assert_eq!(taken(Ok(())), Ok(true));
        for waits in ["InvalidDBClusterStateFault", "InvalidDBInstanceState", "InvalidDBInstanceStateFault"] {
            assert_eq!(taken(Err(refused(waits))), Ok(false), "{waits}");
        }
        for ends in ["InsufficientDBInstanceCapacity", "KMSKeyNotAccessibleFault", "AccessDenied"] {
            assert_eq!(taken(Err(refused(ends))), Err(refused(ends)));
        }
    }
}
