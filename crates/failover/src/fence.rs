//! The fencing rules, X01–X09: whether the old writer in the primary region is cut off, so that nobody whom DNS does not
//! reach goes on writing to it. Optional, and only after the pin.
//!
//! What was before is put on record, as tags of the database itself, before anything is changed: a fence can be lifted
//! whoever died in between.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::finding::{Finding, Kind};
use crate::incident::Incident;
use crate::observation::Attention::{None as Quiet, Notice};
use crate::observation::{Fact, NameView};
use crate::plan::{Fence, ReplicaId};
use crate::register::{Register, Spread};
use crate::rule::{self, Rule, first, row};

const INCIDENT_TAG: &str = "holdfast:fenced-in";
const GROUPS_TAG: &str = "holdfast:fenced-from";
const STAGE_TAG: &str = "holdfast:fence";

/// The keys of the tags that a [`Note`] consists of.
pub const TAGS: [&str; 3] = [INCIDENT_TAG, GROUPS_TAG, STAGE_TAG];

/// What is on record of a fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The incident it is for.
    pub incident: Incident,
    /// The security groups that the database had before.
    pub original: BTreeSet<String>,
    /// How far it has come.
    pub stage: Stage,
}

/// How far a fence has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The original groups are on record.
    Begun,
    /// The fence stands, and connections from before it are gone.
    Rebooted,
    /// A person took it away again, and means it for the rest of the incident.
    Lifted,
}

impl Note {
    /// Reads a database's tags. Tags that are no note are none: they are then written anew.
    #[must_use]
    pub fn of_tags(tags: &BTreeMap<String, String>) -> Option<Self> {
        let stage = match tags.get(STAGE_TAG)?.as_str() {
            "begun" => Stage::Begun,
            "rebooted" => Stage::Rebooted,
            "lifted" => Stage::Lifted,
            _ => return None,
        };
        let original = tags.get(GROUPS_TAG)?.split_whitespace().map(str::to_owned).collect();
        Some(Self { incident: tags.get(INCIDENT_TAG)?.parse().ok()?, original, stage })
    }

    /// The tags to write. "Values … letters, numbers, spaces, and … _ . : / = + - @" (RDS user guide, "Tagging").
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        let stage = match self.stage {
            Stage::Begun => "begun",
            Stage::Rebooted => "rebooted",
            Stage::Lifted => "lifted",
        };
        let groups: Vec<_> = self.original.iter().map(String::as_str).collect();
        let values = [self.incident.to_string(), groups.join(" "), stage.to_owned()];
        TAGS.iter().map(|key| (*key).to_owned()).zip(values).collect()
    }
}

/// Security groups by id. RDS changes them in its own time, and the describes name both the ones that come and the ones that
/// go ("adding", "removing", "active").
pub type Groups = BTreeMap<String, Membership>;

/// How far a security group has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It decides who may connect.
    Active,
    /// It is on its way out.
    Removing,
    /// It is on its way in, or in a state that Holdfast does not know.
    NotYet,
}

impl Membership {
    /// RDS's word for it.
    #[must_use]
    pub fn of(status: &str) -> Self {
        match status {
            "active" => Self::Active,
            "removing" => Self::Removing,
            _ => Self::NotYet,
        }
    }
}

/// The groups that a database is to have once what RDS is doing is done: what a fence must give back.
#[must_use]
pub fn kept(groups: &Groups) -> BTreeSet<String> {
    groups.iter().filter(|(_, how)| **how != Membership::Removing).map(|(id, _)| id.clone()).collect()
}

/// What RDS says of an old writer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldWriter {
    /// There is no such database.
    Missing,
    /// The region cannot be reached, which is to be expected in an outage.
    Unanswered(String),
    /// It is a cluster of this global database.
    InGlobal(String),
    /// It is there.
    Present {
        /// What tags are put on.
        arn: String,
        /// When it was created: what is younger than the pin is no old writer, but what people rebuilt.
        created: Option<Timestamp>,
        /// RDS's word for its state.
        status: String,
        /// Its security groups, and how far each has come.
        groups: Groups,
        /// The instances that take writes, to be rebooted.
        writers: Vec<String>,
        /// What is on record of its fence.
        note: Option<Note>,
    },
}

