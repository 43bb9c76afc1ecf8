//! `holdfast approve`: Holdfast goes on in an incident in which it waits for a person.

use std::collections::{BTreeMap, BTreeSet};

use aws::{CallError, operator};
use failover::incident::{ApprovalError, Incident};
use failover::latch::{Reading, Stage};
use failover::promotion::Gate;
use failover::rule::Rule;
use serde_json::json;

use crate::asked;
use crate::cli::{Access, Ask};
use crate::failure::Failure;
use crate::look::{self, look};
use crate::positions::Positions;
use crate::summons::{approval, heard};
use crate::terminal::{Terminal, WARNING};
use crate::workload::Workload;

/// Lets Holdfast go on in an incident: the one given, else the one that waits.
pub async fn approve(
    workload: &Workload,
    terminal: &Terminal,
    incident: Option<Incident>,
    despite: Vec<Rule>,
    (ask, access): (&Ask, &Access),
) -> Result<(), Failure> {
    heard(workload, terminal).await?;
    let waiting = match waiting(workload, terminal).await {
        // Who may approve need not be allowed to look. Nobody is refused for what is not known.
        Err(Failure::Aws(CallError::Refused { .. })) if incident.is_some() && !despite.is_empty() => Waiting::unknown(),
        waiting => waiting?,
    };
    let Choice { incident, despite, is_seen } = choose(&waiting, incident, despite)?;
    if !is_seen {
        terminal.say(format!("{WARNING}whether this incident waits for it cannot be seen from here{WARNING:#}"));
    }
    let approval = approval(workload, incident, despite, ask).await?;
    let despite: Vec<_> = approval.despite.iter().map(ToString::to_string).collect();
    terminal.say(format!(
        "incident  {}\nby        {}\ndespite   {}",
        approval.incident,
        approval.by,
        despite.join(", ")
    ));
    terminal.confirm("Approve?")?;
    let positions = Positions::ask(workload, terminal, access).await;
    operator::put_approval(&workload.session, &workload.bus, &approval).await?;
    positions.announce(workload, terminal, &approval.incident, &approval.by).await;
    terminal.result(&json!({"approved": approval, "positions": positions.as_json()}));
    terminal.say("approved; Holdfast's answer comes as a message, and `holdfast status` shows what came of it");
    Ok(())
}

/// What waits for a person.
#[derive(Debug)]
struct Waiting {
    /// The rules that one approval of each incident would have to lift, as far as they are seen.
    rules: BTreeMap<Incident, BTreeSet<Rule>>,
    /// What else may wait.
    unseen: Unseen,
}

/// What may wait for a person and cannot be seen from here.
#[derive(Debug)]
enum Unseen {
    /// Nothing: RDS answered for every database, and replica-promoter goes by nothing but the pins.
    Nothing,
    /// Databases in one of these incidents, and in no other: replica-promoter is busy with it.
    Of(BTreeSet<Incident>),
    /// Whatever: whether a failover is committed is not known.
    Anything,
}

impl Waiting {
    fn unknown() -> Self {
        Self { rules: BTreeMap::new(), unseen: Unseen::Anything }
    }

