//! What a report says of the plan it is about.

use serde::Serialize;

use super::{Budget, Facts, Parameters, Plan};

/// What was played, and as what.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    file: String,
    samconfig: String,
    environments: Vec<String>,
    budget: Budget,
    facts: Facts,
    /// `NAME=VALUE`, as the user has them.
    parameters: Vec<String>,
    /// Names of those that the lab gave values of its own.
    replaced: Vec<&'static str>,
}

impl Plan {
    /// What a report says of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (of_responder, of_detector) = (self.own_of_responder(), self.own_of_detector());
        let kept = |given: &Parameters, replaced: &[&str]| -> Vec<String> {
            let kept = given.iter().filter(|(name, _)| !replaced.contains(&name.as_str()));
            kept.map(|(name, value)| format!("{name}={value}")).collect()
        };
        let mut parameters = kept(&self.responder, &of_responder);
        parameters.extend(self.detector.iter().flat_map(|given| kept(given, &of_detector)));
        let mut replaced = of_responder;
        replaced.extend(of_detector);
        replaced.sort_unstable();
        replaced.dedup();
        Summary {
            file: self.file.display().to_string(),
            samconfig: self.samconfig.display().to_string(),
            environments: self.environments.clone(),
            budget: self.budget,
            facts: self.facts,
            parameters,
            replaced,
        }
    }
}

impl Summary {
    /// Each with what it is about.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let Facts { record_ttl_seconds, replica_lag_seconds, promotion_minutes, approval_minutes } = self.facts;
        let promotion =
            promotion_minutes.map_or("2 to 5 min by the seed".to_owned(), |minutes| format!("{minutes} min"));
        let approval =
            approval_minutes.map_or("nobody approves".to_owned(), |it| format!("a person approves after {it} min"));
        let Budget { rto_minutes_max, rpo_seconds_max } = self.budget;
        vec![
            ("plan", format!("{}: {} of {}", self.file, self.environments.join(" and "), self.samconfig)),
            ("budget", format!("RTO {rto_minutes_max} min, RPO {rpo_seconds_max} s")),
            ("as you have them", self.parameters.join(" ")),
            ("the lab's own", self.replaced.join(" ")),
            (
                "taken for granted",
                format!("TTL {record_ttl_seconds} s, lag {replica_lag_seconds} s, promotion {promotion}, {approval}"),
            ),
        ]
    }
}