/// What to do about an old writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Leave,
    /// Not yet.
    Wait,
    /// Put the original groups on record.
    Remember,
    /// Swap its security groups for the fence.
    Swap,
    /// Reboot it, since open connections outlive a change of security groups.
    Reboot,
}

/// A row of the table.
pub type Row = rule::Row<fn(&Facts<'_>) -> bool, Verdict>;

/// The fencing rules. The last row always holds.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(Rule::X01.alone(), "not every name's pin is in sync: users may still belong to the primary", |f| f.committed.is_none(),
        Verdict::Leave, Quiet, "the old writer is left alone"),
    row(Rule::X02.alone(), "RDS in the primary region does not answer", |f| matches!(f.writer, OldWriter::Unanswered(_)),
        Verdict::Wait, Quiet, "Holdfast tries again every minute, until the region can be reached"),
    row(Rule::X03.row('a'), "there is no such database", |f| *f.writer == OldWriter::Missing,
        Verdict::Leave, Quiet, "nothing can write to it"),
    row(Rule::X03.row('b'), "it was created after the pin: it is no old writer", |f| f.is_rebuilt(),
        Verdict::Leave, Quiet, "it is left alone"),
    row(Rule::X03.row('c'), "it is in a global database, whose old primary Aurora itself stops and makes a secondary; it may be the primary of today", |f| matches!(f.writer, OldWriter::InGlobal(_)),
        Verdict::Leave, Quiet, "it is left to Aurora"),
    row(Rule::X04.alone(), "a person lifted the fence in this incident, or gave the database other security groups", |f| f.was_lifted(),
        Verdict::Leave, Quiet, "the old writer is left to people"),
    row(Rule::X05.alone(), "it is fenced", |f| f.stands(),
        Verdict::Leave, Quiet, "it stays fenced until a failback, or until a person lifts the fence"),
    row(Rule::X06.alone(), "its security groups are not on record yet", |f| f.note_of_incident().is_none(),
        Verdict::Remember, Quiet, "they are written to the database's own tags, and then swapped"),
    row(Rule::X07.row('a'), "it is not available", |f| f.is_busy(),
        Verdict::Wait, Quiet, "Holdfast looks again within a minute"),
    row(Rule::X08.alone(), "it still takes connections", |f| !f.is_asked_for_fence(),
        Verdict::Swap, Quiet, "its security groups are swapped for the one that lets nobody in"),
    row(Rule::X07.row('b'), "RDS still changes its security groups", |f| !f.has_fence_alone(),
        Verdict::Wait, Quiet, "whoever were cut off now could connect again; it is rebooted once the fence alone is active"),
    row(Rule::X09.alone(), "it lets nobody new in, but connections from before may still be open", |_| true,
        Verdict::Reboot, Notice, "it is rebooted, and takes no connection until a failback"),
];

/// What the rules decided about one old writer.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Which database.
    pub id: ReplicaId,
    /// Which row decided.
    pub row: &'static Row,
    /// The incident it belongs to, if there is one.
    pub incident: Option<Incident>,
    /// What it saw.
    pub facts: Vec<Fact>,
}

/// A failover that nothing undoes but a failback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its incident.
    pub incident: Incident,
    /// When the first name was pinned.
    pub pinned_at: Timestamp,
}

/// Whether every name is pinned and in sync, or failed over; only then may an old writer be fenced.
#[must_use]
pub fn committed(names: &[NameView]) -> Option<Committed> {
    let pins = names.iter().map(|view| match view.register()? {
        Register::Pinned { pin, spread: Spread::InSync { .. } } | Register::FailedOver { pin, .. } => {
            view.agrees().then_some(pin)
        }
        _ => None,
    });
    let pins = pins.collect::<Option<Vec<_>>>()?;
    let incident = pins.iter().map(|pin| &pin.incident).max()?.clone();
    Some(Committed { incident, pinned_at: pins.iter().map(|pin| pin.at).min()? })
}

