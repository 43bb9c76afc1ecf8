//! The scenarios: what happens, and what must be true afterwards.

mod article;
mod dark;
mod failback;
pub(crate) mod faulty;
mod fence;
mod global;
mod lag;
mod list;
mod observer;
mod outage;
mod people;
mod plan;
mod play;
mod reality;
mod servers;
mod steps;
mod switch;
mod switchover;
mod unready;
mod update;

use std::future::Future;
use std::pin::Pin;

use crate::check::Check;
use crate::databases::Databases;
use crate::evidence::{Evidence, Rows};
use crate::permissions::Permissions;
use crate::stage::{Layout, Settings, Stage};
pub use list::{ON_SERVERS, QUICK, SCENARIOS};
use play::Play;

/// A story with a moral.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// What the stage looks like.
    pub layout: Layout,
    play: fn(Play) -> Playing,
    /// What must be true afterwards.
    pub checks: &'static [&'static [Check]],
}

/// How this program is started again, but for what it is to play: as it was, and where cargo started it, by cargo.
pub(crate) fn started() -> String {
    start(std::env::var_os("CARGO").is_some(), std::env::args())
}

fn start(by_cargo: bool, mut arguments: impl Iterator<Item = String>) -> String {
    const FUNCTIONS: &str = "--functions";
    let program = arguments.next().filter(|_| !by_cargo);
    let program = program.map_or_else(|| "cargo drill".to_owned(), |program| quoted(&program));
    let folder = arguments.find_map(|argument| match argument.strip_prefix(FUNCTIONS)? {
        "" => Some(None),
        folder => folder.strip_prefix('=').map(|folder| Some(folder.to_owned())),
    });
    match folder.and_then(|given| given.or_else(|| arguments.next())) {
        Some(folder) => format!("{program} {FUNCTIONS} {}", quoted(&folder)),
        None => program,
    }
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./=+:,@%".contains(character);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

type Playing = Pin<Box<dyn Future<Output = Result<Evidence, Stuck>> + Send>>;

/// The drill could not go on.
#[derive(Debug, thiserror::Error)]
#[error("the drill waited in vain: {0}")]
pub struct Stuck(String);

impl Stuck {
    /// What for.
    fn new(wait: impl Into<String>) -> Self {
        Self(wait.into())
    }
}

impl Scenario {
    /// The same story on another stage.
    #[must_use]
    pub fn on(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// The same story, of which something else must be true: to show that it is noticed where it is not.
    #[must_use]
    pub fn held_to(self, checks: &'static [&'static [Check]]) -> Self {
        Self { checks, ..self }
    }

    /// The same story with other databases.
    #[must_use]
    pub fn with(&'static self, databases: Databases) -> &'static Self {
        match self.layout.databases == databases {
            true => self,
            false => Box::leak(Box::new(self.on(Layout { databases, ..self.layout }))),
        }
    }

    /// The command that plays it with a seed.
    #[must_use]
    pub fn command(&self, seed: u64) -> String {
        let databases = match self.layout.databases {
            Databases::Simulated => "",
            Databases::Mariadb => " --databases mariadb",
            Databases::Mysql => " --databases mysql",
        };
        match self.layout.plan {
            Some(plan) => {
                format!("{} --plan {} --seed {seed}{databases}", started(), quoted(&plan.file.to_string_lossy()))
            }
            None => format!("{} --scenario {} --seed {seed}{databases}", started(), self.name),
        }
    }

    /// Plays it on the stage and gathers the evidence.
    ///
    /// # Errors
    /// If something it must wait for does not happen.
    pub async fn play(&self, stage: Stage, settings: Settings) -> Result<Evidence, Stuck> {
        let lab = stage.lab.clone();
        let workload = stage.workload.clone();
        let mut evidence = (self.play)(Play { stage, settings }).await?;
        if self.layout.databases != Databases::Simulated {
            Rows::count(&lab, &workload).await.map_err(Stuck::new)?.become_evidence(&mut evidence);
        }
        evidence.permissions = Permissions::gather(&lab, self.name);
        Ok(evidence)
    }
}

/// The scenario of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().chain(ON_SERVERS).find(|scenario| scenario.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_played_again_by_the_program_that_played_it_from_where_it_took_its_functions() {
        let started = |by_cargo, words: &[&str]| start(by_cargo, words.iter().map(ToString::to_string));
        assert_eq!(started(true, &["/t/debug/drill", "--plan", "drill.toml"]), "cargo drill");
        assert_eq!(started(false, &["drill-x86_64/drill", "--plan", "drill.toml"]), "drill-x86_64/drill");
        for given in [&["--functions", "/my functions"][..], &["--functions=/my functions"]] {
            let words = [&["./drill", "--all"][..], given].concat();
            assert_eq!(started(false, &words), "./drill --functions '/my functions'");
        }
    }
}
