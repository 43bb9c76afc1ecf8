//! What an invocation came to: the value a Lambda returns, and so the event that the bus carries on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{Attention, Fact};
pub use crate::finding::{Finding, Kind, Trigger};
use crate::incident::Incident;
use crate::pin;
use crate::promotion;
use crate::rule::{Id, Rule};
use crate::users::Users;

/// How many subjects, and how many others, an outcome lists: the bus and SNS take 256 KB, and of thousands of names nobody
/// reads more. The rest are counted.
const LISTED_MAX: usize = 100;

/// The return value of alarm-handler and replica-promoter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What happened.
    pub outcome: Kind,
    /// How much it deserves a person's attention.
    pub attention: Attention,
    /// Which row decided; none if an AWS call failed before any could, or if this version does not know the row: people are told all the same.
    #[serde(flatten)]
    pub id: Option<Id>,
    /// The rule's condition, in words.
    pub because: String,
    /// The names or databases it is about, or the first hundred of them.
    pub subjects: Vec<String>,
    /// How many more it is about.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub subjects_unlisted: usize,
    /// The incident it belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub incident: Option<Incident>,
    /// Since when this has been so, as far as AWS tells; repeats are counted from here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since: Option<Timestamp>,
    /// Why the approval that woke the function had no part in this, if it had none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unheeded: Option<String>,
    /// When it was decided, by AWS's time.
    pub at: Timestamp,
    /// What woke the function.
    pub trigger: Trigger,
    /// What one approval would have to lift for all of it to go on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub despite: BTreeSet<Rule>,
    /// Where users are, after all that was done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub users: Option<Users>,
    /// What was seen.
    pub facts: Vec<Fact>,
    /// What happens next.
    pub next: String,
    /// What was found of the others, or of the first hundred of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub also: Vec<String>,
    /// Something that happens once, and deserves attention, is among the others: it is told now or never.
    #[serde(skip_serializing_if = "is_false", default)]
    pub also_happened: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(it: &bool) -> bool {
    !*it
}

impl Outcome {
    /// One outcome of many findings: the weightiest leads, the others worth a person's attention are listed. The answer to
    /// an approval is always worth it.
    #[must_use]
    pub fn of(at: Timestamp, trigger: Trigger, findings: &[Finding]) -> Self {
        let weight = |finding: &&Finding| (finding.attention, finding.kind);
        // Of equals the first, as in `subjects`, so that subject and facts speak of the same name.
        let lead = findings.iter().rev().max_by_key(weight).cloned().unwrap_or_else(Finding::of_nothing);
        let with_lead = |finding: &&Finding| finding.id == lead.id && finding.because == lead.because;
        let others = || findings.iter().filter(|finding| !with_lead(finding) && finding.attention > Attention::None);
        let mut also: Vec<_> = others().take(LISTED_MAX).map(Finding::in_a_line).collect();
        if let unlisted @ 1.. = others().count() - also.len() {
            also.push(format!("and {unlisted} more"));
        }
        let also_happened = others().any(|finding| finding.kind.is_transition());
        let facts = facts(&lead, findings);
        let with_lead = || findings.iter().filter(with_lead);
        let attention = match trigger {
            Trigger::Approval => lead.attention.max(Attention::Notice),
            Trigger::Tick | Trigger::Event => lead.attention,
        };
        Self {
            outcome: lead.kind,
            attention,
            id: lead.id,
            subjects: with_lead().take(LISTED_MAX).map(|finding| finding.subject.clone()).collect(),
            subjects_unlisted: with_lead().count().saturating_sub(LISTED_MAX),
            also,
            also_happened,
            // The whole of it has been so only since the last of them has.
            since: with_lead().filter_map(|finding| finding.since).max(),
            because: lead.because,
            incident: lead.incident,
            unheeded: None,
            at,
            trigger,
            despite: findings.iter().flat_map(|finding| finding.despite.iter().copied()).collect(),
            users: None,
            facts,
            next: lead.next,
        }
    }

    /// Says where users are, by what was seen before `findings` came of it.
    #[must_use]
    pub fn with_users(self, seen: Option<Users>, findings: &[Finding]) -> Self {
        let (trigger, at) = (self.trigger, self.at);
        Self { users: seen.map(|users| users.after(trigger, findings, at)), ..self }
    }

    /// Which rule decided.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.id.map(|id| id.rule)
    }

    /// How many names or databases it is about.
    #[must_use]
    pub fn subject_count(&self) -> usize {
        self.subjects.len() + self.subjects_unlisted
    }

    /// The first few subjects, and how many more there are.
    #[must_use]
    pub fn subjects_in_words(&self, named_max: usize) -> String {
        let named = &self.subjects[..self.subjects.len().min(named_max)];
        match self.subject_count() - named.len() {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }
}

