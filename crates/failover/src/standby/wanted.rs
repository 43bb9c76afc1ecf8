//! What no plan and no record names: in the file of `holdfast readiness --workload`, or in the template's parameters.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use serde::Deserialize;

use super::Limits;

/// The environment variable that the template fills in; of the function readiness alone.
pub const READINESS_VARIABLE: &str = "HOLDFAST_READINESS";

/// What only people can name, each once however often they name it.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// The primary region, where neither a record nor the fence says it.
    pub primary_region: Option<String>,
    /// DNS name of the primary's load balancer, where the PRIMARY record leads to something else, as to an address.
    pub primary_load_balancer: Option<String>,
    /// DNS name of DR's load balancer, where the SECONDARY record leads to something else.
    pub dr_load_balancer: Option<String>,
    /// Names of secrets that the application in DR reads.
    pub secrets: BTreeSet<String>,
    /// Names of parameters of Parameter Store that the application in DR reads.
    pub parameters: BTreeSet<String>,
    /// Rules of S3 that copy a bucket to DR.
    pub buckets: BTreeSet<Bucket>,
    /// Pipelines that deploy the application.
    pub pipelines: BTreeSet<Pipelines>,
    /// How far DR may be from the primary.
    pub limits: Limits,
}

/// A rule of S3 that copies a bucket to DR.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The bucket in the primary region.
    pub source: String,
    /// The bucket in DR.
    pub destination: String,
    /// The id of the replication rule.
    pub rule: String,
}

/// The pipelines of one application, a region each: `PRIMARY=DR`, or one name for both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Pipelines {
    /// The name of the one in the primary region.
    pub primary: String,
    /// The name of the one in DR.
    pub dr: String,
}

/// A text that names no pipelines.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no pipelines; write PRIMARY=DR, the name in each region, or NAME where both are called so")]
pub struct NoPipelines(String);

impl FromStr for Pipelines {
    type Err = NoPipelines;

    fn from_str(text: &str) -> Result<Self, NoPipelines> {
        let (primary, dr) = text.split_once('=').unwrap_or((text, text));
        // "Pattern: [A-Za-z0-9.@\-_]+" (CodePipeline API reference, ListPipelineExecutions).
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".@-_".contains(c));
        match is_name(primary) && is_name(dr) {
            true => Ok(Self { primary: primary.to_owned(), dr: dr.to_owned() }),
            false => Err(NoPipelines(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Pipelines {
    type Error = NoPipelines;

    fn try_from(text: String) -> Result<Self, NoPipelines> {
        text.parse()
    }
}

impl Display for Pipelines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.primary == self.dr {
            true => f.write_str(&self.primary),
            false => write!(f, "{}={}", self.primary, self.dr),
        }
    }
}

/// Why the template's parameters are refused; each says which parameter, which entry, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WantedError {
    /// Not JSON, or not of its shape.
    #[error(
        "{READINESS_VARIABLE} is not what template.yaml makes of ReadinessSecrets, ReadinessParameters, ReadinessBuckets, ReadinessPipelines and \
         ReadinessSettings: {0}; let none have a quote, a backslash, a line break or another control character, and deploy again"
    )]
    Shape(String),
    /// An entry of `ReadinessBuckets`.
    #[error(
        "the template's ReadinessBuckets has {0:?}; write SOURCE/DESTINATION/RULE: the bucket in the primary region, the one in DR, the id of the \
         replication rule"
    )]
    Bucket(String),
    /// An entry of `ReadinessPipelines`.
    #[error("the template's ReadinessPipelines has an entry that cannot be honoured: {0}")]
    Pipelines(#[from] NoPipelines),
    /// An entry of `ReadinessSettings`.
    #[error("the template's ReadinessSettings has {entry:?}: {fault}")]
    Setting {
        /// The entry as it stands there.
        entry: String,
        /// What is wrong with it, and the remedy.
        fault: Fault,
    },
}

/// What is wrong with a setting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no `=`.
    #[error("write KEY=VALUE")]
    NoValue,
    /// No such key.
    #[error(
        "there is no such key; it may be primary_region, primary_load_balancer, dr_load_balancer, certificate_days_min, capacity_percent_min, \
         replication_seconds_max, quota_percent_min or image_hours_max"
    )]
    Key,
    /// A limit that is no number.
    #[error("its value must be a whole number: {0}")]
    Number(String),
    /// The same key again.
    #[error("the key is there already; give it once")]
    Twice,
}

/// The shape of the JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    secrets: Vec<String>,
    parameters: Vec<String>,
    buckets: Vec<String>,
    pipelines: Vec<String>,
    settings: String,
}