/// Decides about one old writer.
#[must_use]
pub fn decide(fence: &Fence, committed: Option<&Committed>, id: &ReplicaId, writer: &OldWriter) -> Decision {
    let facts = Facts { fence, committed, writer };
    let row = first(TABLE, |holds| holds(&facts));
    Decision { id: id.clone(), row, incident: committed.map(|it| it.incident.clone()), facts: facts.in_words(id) }
}

/// What the conditions are written in.
#[derive(Debug)]
pub struct Facts<'a> {
    fence: &'a Fence,
    committed: Option<&'a Committed>,
    writer: &'a OldWriter,
}

impl Facts<'_> {
    fn note_of_incident(&self) -> Option<&Note> {
        match self.writer {
            OldWriter::Present { note: Some(note), .. } => {
                Some(note).filter(|note| Some(&note.incident) == self.committed.map(|it| &it.incident))
            }
            _ => None,
        }
    }

    fn is_rebuilt(&self) -> bool {
        let pinned_at = self.committed.map(|it| it.pinned_at);
        matches!(self.writer, OldWriter::Present { created: Some(created), .. } if Some(*created) > pinned_at)
    }

    /// The fence is active, and no other group is there any more. A pool that is cut off while the old groups still let
    /// it in is back on the old writer at once, without an error.
    fn has_fence_alone(&self) -> bool {
        let is_fence =
            |(id, how): (&String, &Membership)| *id == self.fence.security_group && *how == Membership::Active;
        matches!(self.writer, OldWriter::Present { groups, .. } if groups.len() == 1 && groups.iter().all(is_fence))
    }

    /// Once RDS has done what it was asked, the fence will be the only group.
    fn is_asked_for_fence(&self) -> bool {
        matches!(self.writer, OldWriter::Present { groups, .. } if kept(groups) == [self.fence.security_group.clone()].into())
    }

    fn was_lifted(&self) -> bool {
        self.note_of_incident().is_some_and(|note| match note.stage {
            Stage::Begun => false,
            Stage::Rebooted => !self.is_asked_for_fence(),
            Stage::Lifted => true,
        })
    }

    /// A database that had the fence's group before any incident was fenced by people.
    fn stands(&self) -> bool {
        self.has_fence_alone() && self.note_of_incident().is_none_or(|note| note.stage == Stage::Rebooted)
    }

    fn is_busy(&self) -> bool {
        matches!(self.writer, OldWriter::Present { status, .. } if status != "available")
    }

    fn in_words(&self, id: &ReplicaId) -> Vec<Fact> {
        let seen = match self.writer {
            OldWriter::Missing => "not found".to_owned(),
            OldWriter::Unanswered(why) => why.clone(),
            OldWriter::InGlobal(global) => format!("in global database {global}"),
            OldWriter::Present { status, groups, note, .. } => {
                let group = |(id, how): (&String, &Membership)| match how {
                    Membership::Active => id.clone(),
                    Membership::Removing => format!("{id} (still there)"),
                    Membership::NotYet => format!("{id} (not active yet)"),
                };
                let groups: Vec<_> = groups.iter().map(group).collect();
                let note = note.as_ref().map(|note| format!("; on record {:?} for {}", note.stage, note.incident));
                format!("{status}, security groups {}{}", groups.join(", "), note.unwrap_or_default())
            }
        };
        vec![Fact::new(format!("{id} in {}", self.fence.region), seen)]
    }
}

/// What a decision about an old writer came to, once it was carried out.
impl From<Decision> for Finding {
    fn from(decision: Decision) -> Self {
        let kind = match decision.row.verdict {
            Verdict::Leave => Kind::Nothing,
            Verdict::Wait | Verdict::Remember | Verdict::Swap => Kind::Waiting,
            Verdict::Reboot => Kind::Fenced,
        };
        Self {
            subject: decision.id.to_string(),
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
