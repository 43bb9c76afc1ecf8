//! The page that tells of an incident, or of a drill: as Markdown, and as HTML that needs nothing else.
//!
//! It knows neither AWS nor the lab: whoever has records of what happened makes a [`Page`] of them.

mod chart;
mod spent;
mod words;

use askama::Template;
use jiff::Timestamp;
use serde::Serialize;

use chart::Chart;
pub use spent::{Cause, Share, shares};
pub use words::span;
use words::{cell, cut, day, day_and_time, time};

/// Everything there is to tell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// What it is about, as people say it.
    pub title: String,
    /// What machines call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The same in a sentence.
    pub summary: String,
    /// How it ended, if that can be said in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What is concerned: names, databases, regions.
    pub about: Vec<Fact>,
    /// The numbers people ask for first.
    pub figures: Vec<Figure>,
    /// What the time to the end went by.
    pub shares: Vec<Share>,
    /// What each database may lack.
    pub losses: Vec<Loss>,
    /// What the incident went through, in order.
    pub stages: Vec<Stage>,
    /// What was so for a while, beside the stages.
    pub spells: Vec<Spell>,
    /// Everything that happened, in order.
    pub moments: Vec<Moment>,
    /// What was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// What those who write about it afterwards look for.
    pub sections: Vec<Section>,
    /// Where all this is from, and what is missing.
    pub notes: Vec<String>,
}

/// Something that is concerned.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// What.
    pub name: String,
    /// Which.
    pub value: String,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Well or not.
    pub good: bool,
    /// In a few words.
    pub text: String,
}

/// A number, and how it was come by.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Of what.
    pub name: String,
    /// With its unit.
    pub value: String,
    /// How it was measured.
    pub how: String,
}

/// What a database may lack.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// Which.
    pub database: String,
    /// How much, or that nobody knows.
    pub value: String,
    /// How that is known.
    pub how: String,
}

/// A stage of an incident.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Which.
    pub name: String,
    /// When it was reached.
    pub at: Timestamp,
    /// What the time before it went by; nothing of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The same more exactly, if there is more to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub how: String,
}

impl Stage {
    /// A stage that was reached by this.
    #[must_use]
    pub fn new(name: &str, at: Timestamp, cause: Option<Cause>, how: &str) -> Self {
        Self { name: name.to_owned(), at, cause, how: how.to_owned() }
    }
}

/// Something that was so for a while.
#[derive(Clone, Debug, Serialize)]
pub struct Spell {
    /// What.
    pub name: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when; nothing if it is so still, or nobody knows.
    pub to: Option<Timestamp>,
    /// How that is known.
    pub how: String,
}

impl Spell {
    pub(crate) fn took(&self) -> String {
        match self.to {
            Some(to) => span(to.as_second() - self.from.as_second()),
            None => "end not known".to_owned(),
        }
    }
}

/// A part of the page that is told in sentences.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What it says.
    pub entries: Vec<Entry>,
}

/// A sentence, and what to run.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The sentence.
    pub text: String,
    /// The command, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Entry {
    /// A sentence alone.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), command: None }
    }

    /// A sentence, and what to run.
    #[must_use]
    pub fn command(text: impl Into<String>, command: impl Into<String>) -> Self {
        Self { text: text.into(), command: Some(command.into()) }
    }
}

/// Whose doing something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// What befell the workload.
    World,
    /// CloudWatch alarms and Route 53 health checks.
    Alarms,
    /// What Holdfast decided and did.
    Holdfast,
    /// What RDS told.
    Databases,
    /// What people did.
    People,
    /// What people were told.
    Messages,
}

impl Lane {
    /// All, in the order of the page.
    pub const ALL: [Self; 6] =
        [Self::World, Self::Alarms, Self::Holdfast, Self::Databases, Self::People, Self::Messages];

    /// For people, and for the page's styles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::World => "world",
            Self::Alarms => "alarms",
            Self::Holdfast => "holdfast",
            Self::Databases => "databases",
            Self::People => "people",
            Self::Messages => "messages",
        }
    }
}

/// Something happened.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// Whose doing.
    pub lane: Lane,
    /// What.
    pub what: String,
    /// Why and how, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// The whole text of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How often, of a state that is told anew each minute.
    pub times: usize,
    /// When it was last told.
    pub until: Timestamp,
}

