//! The user's samconfig.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::{PlanError, read};
use super::overrides::{parse, to_fill_in};
use super::{Parameters, Place};

/// The file, read.
pub(super) struct Samconfig {
    file: PathBuf,
    table: Table,
    /// The plan that names it.
    named_in: PathBuf,
}

impl Samconfig {
    /// Reads the file that a plan names, relative to the plan.
    pub fn read(plan: &Path, name: &Path) -> Result<Self, PlanError> {
        let file = plan.parent().unwrap_or(Path::new("")).join(name);
        let text = read(&file, "in the plan's samconfig the path of your samconfig.toml, relative to the plan")?;
        let table = text.parse().map_err(|error: toml::de::Error| PlanError::Shape {
            file: file.clone(),
            why: error.to_string(),
            remedy: "name a samconfig in TOML",
        })?;
        Ok(Self { file, table, named_in: plan.to_owned() })
    }

    /// Where an environment's parameters are written.
    pub fn place(&self, environment: &str) -> Place {
        Place { file: self.file.clone(), table: format!("[{environment}.deploy.parameters] parameter_overrides") }
    }

    /// What an environment's stack is deployed with.
    pub fn parameters(&self, environment: &str) -> Result<Parameters, PlanError> {
        let Some(found) = self.table.get(environment).and_then(Value::as_table) else {
            let there = self.table.iter().filter(|(_, value)| value.is_table()).map(|(name, _)| name.as_str());
            let there = there.collect::<Vec<_>>().join(", ");
            let remedy = format!("it has {there}; name one of them in {}", self.named_in.display());
            return Err(PlanError::field(&self.file, &format!("[{environment}]"), "is not there", &remedy));
        };
        // "global" is for all commands, and what is the command's own goes before it (SAM guide, configuration files).
        let of = |command: &str| found.get(command)?.get("parameters")?.get("parameter_overrides");
        let place = self.place(environment);
        let fault = |fault: &str, remedy: &str| PlanError::field(&self.file, &place.table, fault, remedy);
        let shape = || fault("is neither a text nor a list of texts", "write it as in Holdfast's own samconfig.toml");
        let texts: Vec<&str> = match of("deploy").or_else(|| of("global")) {
            None => return Err(fault("is not set", "write the stack's parameters there: sam deploys with them")),
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().map(Value::as_str).collect::<Option<_>>().ok_or_else(shape)?,
            Some(_) => return Err(shape()),
        };
        let mut parameters = Parameters::new();
        for text in texts {
            if let Some(name) = to_fill_in(text) {
                return Err(place.fault(name, "still says FILL IN", "fill it in, or run `holdfast init`"));
            }
            for (name, value) in parse(text).map_err(|why| fault(&why, "write A=b, and A=\"b c\" with spaces"))? {
                if parameters.insert(name.clone(), value).is_some() {
                    return Err(place.fault(&name, "is given twice", "give it once"));
                }
            }
        }
        Ok(parameters)
    }
}
