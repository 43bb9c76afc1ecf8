//! What the records allow to measure: the stages, what the time went by, what may be lost.

use aws::watch::PROLONGED;
use failover::outcome::Kind;
use failover::promotion::CLIENTS_DRAINED;
use failover::register::{Register, Spread};
use jiff::Timestamp;
use report::{Cause, Figure, Loss, Spell, Stage, span};

use super::pins;
use crate::report::records::Records;

pub const FAILOVER_STARTED: &str = "failover started";
pub const PINNED: &str = "pin requested";
pub const FAILED_OVER: &str = "failed over";
const LATCHED: &str = "latch closed";
const WAITS: &str = "failover waits";
const IN_SYNC: &str = "pin in sync";
const PROMOTION_WAITS: &str = "promotion waits";
const PROMOTION_ASKED: &str = "promotion asked";

/// What a failover waits in for a person, or until a guard lets it pass.
const WAITING: [Kind; 2] = [Kind::ApprovalNeeded, Kind::Held];

/// When a stage was reached.
pub fn at(stages: &[Stage], name: &str) -> Option<Timestamp> {
    stages.iter().find(|stage| stage.name == name).map(|stage| stage.at)
}

/// What the incident went through, the first first.
pub fn stages(records: &Records) -> Vec<Stage> {
    let stage = |name: &str, at| Stage::new(name, at, None, "");
    let began = records.incident.began;
    let mut stages = vec![stage(FAILOVER_STARTED, began)];
    for turn in records.turns.iter().filter(|turn| turn.to == "ALARM" && turn.at < began) {
        stages.retain(|known| known.name != turn.alarm);
        stages.push(stage(&turn.alarm, turn.at));
    }
    let in_sync = pins(records).filter_map(|(_, register)| match register {
        Register::Pinned { spread: Spread::InSync { at }, .. } => Some(*at),
        _ => None,
    });
    let failed_over = pins(records).filter_map(|(_, register)| match register {
        Register::FailedOver { at, .. } => Some(*at),
        _ => None,
    });
    let pinned = pins(records).map(|(pin, _)| pin.at).min().or_else(|| records.first(Kind::Pinned));
    let in_sync = in_sync.max().or_else(|| records.first(Kind::InSync));
    let asked = records.first(Kind::PromotionRequested);
    let facts = records.outcomes().flat_map(|outcome| &outcome.facts);
    let drained = facts.filter(|fact| fact.about == CLIENTS_DRAINED).find_map(|fact| fact.seen.parse().ok());
    let waits = |from: Option<Timestamp>, until: Option<Timestamp>| {
        let ended = |at: Timestamp| until.is_none_or(|until| at < until);
        let waiting = records.outcomes().filter(|outcome| WAITING.contains(&outcome.outcome)).map(|outcome| outcome.at);
        from.and_then(|from| waiting.filter(|at| *at >= from && ended(*at)).min())
    };
    let reached = [
        (WAITS, waits(Some(began), pinned)),
        (LATCHED, records.first(Kind::Latched)),
        (PINNED, pinned),
        (IN_SYNC, in_sync),
        (CLIENTS_DRAINED, drained.filter(|at| asked.is_none_or(|asked| *at <= asked))),
        (PROMOTION_WAITS, waits(in_sync, asked)),
        (PROMOTION_ASKED, asked),
        (FAILED_OVER, failed_over.max().or_else(|| records.first(Kind::FailedOver))),
    ];
    stages.extend(reached.into_iter().filter_map(|(name, at)| Some(stage(name, at?))));
    stages.sort_by_key(|stage| stage.at);
    for nth in 1..stages.len() {
        let (cause, how) = cause(records, &stages[nth - 1].name, &stages[nth].name);
        (stages[nth].cause, stages[nth].how) = (Some(cause), how.to_owned());
    }
    stages
}