impl Wanted {
    /// Reads what the template's parameters say. An empty list parameter comes as one empty entry.
    ///
    /// # Errors
    /// The first thing that cannot be honoured, with its remedy.
    pub fn parse(json: &str) -> Result<Self, WantedError> {
        let raw: Raw = serde_json::from_str(json).map_err(|error| WantedError::Shape(error.to_string()))?;
        let mut wanted = Self {
            secrets: given(&raw.secrets).map(str::to_owned).collect(),
            parameters: given(&raw.parameters).map(str::to_owned).collect(),
            pipelines: given(&raw.pipelines).map(str::parse).collect::<Result<_, _>>()?,
            ..Self::default()
        };
        for entry in given(&raw.buckets) {
            let parts: Vec<_> = entry.splitn(3, '/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
            let parts = <[String; 3]>::try_from(parts).map_err(|_| WantedError::Bucket(entry.to_owned()))?;
            let [source, destination, rule] = parts;
            wanted.buckets.insert(Bucket { source, destination, rule });
        }
        let mut seen = Vec::new();
        for entry in raw.settings.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let refused = |fault| WantedError::Setting { entry: entry.to_owned(), fault };
            let (key, value) = entry.split_once('=').ok_or_else(|| refused(Fault::NoValue))?;
            let (key, value) = (key.trim(), value.trim());
            if seen.contains(&key) {
                return Err(refused(Fault::Twice));
            }
            seen.push(key);
            wanted.set(key, value).map_err(refused)?;
        }
        Ok(wanted)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        let limits = &mut self.limits;
        match key {
            _ if value.is_empty() => return Err(Fault::NoValue),
            "primary_region" => self.primary_region = Some(value.to_owned()),
            "primary_load_balancer" => self.primary_load_balancer = Some(value.to_owned()),
            "dr_load_balancer" => self.dr_load_balancer = Some(value.to_owned()),
            "certificate_days_min" => limits.certificate_days_min = number(value)?,
            "capacity_percent_min" => limits.capacity_percent_min = number(value)?,
            "replication_seconds_max" => limits.replication_seconds_max = number(value)?,
            "quota_percent_min" => limits.quota_percent_min = number(value)?,
            "image_hours_max" => limits.image_hours_max = number(value)?,
            _ => return Err(Fault::Key),
        }
        Ok(())
    }
}

fn given(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(|entry| entry.trim()).filter(|entry| !entry.is_empty())
}

fn number<T: FromStr<Err: Display>>(value: &str) -> Result<T, Fault> {
    value.parse().map_err(|error: T::Err| Fault::Number(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(buckets: &str, pipelines: &str, settings: &str) -> Result<Wanted, WantedError> {
        Wanted::parse(&format!(
            r#"{{"secrets":["shop/app"," shop/admin","shop/app"],"parameters":["/shop/bucket"],"buckets":["{buckets}"],
                "pipelines":["{pipelines}"],"settings":"{settings}"}}"#
        ))
    }

    #[test]
    fn parameters_say_what_the_file_says() {
        let wanted = read(
            "a-1/b-1/to/dr",
            "shop=shop-dr",
            "primary_region=eu-west-1, capacity_percent_min = 50,image_hours_max=2,quota_percent_min=80",
        )
        .unwrap();
        let bucket = |source: &str, destination: &str, rule: &str| {
            let [source, destination, rule] = [source, destination, rule].map(str::to_owned);
            Bucket { source, destination, rule }
        };
        assert_eq!(wanted.secrets, ["shop/app", "shop/admin"].map(str::to_owned).into(), "each once");
        assert_eq!(wanted.parameters, ["/shop/bucket".to_owned()].into());
        assert_eq!(wanted.buckets, [bucket("a-1", "b-1", "to/dr")].into());
        assert_eq!(wanted.pipelines, ["shop=shop-dr".parse().unwrap()].into());
        assert_eq!(wanted.primary_region.as_deref(), Some("eu-west-1"));
        let limits =
            Limits { capacity_percent_min: 50, image_hours_max: 2, quota_percent_min: 80, ..Limits::default() };
        assert_eq!(wanted.limits, limits);
    }

    #[test]
    fn what_was_left_empty_is_nothing() {
        assert_eq!(
            Wanted::parse(r#"{"secrets":[""],"parameters":[""],"buckets":[""],"pipelines":[""],"settings":""}"#),
            Ok(Wanted::default())
        );
    }

    #[test]
    fn an_entry_that_cannot_be_honoured_is_refused_by_its_parameter_and_told_what_to_do() {
        for (buckets, pipelines, settings, words) in [
            ("a-1/b-1", "", "", r#"ReadinessBuckets has "a-1/b-1"; write SOURCE/DESTINATION/RULE"#),
            ("a-1//rule", "", "", "write SOURCE/DESTINATION/RULE"),
            ("", "shop=", "", r#"ReadinessPipelines has an entry that cannot be honoured: "shop=" names no pipelines"#),
            ("", "shop=shop=dr", "", "write PRIMARY=DR"),
            (
                "",
                "",
                "capacity=3",
                r#"ReadinessSettings has "capacity=3": there is no such key; it may be primary_region"#,
            ),
            ("", "", "primary_region", "write KEY=VALUE"),
            ("", "", "primary_region=", "write KEY=VALUE"),
            ("", "", "certificate_days_min=soon", "must be a whole number"),
            ("", "", "capacity_percent_min=-1", "must be a whole number"),
            ("", "", "dr_load_balancer=a,dr_load_balancer=b", "give it once"),
        ] {
            let error = read(buckets, pipelines, settings).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for json in ["", "{}", r#"{"secrets":[],"parameters":[],"buckets":[],"pipelines":[],"settings":"","more":1}"#] {
            let error = Wanted::parse(json).unwrap_err().to_string();
            assert!(error.contains("deploy again"), "{error}");
        }
    }
}
