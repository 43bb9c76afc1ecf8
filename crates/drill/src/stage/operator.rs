//! What the operators do: with their command line, as they would on AWS, under the example policies of the documentation.

use std::ffi::OsStr;
use std::process::{Output, Stdio};

use lab::functions::SKEW_VARIABLE;
use lab::iam::Policy;
use lab::{rds, secretsmanager};
use tokio::process::Command;

use super::{CLOCK, DR, NAME_SERVERS, SetupError, Stage, name_servers};
use crate::files::{APPROVER_POLICY, DRILL_POLICY, MAINTENANCE_POLICY, OPERATOR_POLICY, READINESS_POLICY};
use crate::lambdas::COMMAND_LINE;

/// The access key of those who operate; it is also the name of their example policy.
pub const OPERATOR: &str = "operator";
/// The same of those who may approve, and do nothing else.
pub const APPROVER: &str = "approver";
/// The same of those who drill in the real zone, or of the CI that does.
pub const DRILLER: &str = "driller";
/// The same of a schedule that begins and ends maintenances.
pub const MAINTAINER: &str = "maintainer";
/// The same of those who look whether DR could carry users.
pub const READER: &str = "reader";

/// The secret with the user for the databases, as the example policy names it.
const SECRET: &str = "holdfast/database";

/// Where the command line finds a user for the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Nowhere.
    None,
    /// In its environment.
    Environment,
    /// In Secrets Manager.
    Secret,
}

impl Stage {
    /// Gives operators and approvers the policies of `docs/policies`, and nothing else.
    pub(super) fn attach_policies(&self) -> Result<(), SetupError> {
        self.attach(OPERATOR, OPERATOR_POLICY)?;
        self.attach(APPROVER, APPROVER_POLICY)
    }

    /// Gives those who drill theirs: few stages have any, and what nobody uses is spare.
    ///
    /// # Errors
    /// If the policy is none.
    pub fn let_drill(&self) -> Result<(), SetupError> {
        self.attach(DRILLER, DRILL_POLICY)
    }

    /// The same for a schedule's maintenances.
    ///
    /// # Errors
    /// If the policy is none.
    pub fn let_maintain(&self) -> Result<(), SetupError> {
        self.attach(MAINTAINER, MAINTENANCE_POLICY)
    }

    /// The same for those who look at DR.
    ///
    /// # Errors
    /// If the policy is none.
    pub fn let_read(&self) -> Result<(), SetupError> {
        self.attach(READER, READINESS_POLICY)
    }

    fn attach(&self, who: &str, text: &str) -> Result<(), SetupError> {
        let text = text.replace("FIRST_ZONE_ID", &self.zones["example.com"]);
        let text = text.replace("SECOND_ZONE_ID", &self.zones["example.org"]);
        let text = text.replace("FAILOVER_HEALTH_CHECK_ID", &self.failover_check);
        self.lab.iam.attach(who, Policy::parse(&serde_json::from_str(&text)?)?);
        Ok(())
    }

    /// Runs `holdfast` with these arguments; all confirmed beforehand. Where it is to wait for AWS, time must go on.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn holdfast(&self, arguments: &[&str], waits_for_aws: bool) -> std::io::Result<Output> {
        self.holdfast_as(OPERATOR, arguments, waits_for_aws).await
    }

    /// The same, run by somebody with this access key.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn holdfast_as(&self, who: &str, arguments: &[&str], waits_for_aws: bool) -> std::io::Result<Output> {
        let working = (!waits_for_aws).then(|| self.lab.clock.working());
        let mut command = self.command(who, self.binaries.join(COMMAND_LINE));
        command.args(arguments).arg("--yes").stdin(Stdio::null());
        if working.is_some() {
            // What it waits for by itself lab time runs through; else it would run on while it works.
            command.env(CLOCK, self.lab.waits.to_string());
        }
        let output = command.output().await;
        drop(working);
        output
    }

    /// A program in whose environment `holdfast` finds the lab, with this access key.
    pub fn command(&self, who: &str, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_ENDPOINT_URL", self.lab.endpoint_url())
            .env(SKEW_VARIABLE, "true")
            .env("AWS_REGION", DR)
            .env("HOLDFAST_BUS", self.bus())
            .env("AWS_ACCESS_KEY_ID", who)
            .env("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures")
            .env("HOLDFAST_DNS", self.lab.dns.to_string())
            .env(NAME_SERVERS, name_servers(&self.lab))
            .kill_on_drop(true);
        if let Some(bundle) = rds::certificates(&self.lab).filter(|_| self.asks_databases != Credentials::None) {
            // RDS's master user; in the lab it has no password.
            match self.asks_databases {
                Credentials::None => {}
                Credentials::Environment => {
                    command.env("HOLDFAST_DATABASE_USER", "master").env("HOLDFAST_DATABASE_PASSWORD", "");
                }
                Credentials::Secret => {
                    let value = r#"{"engine": "mariadb", "username": "master", "password": ""}"#.to_owned();
                    self.lab.secretsmanager.change(DR, SECRET, |secret| secret.value = Some(value));
                    command.env("HOLDFAST_DATABASE_SECRET", secretsmanager::arn_in(DR, SECRET));
                }
            }
            command.env("HOLDFAST_DATABASE_CA", bundle);
        }
        command
    }
}