/// What the time between two stages went by. Where a stage between them is not on record, nobody can tell the parts apart.
fn cause(records: &Records, before: &str, reached: &str) -> (Cause, &'static str) {
    let is_prolonged = |name: &str| name.contains(PROLONGED);
    match (before, reached) {
        (_, reached) if is_prolonged(reached) => (Cause::Choice, "OutageMinutes"),
        (before, FAILOVER_STARTED) if is_prolonged(before) => (Cause::Detection, "Route 53's check and its alarm"),
        (_, FAILOVER_STARTED) if is_prolonged(&records.incident.alarm) => (Cause::Choice, "OutageMinutes"),
        (FAILOVER_STARTED, WAITS | LATCHED | PINNED) => (Cause::Holdfast, "the look that follows the alarm"),
        (WAITS, LATCHED | PINNED) => (Cause::Person, "an approval, or until nothing held it any more"),
        (PINNED, IN_SYNC) => (Cause::Dns, ""),
        (IN_SYNC, CLIENTS_DRAINED | PROMOTION_WAITS | PROMOTION_ASKED) => {
            (Cause::Choice, "clients leave the primary: TTL + DrainSeconds")
        }
        (CLIENTS_DRAINED, PROMOTION_WAITS | PROMOTION_ASKED) => (Cause::Holdfast, "the look that follows"),
        (PROMOTION_WAITS, PROMOTION_ASKED) => (Cause::Person, "an approval, or until nothing held it any more"),
        (PROMOTION_ASKED, FAILED_OVER) => (Cause::Rds, "and some seconds until Holdfast saw that it was done"),
        (IN_SYNC | CLIENTS_DRAINED, FAILED_OVER) if records.databases.is_empty() => {
            (Cause::Holdfast, "there is nothing to promote")
        }
        _ => (Cause::Unknown, "no record tells the parts of it apart"),
    }
}

/// From when on users were where no database took writes, until the first that did. Both ends are others' words: a function's of where users
/// were, RDS's of the promotion.
pub fn spells(records: &Records, stages: &[Stage]) -> Vec<Spell> {
    let on_read_only =
        records.outcomes().filter_map(|outcome| outcome.users.as_ref().filter(|users| users.cannot_write()));
    let Some(from) = on_read_only.filter_map(|users| users.since).min() else { return Vec::new() };
    let is_promoted = |told: &&aws::history::Told| told.at >= from && told.message.starts_with("Promoted");
    let promoted = records.told.iter().filter(is_promoted).map(|told| told.at).min();
    let (to, how) = match (promoted, at(stages, FAILED_OVER)) {
        (Some(at), _) => (Some(at), "from when Holdfast saw users on DR to the first promotion that RDS reports"),
        (None, Some(at)) => {
            (Some(at), "at most: RDS's word of the first promotion is not on record, so to the end of the failover")
        }
        (None, None) => (None, "no promotion is on record yet"),
    };
    vec![Spell { name: "users on DR, cannot write".to_owned(), from, to, how: how.to_owned() }]
}

/// When the primary took the last write at the latest, as far as the records tell: when the first alarm was sure, or, of a replica that went
/// on after that, when it was to be promoted.
fn last_write(records: &Records, stages: &[Stage], complete: Timestamp) -> Option<(Timestamp, &'static str)> {
    let first = stages.first().map(|stage| (stage.at, "the first alarm"));
    let asked = records.first(Kind::PromotionRequested).map(|at| (at, "the promotion"));
    first.filter(|(at, _)| *at >= complete).or(asked)
}

/// How many seconds of writes a database may lack, and how that is known.
fn gaps(records: &Records, stages: &[Stage]) -> Vec<(Option<i64>, Loss)> {
    let gap = |(database, sample): &(failover::plan::ReplicaId, Option<failover::promotion::LagSample>)| {
        let database = database.to_string();
        let Some(sample) = sample else {
            let how = "no good sample of its lag before it was promoted".to_owned();
            return (None, Loss { database, value: "not known".to_owned(), how });
        };
        let complete = sample.probably_complete_until();
        let (most, until) = last_write(records, stages, complete).unwrap_or((complete, "then"));
        let seconds = (most.as_second() - complete.as_second()).max(0);
        let value = format!("at most {}; last replicated {}", span(seconds), complete.strftime("%T UTC"));
        let how = format!(
            "it probably had every write up to then (lag {} s at {}, less two minutes for a silent link); counted to {until}: what the primary \
             took later comes on top",
            sample.seconds,
            sample.at.strftime("%T")
        );
        (Some(seconds), Loss { database, value, how })
    };
    let is_promoted = records.first(Kind::PromotionRequested).is_some();
    records.lags.iter().filter(|_| is_promoted).map(gap).collect()
}

