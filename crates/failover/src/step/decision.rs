//! The decision about one step.

use std::collections::BTreeSet;

use super::{Due, Entry, Forbidden, List, Moment, Note, Row, Seen, Setting, Stage, TABLE, Tags, Target, Verdict};
use crate::finding::{Finding, Kind};
use crate::incident::Incident;
use crate::observation::{Attention, Fact};
use crate::rule::first;

/// What the rules decided about one step.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Which step.
    pub entry: Entry,
    /// Which row decided.
    pub row: &'static Row,
    /// The incident it belongs to, if there is one.
    pub incident: Option<Incident>,
    /// The bus of the stack that decides.
    pub bus: String,
    /// What it saw.
    pub facts: Vec<Fact>,
}

/// Decides about one step.
#[must_use]
pub fn decide(moment: &Moment, entry: &Entry, seen: &Seen) -> Decision {
    let facts = Facts { entry, moment, due: moment.due(entry.list), seen };
    let row = first(TABLE, |holds| holds(&facts));
    let noted = match facts.due {
        Due::Yes(_) => facts.note_of_now(),
        Due::No | Due::Undecided => facts.note(),
    };
    // One that has begun goes on by the name on record: a function is to know the call that comes twice, and alarms that name the outage
    // change.
    let incident = noted.map(|note| &note.incident).or_else(|| facts.due.incident()).cloned();
    let seen = vec![Fact::new(entry.target.to_string(), facts.in_words())];
    let facts = seen.into_iter().chain(moment.facts.clone()).collect();
    Decision { entry: entry.clone(), row, incident, bus: moment.bus.clone(), facts }
}

impl Decision {
    /// What is to be on record before the resource is changed that is `now` so, and of which the tags say this.
    #[must_use]
    pub fn begun(&self, now: Setting, tags: &Tags) -> Option<Note> {
        let (from, to) = match tags {
            Tags::Note(note) => (note.from, note.to),
            Tags::None => (now, now),
            Tags::Unreadable(_) => return None,
        };
        // A deployment that wants more makes nothing Holdfast's that others did meanwhile.
        let to = to.reaching(&self.entry.target);
        Some(Note { stage: Stage::Begun, from, to, incident: self.incident.clone()?, bus: self.bus.clone() })
    }

    /// What is told where an AWS call of this step failed. Only what AWS would refuse again is put right by nobody but a person, and in an
    /// outage that is worth waking one: users are about to come.
    #[must_use]
    pub fn failed(self, is_refused_for_good: bool, error: &dyn std::fmt::Display) -> Finding {
        let attention = match (&self.incident, is_refused_for_good) {
            (Some(_), true) => Attention::Page,
            (Some(_), false) | (None, true) => Attention::Notice,
            (None, false) => Attention::None,
        };
        let next = if is_refused_for_good {
            "Holdfast tries again every minute, and AWS will refuse it again until somebody puts right what it names. Is the ARN in \
             StepResources? Or do it by hand: pin and promotion do not wait for it, but for the alarm that DrHealthyAlarmName names, if \
             there is one (P15)"
        } else {
            "Holdfast tries again within a minute; pin and promotion do not wait for it, but for the alarm that DrHealthyAlarmName names, if there \
             is one (P15)"
        };
        let because = format!("an AWS call of this step failed: {error}");
        let finding = Finding::from(self);
        Finding { kind: Kind::StepFailed, id: None, because, attention, next: next.to_owned(), ..finding }
    }

    /// What a function is told by which it can tell a call that comes twice: the incident, and which step it is.
    #[must_use]
    pub fn key(&self) -> String {
        let incident = self.incident.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{incident} {} {}", self.entry.list, self.entry.arn)
    }
}

/// What the conditions are written in.
#[derive(Debug)]
pub struct Facts<'a> {
    pub(super) entry: &'a Entry,
    pub(super) moment: &'a Moment,
    pub(super) due: &'a Due,
    pub(super) seen: &'a Seen,
}

