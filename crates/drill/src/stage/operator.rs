//! What the operators do: with their command line, as they would on AWS.

use std::process::{Output, Stdio};

use tokio::process::Command;

use super::{DR, Stage};

impl Stage {
    /// Runs `holdfast` with these arguments; all confirmed beforehand. Where it is to wait for AWS, time must go on.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn holdfast(&self, arguments: &[&str], waits_for_aws: bool) -> std::io::Result<Output> {
        let working = (!waits_for_aws).then(|| self.lab.clock.working());
        let output = Command::new(&self.holdfast)
            .args(arguments)
            .arg("--yes")
            .env_clear()
            .env("AWS_ENDPOINT_URL", self.lab.endpoint_url())
            .env("AWS_REGION", DR)
            .env("AWS_ACCESS_KEY_ID", "operator")
            .env("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures")
            .env("HOLDFAST_DNS", self.lab.dns.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        drop(working);
        output
    }
}