/// What the leading finding saw. An approval of a loss, or of a writer, is one for all databases of its incident, so whoever
/// is asked for it is told what was seen of each, whatever leads; and so is whoever is told that databases are promoted, which
/// nobody takes back.
fn facts(lead: &Finding, findings: &[Finding]) -> Vec<Fact> {
    let is_about_data = |finding: &&Finding| {
        finding.kind == Kind::PromotionRequested || finding.despite.iter().any(|rule| rule.is_about_data())
    };
    let mut facts = lead.facts.clone();
    for fact in findings.iter().filter(is_about_data).flat_map(|finding| &finding.facts) {
        if !facts.contains(fact) {
            facts.push(fact.clone());
        }
    }
    facts
}

/// A person's approval would be lost with this invocation, so it must fail, for Lambda to deliver the approval again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the approval could not be carried out yet: {0}")]
pub struct ApprovalNotCarriedOut(pub String);

impl Finding {
    fn in_a_line(&self) -> String {
        let id = self.id.map(|id| format!("{id}: ")).unwrap_or_default();
        format!("{}: {id}{}", self.subject, self.because)
    }

    /// A zone without a single failover pair, or a plan without databases, has nothing to be found.
    fn of_nothing() -> Self {
        Self {
            subject: String::new(),
            kind: Kind::Nothing,
            id: None,
            because: "nothing is protected here".to_owned(),
            attention: Attention::None,
            incident: None,
            since: None,
            despite: BTreeSet::new(),
            facts: Vec::new(),
            next: "nothing".to_owned(),
        }
    }
}

/// What a decision about a name comes to, if it is carried out: alarm-handler makes it before it writes, and corrects it where the write does
/// not succeed.
impl From<pin::Decision> for Finding {
    fn from(decision: pin::Decision) -> Self {
        let kind = match decision.row.verdict {
            pin::Verdict::Nothing | pin::Verdict::Remember => Kind::Nothing,
            pin::Verdict::Wait => Kind::Waiting,
            pin::Verdict::Stay => Kind::StaysOnDr,
            pin::Verdict::Arm(_) | pin::Verdict::ArmRehearsing(_) => Kind::Armed,
            pin::Verdict::Rehearse => Kind::Rehearsed,
            pin::Verdict::Confirm => Kind::Confirmed,
            pin::Verdict::WouldPin => Kind::WouldHavePinned,
            pin::Verdict::Hold => Kind::Held,
            pin::Verdict::Refuse => Kind::Refused,
            pin::Verdict::Ask => Kind::ApprovalNeeded,
            pin::Verdict::Warn => Kind::AtRisk,
            pin::Verdict::Yield => Kind::Yielded,
            pin::Verdict::LeaveSwapped => Kind::Swapped,
            pin::Verdict::Follow => Kind::Followed,
            pin::Verdict::Repin => Kind::PinnedAgain,
            pin::Verdict::Pin => Kind::Pinned,
        };
        Self {
            subject: decision.name.to_string(),
            kind,
            id: Some(decision.row.id),
            because: decision.row.condition.to_owned(),
            attention: decision.row.attention,
            incident: decision.incident,
            since: decision.since,
            despite: decision.despite,
            facts: decision.facts,
            next: decision.row.next.to_owned(),
        }
    }
}

/// What a decision about the workload came to, once it was carried out.
impl From<promotion::GateDecision> for Finding {
    fn from(decision: promotion::GateDecision) -> Self {
        let kind = match decision.row.verdict {
            promotion::Gate::Closed => Kind::Nothing,
            promotion::Gate::Wait | promotion::Gate::Open => Kind::Waiting,
            promotion::Gate::RecordInSync => Kind::InSync,
        };
        Self {
            subject: "the workload".to_owned(),
            kind,
            id: Some(decision.row.id),
            because: decision.row.condition.to_owned(),
            attention: decision.row.attention,
            incident: decision.incident,
            since: decision.since,
            despite: BTreeSet::new(),
            facts: decision.facts,
            next: decision.row.next.to_owned(),
        }
    }
}

/// What a decision about a replica came to, once it was carried out.
impl From<promotion::ReplicaDecision> for Finding {
    fn from(decision: promotion::ReplicaDecision) -> Self {
        let kind = match decision.row.verdict {
            promotion::Verdict::Done => Kind::Nothing,
            promotion::Verdict::Wait if decision.keeps_an_approval_waiting => Kind::Interrupted,
            promotion::Verdict::Wait => Kind::Waiting,
            promotion::Verdict::Trouble => Kind::DatabaseTrouble,
            promotion::Verdict::Ask => Kind::ApprovalNeeded,
            promotion::Verdict::Promote => Kind::PromotionRequested,
        };
        Self {
            subject: decision.id.to_string(),
            kind,
            id: Some(decision.row.id),
            because: decision.row.condition.to_owned(),
            attention: decision.row.attention,
            incident: decision.incident,
            since: decision.since,
            despite: (kind == Kind::ApprovalNeeded).then_some(decision.row.id.rule).into_iter().collect(),
            facts: decision.facts,
            next: decision.row.next.to_owned(),
        }
    }
}