impl<'a> Facts<'a> {
    pub(super) fn tags(&self) -> Option<&'a Tags> {
        match self.seen {
            Seen::There { tags, .. } => Some(tags),
            Seen::Missing | Seen::NotSeen(_) | Seen::Unfit(_) => None,
        }
    }

    fn setting(&self) -> Option<Setting> {
        match self.seen {
            Seen::There { setting, .. } => Some(*setting),
            Seen::Missing | Seen::NotSeen(_) | Seen::Unfit(_) => None,
        }
    }

    pub(super) fn note(&self) -> Option<&'a Note> {
        match self.tags()? {
            Tags::Note(note) => Some(note),
            Tags::None | Tags::Unreadable(_) => None,
        }
    }

    pub(super) fn is_of_another(&self) -> bool {
        self.note().is_some_and(|note| note.bus != self.moment.bus)
    }

    pub(super) fn is_due(&self) -> bool {
        matches!(self.due, Due::Yes(_))
    }

    /// The record of a step that counts now. Between site-down and the failover the alarm that names the incident changes, so any record
    /// is of this outage; but what is called after a failover is called again after the next one.
    fn note_of_now(&self) -> Option<&'a Note> {
        let of_now = |note: &&Note| match (&self.entry.target, self.entry.list, self.due) {
            (Target::Function { .. }, List::After, Due::Yes(incident)) => note.incident == *incident,
            _ => true,
        };
        self.note().filter(of_now)
    }

    pub(super) fn stage(&self) -> Option<Stage> {
        self.note_of_now().map(|note| note.stage)
    }

    pub(super) fn is_as_wanted(&self) -> bool {
        let is_call = matches!(self.entry.target, Target::Function { .. });
        !is_call && self.setting().is_some_and(|now| now.reaching(&self.entry.target) == now)
    }

    /// The record was made for what the plan wants now. A deployment may want more than the one before, and then nobody has changed it.
    pub(super) fn has_begun(&self) -> bool {
        self.note_of_now().is_some_and(|note| note.to.reaching(&self.entry.target) == note.to)
    }

    pub(super) fn is_changed_by_others(&self) -> bool {
        self.has_begun() && self.stage() == Some(Stage::Set) && !self.is_as_wanted()
    }

    fn undone(&self) -> Option<(Setting, Setting)> {
        let (now, note) = (self.setting()?, self.note()?);
        Some((now, now.undone(note.from, note.to)))
    }

    pub(super) fn is_to_undo(&self) -> bool {
        self.undone().is_some_and(|(now, undone)| now != undone)
    }

    pub(super) fn is_as_before(&self) -> bool {
        self.note().is_some_and(|note| self.setting() == Some(note.from))
    }

    /// Something would be changed, and may not be.
    pub(super) fn is_kept_by(&self, why: Forbidden) -> bool {
        let is_settled = match (self.due, self.stage()) {
            (Due::Yes(_), Some(Stage::Set | Stage::Left)) => true,
            (Due::Yes(_), Some(Stage::Begun)) => false,
            (Due::Yes(_), None) => self.is_as_wanted(),
            (Due::No, _) => self.note().is_none(),
            (Due::Undecided, _) => true,
        };
        self.moment.forbidden == Some(why) && !is_settled
    }

    fn in_words(&self) -> String {
        let wanted = self.entry.wanted();
        match self.seen {
            Seen::Missing => format!("not found; it is to {wanted}"),
            Seen::NotSeen(why) => format!("not known: {why}; it is to {wanted}"),
            Seen::Unfit(state) => format!("its state is {state}; it is to {wanted}"),
            Seen::There { setting, detail, tags } => {
                let detail = if detail.is_empty() { String::new() } else { format!(", {detail}") };
                let record = match tags {
                    Tags::None => String::new(),
                    Tags::Unreadable(what) => format!("; its tags say {what}"),
                    Tags::Note(Note { stage, from, incident, bus, .. }) => {
                        format!("; on record {stage:?} by {bus} for {incident}, before {}", from.in_words())
                    }
                };
                format!("{}{detail}; it is to {wanted}{record}", setting.in_words())
            }
        }
    }
}

/// What a decision about a step came to, once it was carried out.
impl From<Decision> for Finding {
    fn from(decision: Decision) -> Self {
        let kind = match (decision.row.verdict, decision.entry.list) {
            (Verdict::Leave | Verdict::ForgetCall, _) => Kind::Nothing,
            (Verdict::Wait | Verdict::Remember | Verdict::Change | Verdict::Reopen | Verdict::Undo, _) => Kind::Waiting,
            (Verdict::Trouble, _) => Kind::StepFailed,
            (Verdict::Would, _) => Kind::WouldStep,
            (Verdict::Call | Verdict::Confirm, List::Prepare) => Kind::Prepared,
            (Verdict::Call | Verdict::Confirm, List::After | List::Neither) => Kind::AfterDone,
            (Verdict::LeaveToThem | Verdict::ForgetTheirs, _) => Kind::StepLeft,
            (Verdict::Forget, _) => Kind::StepUndone,
        };
        Self {
            subject: decision.entry.target.to_string(),
            kind,
            id: Some(decision.row.id),
            because: decision.row.condition.to_owned(),
            attention: decision.row.attention,
            since: decision.incident.as_ref().map(|incident| incident.began),
            incident: decision.incident,
            despite: BTreeSet::new(),
            facts: decision.facts,
            next: decision.row.next.to_owned(),
        }
    }
}
