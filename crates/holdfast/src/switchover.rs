//! `holdfast switchover`: users move to DR in peace, and nothing is lost.
//!
//! The application is not Holdfast's, so a person stops its writes; Holdfast proves that they have stopped and that DR has everything, and only
//! then says the incident, as `holdfast failover` does. It writes nothing before that: whoever is interrupted lets writes go on, or runs it again.

mod pair;

use aws::route53::RecordReader as _;
use failover::observation::{Alarms, not_ok};
use failover::pin::Observation;
use failover::plan::Plan;
use failover::promotion::Verdict;
use failover::register::Register;
use failover::rule::Rule;
use failover::switchover::{Loss, Standing};
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use pair::Pair;
use serde_json::json;

use crate::cli::{Ask, Switchover};
use crate::database::Access;
use crate::failure::Failure;
use crate::guard;
use crate::look::{self, look};
use crate::positions::Positions;
use crate::status::print_findings;
use crate::summons::Intent;
use crate::terminal::{BOLD, GOOD, Terminal, WARNING};
use crate::workload::Workload;

/// For how long the primary's log must say that nobody writes. Requests that were under way as writes were stopped have ended by then, and what
/// had not ended is told by its open transaction.
const STILL_SECONDS: u32 = 10;
/// For how long writes may go on after somebody said that they had stopped: load balancers and caches take a while.
const WRITES_STOP_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// Users cannot write meanwhile. After this a person should decide whether to wait on.
const LEVEL_WITHIN: SignedDuration = SignedDuration::from_mins(15);

const LOOK_EVERY_SECONDS: u32 = 10;
/// Pins spread within 60 s, clients drain for minutes, RDS promotes within ten.
const OVER_WITHIN: SignedDuration = SignedDuration::from_mins(60);

/// Goes through all of it, or goes on where an interrupted run left it.
pub async fn run(workload: &Workload, terminal: &Terminal, command: &Switchover) -> Result<(), Failure> {
    let Some(access) = Access::of(&workload.session, &command.access).await? else {
        let why = "a switchover asks the databases for their positions: give it a user (--database-secret, or HOLDFAST_DATABASE_USER and \
                   HOLDFAST_DATABASE_PASSWORD); \
                   without one, nothing proves that DR has everything";
        return Err(Failure::Usage(why.to_owned()));
    };
    let seen = look(workload).await?;
    if is_under_way(&seen) {
        terminal.say(format!(
            "{BOLD}a failover is under way{BOLD:#}, or over: this waits for its end, and compares the databases"
        ));
        let mut pairs = pair::every(workload).await?;
        for pair in &mut pairs {
            if let Err(why) = pair.mark_again(&access).await {
                terminal.say(format!("{WARNING}{} may lack something{WARNING:#}: {why}", pair.id));
            }
        }
        return finish(workload, terminal, &access, pairs, Begun::default()).await;
    }
    if terminal.yes && !command.writes_stopped {
        let why = "with --yes nobody is asked whether writes have stopped: stop them, and say --writes-stopped";
        return Err(Failure::Usage(why.to_owned()));
    }
    let mut pairs = check(workload, terminal, &access, command, &seen).await?;
    if !command.writes_stopped {
        let sources: Vec<_> = pairs.iter().map(|pair| pair.source_name()).collect();
        terminal.confirm(&format!(
            "Stop writes to {} now, as your application does it. Have they stopped?",
            sources.join(", ")
        ))?;
    }
    let stopped_at = workload.records.now();
    let proved = prove(workload, terminal, &access, &mut pairs).await;
    let intent = match proved {
        Ok(()) => intent(workload, terminal, command).await,
        Err(failure) => Err(failure),
    };
    // Minutes have passed since the check.
    let intent = intent.and_then(|intent| intent.allowed().map(|()| intent)).map_err(nothing_done)?;
    let proved_at = workload.records.now();
    let positions = Positions::ask_as(workload, terminal, &access).await;
    intent.say(workload).await?;
    positions.announce(workload, terminal, intent.incident(), intent.by()).await;
    let pinned = intent.pinned(workload, terminal).await?;
    let pinned_at = workload.records.now();
    terminal.say(format!("{GOOD}pinned to DR{GOOD:#}: {}, incident {}", pinned.join(", "), intent.incident()));
    finish(workload, terminal, &access, pairs, Begun { times: Some([stopped_at, proved_at, pinned_at]), positions })
        .await
}

