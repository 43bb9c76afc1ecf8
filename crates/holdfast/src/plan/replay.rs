//! `holdfast plan --replay`: what Holdfast would have done in the last weeks, had it been armed as it is deployed now.

use aws::history::{Reader, Turn};
use failover::incident::{AlarmSighting, AlarmState};
use failover::observation::{NameView, Probes};
use failover::pin::Observation;
use failover::plan::alarm_name;
use failover::record::{Pair, RecordSet};
use failover::register::{ArmedBy, Reading, Register};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::failure::Failure;
use crate::look::{self, Finding};
use crate::status::print_findings;
use crate::terminal::{BOLD, DIM, Terminal, age};
use crate::workload::Workload;

/// "CloudWatch saves the history of an alarm for 30 days" (CloudWatch user guide, "Alarm history").
const LOOKBACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A time an alarm rang.
#[derive(Debug, Serialize)]
struct Episode {
    alarm: String,
    from: Timestamp,
    /// Nothing while it still rings.
    to: Option<Timestamp>,
    /// What the rules decide; nothing for an alarm that only informs people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    would: Vec<Finding>,
}

/// Runs the alarms' history through the rules.
pub async fn show(workload: &Workload, terminal: &Terminal) -> Result<(), Failure> {
    let now = look::look(workload).await?;
    let history = Reader::new(&workload.session);
    let mut episodes = Vec::new();
    for arn in &workload.plan.alarms {
        let turns = history.turns(arn, now.now - LOOKBACK, now.now).await?;
        for mut episode in rang(&turns) {
            if Some(episode.alarm.as_str()) == alarm_name(arn) {
                let seen = at_the_time(&now, arn, &episode);
                episode.would = look::findings(&look::decide(workload, &seen));
            }
            episodes.push(episode);
        }
    }
    episodes.sort_by_key(|episode| episode.from);
    terminal.result(&serde_json::json!({"from": now.now - LOOKBACK, "to": now.now, "episodes": episodes}));
    print(terminal, &episodes, now.now);
    Ok(())
}

fn print(terminal: &Terminal, episodes: &[Episode], now: Timestamp) {
    let (deciding, informing): (Vec<_>, Vec<_>) = episodes.iter().partition(|episode| !episode.would.is_empty());
    terminal.say(format!("{BOLD}the last 30 days, had Holdfast been armed as it is deployed now{BOLD:#}"));
    for Episode { alarm, from, to, would } in &deciding {
        let lasted = to.map_or("and still does".to_owned(), |to| format!("for {}", age(*from, to)));
        terminal.say(format!("\n{BOLD}{from}{BOLD:#}  {alarm} rang {lasted}"));
        print_findings(terminal, would);
    }
    if deciding.is_empty() {
        terminal.say("no alarm that fails over rang: nothing would have been done");
    }
    for Episode { alarm, from, to, .. } in &informing {
        let lasted = to.map_or("and still does".to_owned(), |to| format!("for {}", age(*from, to)));
        terminal.say(format!("{DIM}{from}  {alarm} rang {lasted}: it tells people, and never fails over{DIM:#}"));
    }
    terminal.say(format!(
        "\n{DIM}as of {now}; by the records and limits of now, and as if neither probe had been made: \
         a primary that answered would have held the failover (P09){DIM:#}"
    ));
}

/// From each turn to ALARM to the alarm's next turn.
fn rang(turns: &[Turn]) -> Vec<Episode> {
    let began = turns.iter().enumerate().filter(|(_, turn)| turn.to == "ALARM");
    let episode = |(nth, turn): (usize, &Turn)| {
        let ended = turns[nth + 1..].iter().find(|later| later.alarm == turn.alarm && later.to != "ALARM");
        let to = ended.map(|later| later.at);
        Episode { alarm: turn.alarm.clone(), from: turn.at, to, would: Vec::new() }
    };
    began.map(episode).collect()
}

/// What would have been seen as the alarm began to ring.
fn at_the_time(now: &Observation, arn: &str, episode: &Episode) -> Observation {
    let since = Timestamp::from_second(episode.from.as_second()).unwrap_or(episode.from);
    let (name, arn) = (episode.alarm.clone(), arn.to_owned());
    Observation {
        now: since,
        alarms: Some(vec![AlarmSighting { arn, name, state: AlarmState::Alarm, since, trouble: None }]),
        probes: Probes::default(),
        names: now.names.iter().map(long_armed).collect(),
        ..now.clone()
    }
}

/// The name, armed since long before; if it is pinned now, with the records as they were before.
fn long_armed(view: &NameView) -> NameView {
    let register = Register::armed(Timestamp::UNIX_EPOCH, ArmedBy::Operator);
    // Names are short enough for a register that says no more than this.
    let reading = match (&view.register, register.record_set(&view.name)) {
        (Reading::Absent | Reading::Known { .. }, Ok(set)) => Reading::Known { set, register },
        (unreadable, _) => unreadable.clone(),
    };
    let pin = view.register().and_then(Register::pin);
    let before = |pair: &Pair| {
        let primary = pair.primary();
        let original = pin.and_then(|pin| pin.original.get(pair.kind())).unwrap_or(&primary.target);
        [RecordSet { target: original.clone(), ..primary.clone() }, pair.secondary().clone()]
    };
    let of_pairs = |pairs: Vec<Pair>| Pair::of_name(&view.name, &pairs.iter().flat_map(before).collect::<Vec<_>>());
    NameView { register: reading, pairs: view.pairs.clone().and_then(of_pairs), ..view.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(alarm: &str, second: i64, to: &str) -> Turn {
        let at = Timestamp::from_second(second).unwrap_or_default();
        Turn { at, alarm: alarm.to_owned(), to: to.to_owned(), reason: String::new() }
    }

    #[test]
    fn an_alarm_rings_from_its_turn_to_alarm_until_its_own_next_turn() {
        let turns = [
            turn("a", 0, "OK"),
            turn("a", 60, "ALARM"),
            turn("b", 90, "OK"),
            turn("a", 120, "OK"),
            turn("a", 180, "ALARM"),
        ];
        let told: Vec<_> =
            rang(&turns).iter().map(|it| (it.from.as_second(), it.to.map(Timestamp::as_second))).collect();
        assert_eq!(told, [(60, Some(120)), (180, None)]);
    }
}