impl Moment {
    /// What happened once.
    #[must_use]
    pub fn new(at: Timestamp, lane: Lane, what: impl Into<String>, details: Vec<String>) -> Self {
        Self { at, lane, what: what.into(), details, body: None, times: 1, until: at }
    }

    fn same(&self, other: &Self) -> bool {
        (self.lane, &self.what, self.details.first()) == (other.lane, &other.what, other.details.first())
    }

    /// How many of the details are worth a reader's first look: of a decision the reason, of an alarm nothing that is long.
    fn shown_count(&self) -> usize {
        match self.lane {
            Lane::Holdfast => self.details.len().min(1),
            Lane::Alarms => self.details.iter().take_while(|detail| cut(detail) == **detail).count(),
            _ => self.details.len(),
        }
    }

    pub(crate) fn shown(&self) -> &[String] {
        &self.details[..self.shown_count()]
    }

    pub(crate) fn folded(&self) -> &[String] {
        &self.details[self.shown_count()..]
    }

    /// What a folded list is called.
    pub(crate) fn fold_name(&self) -> &'static str {
        if self.lane == Lane::Alarms { "CloudWatch's reason" } else { "what was seen, what comes next" }
    }

    /// The details for a line of Markdown: CloudWatch's long reasons are cut.
    pub(crate) fn in_line(&self) -> impl Iterator<Item = String> {
        self.details.iter().map(|detail| if self.lane == Lane::Alarms { cut(detail) } else { detail.clone() })
    }

    /// How often, and until when.
    pub(crate) fn repeats(&self) -> Option<String> {
        let until = if day(&self.at) == day(&self.until) { time(&self.until) } else { day_and_time(&self.until) };
        (self.times > 1).then(|| format!("{} times, to {until}", self.times))
    }
}

/// Something that must hold.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Whether it does.
    pub held: bool,
    /// What.
    pub name: String,
    /// What was found.
    pub detail: String,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Html<'a> {
    page: &'a Page,
    chart: Option<Chart<'a>>,
}

#[derive(Template)]
#[template(path = "page.md", escape = "none")]
struct Markdown<'a> {
    page: &'a Page,
}

impl Page {
    /// The page for a browser: one file, no script, nothing fetched.
    #[must_use]
    pub fn html(&self) -> String {
        let page = Html { page: self, chart: Chart::of(self) };
        // Only a failing `Display` could fail it, and none in the page does.
        page.render().unwrap_or_else(|error| error.to_string())
    }

    /// The page as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        Markdown { page: self }.render().unwrap_or_else(|error| error.to_string())
    }

    /// Puts what happened in order. A state that lasts is decided and told anew each minute: here it is told once, with
    /// how often and until when.
    pub fn arrange(&mut self) {
        self.stages.sort_by_key(|stage| stage.at);
        self.moments.sort_by_key(|moment| (moment.at, moment.lane));
        let mut arranged: Vec<Moment> = Vec::new();
        for moment in std::mem::take(&mut self.moments) {
            let repeats = matches!(moment.lane, Lane::Holdfast | Lane::Messages);
            match arranged.iter_mut().find(|known| repeats && known.same(&moment)) {
                Some(known) => (known.times, known.until) = (known.times + 1, moment.at),
                None => arranged.push(moment),
            }
        }
        self.moments = arranged;
    }

    /// What happened, a day each.
    pub(crate) fn days(&self) -> Vec<(String, &[Moment])> {
        let days = self.moments.chunk_by(|one, next| day(&one.at) == day(&next.at));
        days.filter_map(|moments| Some((day(&moments.first()?.at), moments))).collect()
    }

    /// How long after the first stage a moment is.
    fn after(&self, at: &Timestamp) -> String {
        let first = self.stages.first().map_or(*at, |first| first.at);
        span(at.as_second() - first.as_second())
    }

    /// How long each stage took, by name.
    pub(crate) fn steps(&self) -> Vec<(&Stage, String)> {
        let before = std::iter::once(None).chain(self.stages.iter().map(Some));
        let took = |before: &Stage, stage: &Stage| span(stage.at.as_second() - before.at.as_second());
        let step =
            |(before, stage): (Option<&Stage>, _)| (stage, before.map_or_else(String::new, |it| took(it, stage)));
        before.zip(&self.stages).map(|(before, stage)| step((before, stage))).collect()
    }
}