/// What the run that began it knows; one that goes on knows nothing of it.
#[derive(Debug, Default)]
struct Begun {
    /// When writes had stopped, when that was proved, and when the names were pinned.
    times: Option<[Timestamp; 3]>,
    /// How far the replicas had come before they were promoted.
    positions: Positions,
}

/// True once a name is on DR, or the latch is closed: whoever began, it cannot be begun again.
fn is_under_way(seen: &Observation) -> bool {
    seen.latch.closed().is_some() || seen.names.iter().any(|view| view.pin().is_some())
}

/// What fails before the incident was said leaves nothing behind.
fn nothing_done(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(why) => {
            let why = why.strip_prefix("nothing was changed: ").unwrap_or(&why);
            let then = "Nothing was changed: let writes go on, or run it again";
            Failure::Refused(format!("users were not moved: {why}. {then}"))
        }
        other => other,
    }
}

/// The failover that it becomes. The primary answers, of course.
async fn intent(workload: &Workload, terminal: &Terminal, command: &Switchover) -> Result<Intent, Failure> {
    let despite = command.despite.iter().copied().chain([Rule::P09]).collect();
    Intent::of(workload, terminal, despite, &Ask { reason: command.reason.clone() }).await
}

/// Refuses, with the remedy, whatever would hold it up once writes have stopped.
async fn check(
    workload: &Workload,
    terminal: &Terminal,
    access: &Access,
    command: &Switchover,
    seen: &Observation,
) -> Result<Vec<Pair>, Failure> {
    let pairs = pair::every(workload).await?;
    if pairs.is_empty() {
        let why = "the plan has no database, so there is nothing to lose: holdfast failover --despite P09 moves users";
        return Err(Failure::Usage(why.to_owned()));
    }
    in_peace(&workload.plan, &seen.alarms)?;
    let intent = intent(workload, terminal, command).await?;
    print_findings(terminal, &intent.findings);
    intent.allowed()?;
    guard::writable(workload, terminal, &seen.names).await?;
    // As if the alarm rang: of an incident that begins now the newest sample of the lag, of a minute ago, says too little.
    let unready = look::replicas(workload, seen, &look::real_or_imagined(workload, seen, &[])).await;
    if let Some(unready) = unready.iter().find(|decision| decision.row.verdict != Verdict::Promote) {
        let row = unready.row;
        return Err(Failure::Refused(format!(
            "nothing was changed: {} ({}): {}; {}",
            unready.id, row.id, row.condition, row.next
        )));
    }
    for pair in &pairs {
        let unreachable = |why| {
            Failure::Refused(format!(
                "nothing was changed: whether {} has everything that {} has cannot be asked: {why}. Run this where both databases can be \
                 reached (a host of their network, or its VPN), as a user that may ask them",
                pair.id,
                pair.source_name()
            ))
        };
        let said = pair.reachable(access).await.map_err(unreachable)?;
        terminal.say(format!("{BOLD}{}{BOLD:#}, replica of {}: {said}", pair.id, pair.source_name()));
    }
    intent.confirm(terminal, "Once writes have stopped and DR has everything: switch")?;
    Ok(pairs)
}

/// Refuses unless every alarm is known to say that all is well.
fn in_peace(plan: &Plan, alarms: &Alarms) -> Result<(), Failure> {
    match not_ok(plan, alarms).as_slice() {
        [] => Ok(()),
        unwell => Err(Failure::Refused(format!(
            "nothing was changed: a switchover is for peace, and the alarm is not OK ({}); in an outage: holdfast failover",
            unwell.join(", ")
        ))),
    }
}