    /// What waits, in words.
    fn in_words(&self) -> String {
        let those: Vec<_> = self.rules.keys().map(ToString::to_string).collect();
        let seen = match (those.as_slice(), &self.unseen) {
            ([], Unseen::Nothing) => return "nothing waits for an approval now".to_owned(),
            ([], _) => String::new(),
            (those, _) => format!("these wait for one: {}", those.join(", ")),
        };
        let unseen = match &self.unseen {
            Unseen::Nothing => String::new(),
            Unseen::Of(incidents) => {
                format!("the failover under way is that of {}, and only it may wait", listed(incidents))
            }
            Unseen::Anything => "what else waits cannot be seen from here".to_owned(),
        };
        [seen, unseen].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

fn listed(incidents: &BTreeSet<Incident>) -> String {
    incidents.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

/// What is said where nothing is seen to wait, and something may.
fn unseen(waiting: &Waiting) -> Failure {
    let incident = match &waiting.unseen {
        Unseen::Of(incidents) => format!(" (it is for {})", listed(incidents)),
        Unseen::Nothing | Unseen::Anything => String::new(),
    };
    Failure::Refused(format!(
        "nothing was said: whether something waits for an approval cannot be seen from here, since replica-promoter goes by the latch, or RDS \
         does not answer; if a message asks for one{incident}, copy the command from there"
    ))
}

/// What waits for a person. It is shown as well.
async fn waiting(workload: &Workload, terminal: &Terminal) -> Result<Waiting, Failure> {
    let seen = look(workload).await?;
    let decisions = look::decide(workload, &seen);
    let gate = look::gate(workload, &seen);
    let mut unseen = match &seen.latch {
        Reading::NoStore | Reading::Open { .. } => Unseen::Nothing,
        Reading::Closed { latch, .. } => match latch.stage {
            Stage::FailedOver { .. } => Unseen::Nothing,
            // Where several alarms rang, a name may have been pinned in another's incident.
            Stage::Committed | Stage::Promoting => {
                let pinned = seen.names.iter().filter_map(|view| Some(view.pin()?.incident.clone()));
                Unseen::Of(pinned.chain([latch.incident.clone()]).collect())
            }
        },
        Reading::NotKnown(_) => Unseen::Anything,
    };
    let mut replicas = Vec::new();
    if let (Gate::Open, Some(incident)) = (gate.row.verdict, &gate.incident) {
        replicas = look::replicas(workload, &seen, incident).await;
        let is_all = replicas.iter().all(|replica| replica.row.id != Rule::R06.row('a'));
        // The gate is open by pins, by which replica-promoter goes first.
        unseen = if is_all { Unseen::Nothing } else { Unseen::Of([incident.clone()].into()) };
    }
    let asked = asked::of(&decisions, &gate, &replicas);
    asked::print(terminal, &asked);
    let mut rules: BTreeMap<Incident, BTreeSet<Rule>> = BTreeMap::new();
    asked.into_iter().for_each(|one| rules.entry(one.incident).or_default().extend(one.despite));
    Ok(Waiting { rules, unseen })
}

/// What an approval is for.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    incident: Incident,
    despite: Vec<Rule>,
    /// Whether it is seen to wait.
    is_seen: bool,
}

/// The incident and the rules that an approval is for. One that would change nothing is refused: at night nobody reads twice what a
/// message names.
fn choose(waiting: &Waiting, incident: Option<Incident>, despite: Vec<Rule>) -> Result<Choice, Failure> {
    if let Some(rule) = despite.iter().find(|rule| !rule.is_liftable()) {
        return Err(Failure::Refused(ApprovalError::NotLiftable(*rule).to_string()));
    }
    let Waiting { rules, unseen: may_wait } = waiting;
    let Some(incident) = incident.or_else(|| rules.keys().next().filter(|_| rules.len() == 1).cloned()) else {
        return Err(match (rules.len(), may_wait) {
            (0, Unseen::Nothing) => Failure::Refused(waiting.in_words()),
            (0, Unseen::Of(_) | Unseen::Anything) => unseen(waiting),
            (_, _) => Failure::Usage(format!("say which incident: {}", waiting.in_words())),
        });
    };
    let Some(asked) = rules.get(&incident) else {
        let may_be_it = match may_wait {
            Unseen::Nothing => false,
            Unseen::Of(others) => others.contains(&incident),
            Unseen::Anything => true,
        };
        return match (may_be_it, despite.is_empty()) {
            (true, false) => Ok(Choice { incident, despite, is_seen: false }),
            (true, true) => Err(unseen(waiting)),
            (false, _) => {
                let there = waiting.in_words();
                Err(Failure::Refused(format!("nothing was said: {incident} waits for no approval; {there}")))
            }
        };
    };
    let given: BTreeSet<_> = despite.iter().copied().collect();
    if despite.is_empty() {
        return Ok(Choice { incident, despite: asked.iter().copied().collect(), is_seen: true });
    }
    let missing: Vec<_> = asked.difference(&given).map(ToString::to_string).collect();
    if !missing.is_empty() {
        let all: Vec<_> = asked.union(&given).map(ToString::to_string).collect();
        let (missing, all) = (missing.join(", "), all.join(","));
        return Err(Failure::Refused(format!(
            "nothing was said: {missing} would still stand in the way, and no approval is remembered: --despite {all}"
        )));
    }
    Ok(Choice { incident, despite, is_seen: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(minute: u8) -> Incident {
        Incident::declared(format!("2026-01-05T10:{minute:02}:00Z").parse().unwrap())
    }

    fn asks(minute: u8, rule: Rule) -> BTreeMap<Incident, BTreeSet<Rule>> {
        BTreeMap::from([(incident(minute), BTreeSet::from([rule]))])
    }

    fn said(waiting: &Waiting, given: Option<Incident>, despite: &[Rule]) -> Result<Choice, String> {
        choose(waiting, given, despite.to_vec()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn that_nothing_waits_is_said_only_where_all_that_may_wait_is_seen() {
        let none = |unseen| Waiting { rules: BTreeMap::new(), unseen };
        let refused = said(&none(Unseen::Nothing), None, &[]).unwrap_err();
        assert_eq!(refused, "nothing waits for an approval now");
        for unseen in [Unseen::Of([incident(0)].into()), Unseen::Anything] {
            let refused = said(&none(unseen), None, &[]).unwrap_err();
            assert!(refused.contains("cannot be seen from here") && refused.contains("copy the command"), "{refused}");
        }
        let one = Waiting { rules: asks(0, Rule::P09), unseen: Unseen::Anything };
        assert!(said(&one, None, &[]).is_ok_and(|choice| choice.is_seen), "that one can be approved");
    }

    #[test]
    fn an_incident_that_cannot_be_the_one_that_waits_is_refused_with_the_one_that_may_though_the_latch_hides_what_waits()
     {
        let under_way = Waiting { rules: BTreeMap::new(), unseen: Unseen::Of([incident(0)].into()) };
        for despite in [&[][..], &[Rule::R07]] {
            let refused = said(&under_way, Some(incident(1)), despite).unwrap_err();
            assert!(refused.contains("waits for no approval"), "{refused}");
            assert!(refused.contains(&incident(0).to_string()), "it says which may wait: {refused}");
        }
        let choice = said(&under_way, Some(incident(0)), &[Rule::R07]).unwrap();
        assert_eq!(choice, Choice { incident: incident(0), despite: vec![Rule::R07], is_seen: false });
        let both = Waiting { rules: asks(2, Rule::P08), unseen: Unseen::Of([incident(0)].into()) };
        let refused = said(&both, Some(incident(1)), &[Rule::R07]).unwrap_err();
        assert!([0, 2].iter().all(|minute| refused.contains(&incident(*minute).to_string())), "{refused}");
    }

    #[test]
    fn nobody_is_refused_an_approval_for_what_nobody_can_see() {
        let choice = said(&Waiting::unknown(), Some(incident(1)), &[Rule::R07]).unwrap();
        assert!(!choice.is_seen);
        assert!(said(&Waiting::unknown(), Some(incident(1)), &[]).unwrap_err().contains("copy the command"));
    }

    #[test]
    fn an_approval_that_would_leave_a_rule_in_the_way_is_refused_with_all_of_them() {
        let waiting = Waiting { rules: asks(0, Rule::P09), unseen: Unseen::Nothing };
        let refused = said(&waiting, Some(incident(0)), &[Rule::P08]).unwrap_err();
        assert!(refused.contains("--despite P08,P09"), "{refused}");
    }
}