/// What each database may lack.
pub fn losses(records: &Records, stages: &[Stage]) -> Vec<Loss> {
    gaps(records, stages).into_iter().map(|(_, loss)| loss).collect()
}

/// The numbers people ask for first.
pub fn figures(records: &Records, stages: &[Stage], spells: &[Spell]) -> Vec<Figure> {
    let figure = |name: &str, value, how| Figure { name: name.to_owned(), value, how };
    let mut figures = Vec::new();
    if let (Some(first), Some(end)) = (stages.first(), at(stages, FAILED_OVER)) {
        let took = span(end.as_second() - first.at.as_second());
        // Without the detector's alarms nobody knows how long the outage had lasted by then, or whether there was one.
        let lacks_alarms = records.lacks("detector's alarms");
        let least = if lacks_alarms { "at least " } else { "" };
        let span =
            format!("from {} ({}) to every database taking writes in DR", first.name, first.at.strftime("%T UTC"));
        // Where a person began it and no alarm rang, nothing says that there was an outage: it may have been a switchover.
        figures.push(match records.incident.is_declared() && first.name == FAILOVER_STARTED && !lacks_alarms {
            true => figure("Interruption", took, format!("{span}; a person began it, and no alarm rang before")),
            false => {
                figure("RTO", format!("{least}{took}"), format!("{span}; the outage itself began before that was sure"))
            }
        });
    }
    let gaps = gaps(records, stages);
    // What nobody knows is worse than any number.
    let worst = gaps.iter().rev().max_by_key(|(seconds, _)| seconds.unwrap_or(i64::MAX));
    if let Some((_, Loss { database, value, how })) = worst {
        let rest = if gaps.len() > 1 { ", the worst (the table has each)" } else { "" };
        figures.push(figure("RPO", value.clone(), format!("{database}{rest}: {how}")));
    }
    if let Some(spell) = spells.first() {
        let value =
            spell.to.map_or_else(|| "not over yet".to_owned(), |to| span(to.as_second() - spell.from.as_second()));
        figures.push(figure("Users could not write on DR", value, spell.how.clone()));
    }
    figures
}

#[cfg(test)]
mod tests {
    use aws::history::Turn;
    use aws::telemetry::Record;
    use failover::incident::Incident;
    use failover::observation::Fact;
    use failover::outcome::{Outcome, Trigger};
    use failover::plan::ReplicaId;
    use failover::promotion::LagSample;

    use super::*;
    use crate::report::records::Regions;

    fn time(text: &str) -> Timestamp {
        format!("2026-01-05T{text}Z").parse().unwrap()
    }

    /// Records of an incident of 10:00, with these outcomes, an hour later.
    fn records(outcomes: &[(Kind, &str)]) -> Records {
        let outcome = |(kind, at): &(Kind, &str)| {
            let outcome = Outcome { outcome: *kind, ..Outcome::of(time(at), Trigger::Tick, &[]) };
            (time(at), Record::Returned(Box::new(outcome)))
        };
        let turn = |alarm: &str, at| Turn {
            at: time(at),
            alarm: alarm.to_owned(),
            to: "ALARM".to_owned(),
            reason: String::new(),
        };
        let sample = LagSample { at: time("09:29:00"), seconds: 5 };
        let lag = |id: &str, sample| (ReplicaId::RdsInstance(id.to_owned()), sample);
        Records {
            now: time("11:00:00"),
            incident: Incident { alarm: "a-failover-started".to_owned(), began: time("10:00:00") },
            names: Vec::new(),
            databases: vec![ReplicaId::RdsInstance("one".to_owned()), ReplicaId::RdsInstance("two".to_owned())],
            regions: Regions::default(),
            is_fenced: false,
            turns: vec![turn("a-site-down", "09:30:00"), turn("a-prolonged-outage-30min", "09:59:00")],
            told: Vec::new(),
            lags: vec![lag("one", Some(sample)), lag("two", None)],
            log: outcomes.iter().map(outcome).collect(),
            orders: Vec::new(),
            sources: Vec::new(),
        }
    }