/// Waits until nothing was written for some seconds and every replica has everything; leaves in each pair the mark since when that is so.
async fn prove(workload: &Workload, terminal: &Terminal, access: &Access, pairs: &mut [Pair]) -> Result<(), Failure> {
    let progress = terminal.wait("asking the databases".to_owned());
    let proved = until_complete(workload, access, pairs, &progress).await;
    progress.finish_and_clear();
    for (pair, at) in pairs.iter().zip(proved.map_err(Failure::Refused)?) {
        terminal.say(format!(
            "{} has everything that {} has, up to {at}; nobody writes there",
            pair.id,
            pair.source_name()
        ));
    }
    Ok(())
}

async fn until_complete(
    workload: &Workload,
    access: &Access,
    pairs: &mut [Pair],
    progress: &ProgressBar,
) -> Result<Vec<String>, String> {
    let began = workload.records.now();
    loop {
        for pair in pairs.iter_mut() {
            pair.mark(access).await?;
        }
        workload.records.wait(STILL_SECONDS).await;
        let mut complete = Vec::new();
        let mut waits = Vec::new();
        for pair in pairs.iter() {
            let name = pair.source_name();
            let for_so_long = workload.records.now().duration_since(began);
            match pair.look(access).await.standing() {
                Standing::Complete { at } => complete.push(at.to_string()),
                Standing::Written(what) if for_so_long >= WRITES_STOP_WITHIN => {
                    return Err(format!("writes to {name} go on: in the last {STILL_SECONDS} s {what}"));
                }
                Standing::CatchingUp(what) if for_so_long >= LEVEL_WITHIN => {
                    return Err(format!("{} has not caught up for {} min: {what}", pair.id, LEVEL_WITHIN.as_mins()));
                }
                Standing::NotKnown(why) => {
                    return Err(format!("whether {} has everything is not known: {why}", pair.id));
                }
                Standing::Written(what) | Standing::CatchingUp(what) => waits.push(format!("{name}: {what}")),
            }
        }
        if waits.is_empty() {
            return Ok(complete);
        }
        progress.set_message(waits.join("; "));
    }
}

/// Waits for the end of the failover, compares the databases once more, and only then says that it is done.
async fn finish(
    workload: &Workload,
    terminal: &Terminal,
    access: &Access,
    mut pairs: Vec<Pair>,
    begun: Begun,
) -> Result<(), Failure> {
    until_over(workload, terminal, access, &mut pairs).await?;
    let over_at = workload.records.now();
    let (mut told, mut losses) = (Vec::new(), Vec::new());
    for pair in &pairs {
        let loss = pair.loss(access).await;
        let (count, why) = match &loss {
            Loss::Nothing => (Some(0), None),
            Loss::Transactions(count, of) => (*count, Some(of)),
            Loss::NotKnown(why) => (None, Some(why)),
        };
        told.push(json!({"database": pair.id.to_string(), "source": pair.source_name(), "transactions_only_in_old": count, "why": why}));
        match loss {
            Loss::Nothing => terminal.say(format!(
                "{GOOD}{} has everything{GOOD:#} that users wrote to {}",
                pair.id,
                pair.source_name()
            )),
            Loss::Transactions(count, of) => {
                let count = count.map_or("transactions".to_owned(), |count| format!("{count} transactions"));
                losses.push(format!("{count} are only in {}, and not in {} ({of})", pair.source_name(), pair.id));
            }
            Loss::NotKnown(why) => losses.push(format!("whether {} has everything is not known: {why}", pair.id)),
        }
    }
    let seconds = begun.times.map(|[stopped, proved, pinned]| {
        let between = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
        json!({"to_proof": between(stopped, proved), "to_pin": between(proved, pinned), "to_end": between(pinned, over_at)})
    });
    terminal.result(&json!({"databases": told, "seconds": seconds, "positions": begun.positions.as_json()}));
    if let Some(seconds) = seconds {
        terminal.say(format!(
            "writes stood still for {} s until that was proved, {} s until the pin, {} s from there to the last promotion; `holdfast report` has the rest",
            seconds["to_proof"], seconds["to_pin"], seconds["to_end"]
        ));
    }
    match losses.is_empty() {
        true => {
            terminal.say(format!(
                "{GOOD}users are on DR, and nothing was lost{GOOD:#}; next: holdfast after, then holdfast failback"
            ));
            Ok(())
        }
        false => Err(Failure::Refused(format!(
            "users are on DR, but {}; `holdfast failback compare` lists what only the old primary has",
            losses.join("; ")
        ))),
    }
}

