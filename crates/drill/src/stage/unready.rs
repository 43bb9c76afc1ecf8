//! A workload whose readiness is looked at each hour, and what breaks it in peace.

use jiff::SignedDuration;
use lab::rds;

use super::standby::{PIPELINE, SECRET};
use super::{DR, INSTANCE, PRIMARY, Stage};

/// Where pages go.
pub const PAGER: &str = "https://pager.example.com/holdfast";

/// Parameters by which the workload of `Stage::furnish` is looked at, all of it.
pub const READINESS: &[(&str, &str)] = &[
    ("SettleSeconds", "120"),
    ("PagerUrl", PAGER),
    ("Readiness", "on"),
    ("ReadinessSecrets", SECRET),
    ("ReadinessParameters", "/shop/assets-bucket,/shop/image"),
    ("ReadinessPipelines", PIPELINE),
    ("ReadinessBuckets", "shop-assets-eu-west-1/shop-assets-eu-central-1/to-eu-central-1"),
    ("ReadinessSettings", "capacity_percent_min=50"),
];

/// What breaks: the row, and the beginning of the command that puts it right.
pub const BROKEN: [(&str, &str); 2] =
    [("database-backups", "aws rds modify-db-instance"), ("secret-copy", "aws secretsmanager")];

impl Stage {
    /// Somebody switches a replica's backups off, and a secret is not copied to DR any more.
    pub fn unready(&self) {
        rds::set_backup_days(&self.lab, DR, INSTANCE, 0);
        let failed = ("Failed", "the key of the copy is disabled".to_owned());
        self.lab.secretsmanager.change(PRIMARY, SECRET, |secret| drop(secret.replicas.insert(DR.to_owned(), failed)));
    }

    /// Both are put right.
    pub fn ready_again(&self) {
        rds::set_backup_days(&self.lab, DR, INSTANCE, 7);
        self.mend_secret();
    }

    /// Lets so many minutes pass in which load balancers and S3 publish what they do.
    pub async fn minutes_measured(&self, minutes: u64) {
        const EVERY_MINUTES: u64 = 10;
        for _ in 0..minutes / EVERY_MINUTES {
            self.minutes(EVERY_MINUTES).await;
            self.publish(self.lab.clock.now() - SignedDuration::from_mins(1));
        }
    }
}