    fn causes(records: &Records) -> Vec<(String, Cause)> {
        stages(records).into_iter().filter_map(|stage| Some((stage.name, stage.cause?))).collect()
    }

    #[test]
    fn the_time_before_each_stage_has_the_cause_that_the_records_show() {
        let all = [
            (Kind::ApprovalNeeded, "10:00:10"),
            (Kind::Pinned, "10:10:00"),
            (Kind::InSync, "10:11:00"),
            (Kind::PromotionRequested, "10:15:00"),
            (Kind::FailedOver, "10:20:00"),
        ];
        let expected = [
            ("a-prolonged-outage-30min", Cause::Choice),
            (FAILOVER_STARTED, Cause::Detection),
            (WAITS, Cause::Holdfast),
            (PINNED, Cause::Person),
            (IN_SYNC, Cause::Dns),
            (PROMOTION_ASKED, Cause::Choice),
            (FAILED_OVER, Cause::Rds),
        ];
        assert_eq!(causes(&records(&all)), expected.map(|(name, cause)| (name.to_owned(), cause)));
        // Once it is told when clients had drained, what follows is not their time.
        let mut told = records(&all);
        if let Some((_, Record::Returned(failed_over))) = told.log.last_mut() {
            failed_over.facts.push(Fact::new(CLIENTS_DRAINED, time("10:14:58")));
        }
        assert_eq!(
            causes(&told)[5..7],
            [(CLIENTS_DRAINED, Cause::Choice), (PROMOTION_ASKED, Cause::Holdfast)]
                .map(|(name, cause)| (name.to_owned(), cause))
        );
        // Of a pin that nobody saw in sync, propagation and drain time are one.
        let without = records(&[all[1], all[3], all[4]]);
        assert_eq!(
            causes(&without)[2..4],
            [(PINNED, Cause::Holdfast), (PROMOTION_ASKED, Cause::Unknown)]
                .map(|(name, cause)| (name.to_owned(), cause))
        );
    }

    #[test]
    fn what_a_person_began_in_peace_is_an_interruption_and_what_followed_an_alarm_a_recovery() {
        let mut records = records(&[(Kind::Pinned, "10:00:05"), (Kind::FailedOver, "10:10:00")]);
        records.incident = Incident::declared(time("10:00:00"));
        let first = |records: &Records| figures(records, &stages(records), &[]).swap_remove(0);
        assert_eq!(first(&records).name, "RTO", "somebody went ahead of the alarm: {:?}", first(&records));
        records.turns.clear();
        assert_eq!((first(&records).name.as_str(), first(&records).value.as_str()), ("Interruption", "10 min"));
    }

    #[test]
    fn what_nobody_knows_is_no_number() {
        let failed_over =
            [(Kind::Pinned, "10:00:05"), (Kind::PromotionRequested, "10:05:00"), (Kind::FailedOver, "10:10:00")];
        let mut records = records(&failed_over);
        let told = |records: &Records| {
            let stages = stages(records);
            let lost: Vec<_> = losses(records, &stages).into_iter().map(|loss| loss.value).collect();
            let figures: Vec<_> = figures(records, &stages, &[]).into_iter().map(|figure| figure.value).collect();
            (lost, figures)
        };
        let (lost, figures) = told(&records);
        assert_eq!(lost, ["at most 3 min 5 s; last replicated 09:26:55 UTC", "not known"]);
        assert_eq!(figures, ["40 min", "not known"], "what is not known is the worst");
        records.turns.clear();
        records.sources =
            vec!["MISSING: the history of a-failover-started and its detector's alarms: no answer".to_owned()];
        records.lags.pop();
        assert_eq!(told(&records).1, ["at least 10 min", "at most 33 min 5 s; last replicated 09:26:55 UTC"]);
        records.log.clear();
        assert_eq!(told(&records), (Vec::new(), Vec::new()), "nothing was promoted");
    }
}