/// Waits until the incident is closed. What is written to the old primary meanwhile still replicates until DR is promoted, so it is told at once.
async fn until_over(
    workload: &Workload,
    terminal: &Terminal,
    access: &Access,
    pairs: &mut [Pair],
) -> Result<(), Failure> {
    let progress = terminal.wait("waiting for every name server to have the pin".to_owned());
    let began = workload.records.now();
    while workload.records.now().duration_since(began) < OVER_WITHIN {
        // A look that fails is made again: who begins anew does not know any more where the primaries stood.
        let Ok(seen) = look(workload).await else {
            workload.records.wait(LOOK_EVERY_SECONDS).await;
            continue;
        };
        let is_over = |register: &Register| matches!(register, Register::FailedOver { .. });
        if seen.names.iter().all(|view| view.register().is_some_and(is_over)) {
            progress.finish_and_clear();
            return Ok(());
        }
        for pair in pairs.iter_mut() {
            if let Some(late) = pair.late(access, seen.now).await {
                progress.suspend(|| {
                    terminal.say(format!(
                        "{WARNING}somebody writes to {} again{WARNING:#}: {late}; stop it before DR is promoted",
                        pair.source_name()
                    ));
                });
            }
        }
        let gate = look::gate(workload, &seen);
        let replicas = match &gate.incident {
            Some(incident) => look::replicas(workload, &seen, incident).await,
            None => Vec::new(),
        };
        let waits: Vec<_> =
            look::promotion(&gate, &replicas).iter().map(|it| format!("{}: {}", it.id, it.because)).collect();
        progress.set_message(waits.join("; "));
        workload.records.wait(LOOK_EVERY_SECONDS).await;
    }
    Err(Failure::Refused(
        "the failover has not come to its end within an hour; `holdfast status` says why, and this command goes on when it is run again".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use failover::incident::{EvaluationTrouble, Incident};

    use super::*;

    #[test]
    fn a_switchover_is_no_matter_for_an_alarm_that_cloudwatch_cannot_evaluate() {
        let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:started";
        let plan = r#"{"mode":"automatic","zones":[{"id":"Z1","names":["a.example.com"]}],"alarms":["ALARM"],"limits":{"lag_seconds_max":60,
            "settle_seconds":900,"cooldown_seconds":3600,"drain_seconds":90,"detection_seconds_max":2400}}"#;
        let plan = Plan::parse(&plan.replace("ALARM", arn)).unwrap();
        let in_peace = |alarms| super::in_peace(&plan, &alarms);
        let mut alarm = Incident::declared(Timestamp::UNIX_EPOCH).as_declared_alarm().unwrap();
        alarm.arn = arn.to_owned();
        assert!(in_peace(Some(vec![alarm.clone()])).is_err(), "it rings");
        alarm.state = failover::incident::AlarmState::Ok;
        assert!(in_peace(Some(vec![alarm.clone()])).is_ok());
        for trouble in [EvaluationTrouble::Error, EvaluationTrouble::Failure] {
            alarm.trouble = Some(trouble);
            let refused = in_peace(Some(vec![alarm.clone()])).unwrap_err().to_string();
            assert!(refused.contains("EVALUATION_"), "{refused}");
        }
        assert!(in_peace(None).is_err(), "CloudWatch does not say");
    }
}
