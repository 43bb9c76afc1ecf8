//! The page that tells of an incident, or of a drill: as Markdown, and as HTML that needs nothing else.
//!
//! It knows neither AWS nor the lab: whoever has records of what happened makes a [`Page`] of them.

mod chart;

use askama::Template;
use jiff::Timestamp;
use serde::Serialize;

use chart::Chart;

/// Everything there is to tell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// The same in a sentence.
    pub summary: String,
    /// How it ended, if that can be said in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The numbers people ask for first.
    pub figures: Vec<Figure>,
    /// What the incident went through, in order.
    pub stages: Vec<Stage>,
    /// Everything that happened, in order.
    pub moments: Vec<Moment>,
    /// What was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Where all this is from, and what is missing.
    pub notes: Vec<String>,
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

/// A stage of an incident.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Which.
    pub name: String,
    /// When it was reached.
    pub at: Timestamp,
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
        let mut arranged: Vec<(Moment, usize, Timestamp)> = Vec::new();
        for moment in std::mem::take(&mut self.moments) {
            let repeats = matches!(moment.lane, Lane::Holdfast | Lane::Messages);
            let same = |(known, ..): &&mut (Moment, usize, Timestamp)| {
                repeats
                    && (known.lane, &known.what, known.details.first())
                        == (moment.lane, &moment.what, moment.details.first())
            };
            match arranged.iter_mut().find(same) {
                Some((_, times, until)) => (*times, *until) = (*times + 1, moment.at),
                None => arranged.push((moment.clone(), 1, moment.at)),
            }
        }
        let told = arranged.into_iter().map(|(mut moment, times, until)| {
            if times > 1 {
                moment.details.push(format!("{times} times, until {}", time(&until)));
            }
            moment
        });
        self.moments = told.collect();
    }

    /// Seconds from the first stage.
    fn after(&self, stage: &Stage) -> String {
        let first = self.stages.first().map_or(stage.at, |first| first.at);
        span(stage.at.duration_since(first).as_secs())
    }
}

/// A time of day, in UTC.
fn time(at: &Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// The same with its day.
fn day_and_time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A span as people write it: `42 s`, `7:05`, `1:02:03`.
#[must_use]
pub fn span(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes}:{rest:02} min"),
        _ => format!("{hours}:{minutes:02}:{rest:02} h"),
    }
}

/// One line of a Markdown table may hold neither bars nor breaks.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
