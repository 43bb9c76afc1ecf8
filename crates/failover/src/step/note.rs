//! What is on record of a step, in the resource's own tags.

use std::collections::BTreeMap;

use super::Setting;
use crate::incident::Incident;

const STEP_TAG: &str = "holdfast:step";
const INCIDENT_TAG: &str = "holdfast:stepped-in";

/// The keys of the tags that a [`Note`] consists of.
pub const TAGS: [&str; 2] = [STEP_TAG, INCIDENT_TAG];

/// What is on record of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How far it has come.
    pub stage: Stage,
    /// What the resource was before.
    pub from: Setting,
    /// What Holdfast makes of it.
    pub to: Setting,
    /// The incident it is for.
    pub incident: Incident,
    /// The bus of the stack that wrote it.
    pub bus: String,
}

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What was before is on record; the change may be made or not.
    Begun,
    /// The change is made.
    Set,
    /// Somebody else changed it since: it is left to them.
    Left,
}

/// What a resource's tags say of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Nothing: Holdfast has not changed the resource.
    None,
    /// They are Holdfast's by their keys, and say nothing that this version knows: what the resource was before is not known.
    Unreadable(String),
    /// A record.
    Note(Note),
}

impl Tags {
    /// Reads a resource's tags.
    #[must_use]
    pub fn read(tags: &BTreeMap<String, String>) -> Self {
        let (step, incident) = (tags.get(STEP_TAG), tags.get(INCIDENT_TAG));
        match (step, incident) {
            (None, None) => Self::None,
            _ => {
                let [step, incident] = [step, incident].map(|text| text.map_or("", String::as_str));
                let unreadable = || Self::Unreadable(format!("{STEP_TAG}={step:?}, {INCIDENT_TAG}={incident:?}"));
                Note::read(step, incident).map_or_else(unreadable, Self::Note)
            }
        }
    }
}

impl Note {
    fn read(step: &str, incident: &str) -> Option<Self> {
        let mut words = step.split(' ');
        let stage = match words.next()? {
            "begun" => Stage::Begun,
            "set" => Stage::Set,
            "left" => Stage::Left,
            _ => return None,
        };
        let from = words.next()?.strip_prefix("from=")?.parse().ok()?;
        let to = words.next()?.strip_prefix("to=")?.parse().ok()?;
        let bus = words.next()?.strip_prefix("by=")?.to_owned();
        let note = Self { stage, from, to, incident: incident.parse().ok()?, bus };
        words.next().is_none().then_some(note)
    }

    /// The tags to write, in one call. All of AWS's services take letters, digits, spaces and `_ . : / = + - @` in values; the
    /// templates let alarms be named with no others.
    #[must_use]
    pub fn tags(&self) -> BTreeMap<String, String> {
        let stage = match self.stage {
            Stage::Begun => "begun",
            Stage::Set => "set",
            Stage::Left => "left",
        };
        let values = [format!("{stage} from={} to={} by={}", self.from, self.to, self.bus), self.incident.to_string()];
        TAGS.iter().map(|key| (*key).to_owned()).zip(values).collect()
    }

    /// The same, at another stage.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Self {
        Self { stage, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::at;

    #[test]
    fn a_record_survives_its_tags_and_what_is_half_a_record_is_unreadable_and_never_none() {
        let incident = Incident { alarm: "shop-site-down".to_owned(), began: at(0) };
        for stage in [Stage::Begun, Stage::Set, Stage::Left] {
            let from = "1/2/4".parse().unwrap();
            let to = "6/6/6".parse().unwrap();
            let note = Note { stage, from, to, incident: incident.clone(), bus: "holdfast".to_owned() };
            let tags = note.tags();
            assert_eq!(Tags::read(&tags), Tags::Note(note));
            for key in TAGS {
                for bad in [
                    None,
                    Some("nonsense"),
                    Some("begun from=1/2/4 to=6/6/6"),
                    Some("set from=1/2/4 to=on by=shop else"),
                ] {
                    let mut tags = tags.clone();
                    tags.remove(key);
                    tags.extend(bad.map(|bad| (key.to_owned(), bad.to_owned())));
                    assert!(matches!(Tags::read(&tags), Tags::Unreadable(_)), "{tags:?}");
                }
            }
        }
        assert_eq!(Tags::read(&[("team".to_owned(), "shop".to_owned())].into()), Tags::None);
    }
}
