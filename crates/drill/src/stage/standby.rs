//! What stands behind a workload's records: load balancers, certificates, instances and their quota, keys, secrets, parameters, an image,
//! buckets, pipelines, as examples/warm-standby has them. All of it is well until somebody breaks it.

use std::net::SocketAddr;

use aws_sdk_route53::types::{AliasTarget, ChangeAction, ResourceRecordSetFailover, RrType};
use jiff::{SignedDuration, Timestamp};
use lab::acm::Certificate;
use lab::codepipeline::Execution;
use lab::dns::balancer;
use lab::elb::{Listener, TargetGroup, group_arn};
use lab::rds;
use lab::servicequotas::USAGE;
use lab::ssm::Parameter;

use super::records::{change, half, route53, value};
use super::{CLUSTER, DR, DR_ADDRESS, INSTANCE, NAMES, PRIMARY, PRIMARY_ADDRESS, SetupError, Stage};

/// The page by which load balancers judge their targets.
const PAGE: &str = "/health";

/// The load balancers: DNS name, target group, region, address.
const BALANCERS: [(&str, &str, &str, std::net::IpAddr); 2] = [
    ("shop-1.eu-west-1.elb.amazonaws.com", "shop-primary", PRIMARY, PRIMARY_ADDRESS),
    (DR_BALANCER, DR_GROUP, DR, DR_ADDRESS),
];

/// DNS name of DR's load balancer.
pub const DR_BALANCER: &str = "shop-dr-1.eu-central-1.elb.amazonaws.com";
/// DR's target group, and its Auto Scaling group.
pub const DR_GROUP: &str = "shop-dr";
/// The secret that the application reads.
pub const SECRET: &str = "shop/database-app";
/// The parameter that the application reads.
pub const PARAMETER: &str = "/shop/assets-bucket";
/// The parameter that names each region's image.
pub const IMAGE: &str = "/shop/image";
/// How many vCPUs may run in DR.
pub const QUOTA: f64 = 64.0;
/// The pipeline, in each region.
pub const PIPELINE: &str = "shop";
/// The commit that both regions run.
pub const COMMIT: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
/// The certificate, in each region.
pub const CERTIFICATE: &str = "shop";
/// The key of the storage, in each region.
pub const KEY: &str = "shop";
/// The rule that copies a bucket to DR: source, destination, id.
pub const BUCKET: [&str; 3] = ["shop-assets-eu-west-1", "shop-assets-eu-central-1", "to-eu-central-1"];

/// How far back metrics reach.
const METRIC_MINUTES: i64 = 30;

impl Stage {
    /// Puts a whole warm standby behind the workload's records, and lets them lead to it.
    ///
    /// # Errors
    /// If Route 53 refuses.
    pub async fn furnish(&mut self) -> Result<(), SetupError> {
        for (dns_name, group, region, address) in BALANCERS {
            balancer::open(&self.lab, dns_name, SocketAddr::from((address, self.port)), PAGE)
                .map_err(|refusal| format!("{refusal:?}"))?;
            self.stand_behind(dns_name, group, region);
            let key = self.lab.kms.set(region, KEY, "Enabled");
            for database in [["app", CLUSTER], ["orders", INSTANCE]].map(|ids| ids[usize::from(region == DR)]) {
                rds::set_key(&self.lab, region, database, Some(&key));
                rds::set_backup_days(&self.lab, region, database, 7);
            }
            self.lab.secretsmanager.change(region, SECRET, |_| {});
            self.put(region, "String");
            self.image_set(region, self.lab.clock.now());
            self.deployed(region, COMMIT);
        }
        self.mend_secret();
        self.lab.servicequotas.apply(DR, Some(QUOTA));
        let now = self.lab.clock.now();
        for minutes in 0..METRIC_MINUTES {
            self.publish(now - SignedDuration::from_mins(minutes));
        }
        self.lead_to_balancers().await?;
        self.note_original();
        Ok(())
    }

    /// Lets the primary region copy the secret to DR, as at the beginning.
    pub fn mend_secret(&self) {
        self.lab.secretsmanager.change(DR, SECRET, |secret| secret.deleted = None);
        self.lab.secretsmanager.change(PRIMARY, SECRET, |secret| {
            secret.replicas.insert(DR.to_owned(), ("InSync", String::new()));
        });
    }

    /// Somebody puts the application's parameter, of that type.
    pub fn put(&self, region: &str, kind: &'static str) {
        let set_at = self.lab.clock.now();
        self.lab.ssm.put(region, PARAMETER, Parameter { kind, data_type: "text", set_at });
    }

    /// Somebody sets the region's image.
    pub fn image_set(&self, region: &str, set_at: Timestamp) {
        self.lab.ssm.put(region, IMAGE, Parameter { kind: "String", data_type: "aws:ec2:image", set_at });
    }

    /// A region's pipeline deploys a commit; it comes as an object in S3, whose version is its bucket's own.
    pub fn deployed(&self, region: &str, commit: &str) {
        let revision = ("Revision", format!("version-in-{region}"), Some(commit.to_owned()));
        let execution = Execution { status: "Succeeded", changed: self.lab.clock.now(), revision };
        self.lab.codepipeline.change(region, PIPELINE, |executions| executions.push(execution));
    }

    fn stand_behind(&self, dns_name: &str, group: &str, region: &str) {
        let (lab, now) = (&self.lab, self.lab.clock.now());
        let names = ["*.example.com", "*.shop.example.com", "example.org"].map(str::to_owned).into();
        let not_after = Some(now + SignedDuration::from_hours(24 * 200));
        let certificate = lab.acm.put(region, CERTIFICATE, Certificate { names, status: "ISSUED", not_after });
        let count = if region == DR { 2 } else { 4 };
        let id = |nth| format!("i-{group}-{nth}");
        lab.elb.change(dns_name, |behind| {
            behind.keep_alive_seconds = 60;
            behind.listeners = vec![
                Listener { port: 443, protocol: "HTTPS", certificates: vec![certificate] },
                Listener { port: 80, protocol: "HTTP", certificates: Vec::new() },
            ];
            let targets = (0..count).map(|nth| (id(nth), "healthy".to_owned())).collect();
            behind.groups = vec![TargetGroup { name: group.to_owned(), targets }];
        });
        lab.autoscaling.change(region, group, |it| {
            it.sizes = [count, 8, count];
            it.instances = (0..count).map(|nth| (id(nth), "InService", "Healthy")).collect();
            it.target_groups = vec![group_arn(region, group)];
            it.activities = vec![(now, "Successful", String::new())];
        });
    }

    /// What load balancers, EC2 and S3 publish of a minute: each instance has two vCPUs.
    pub fn publish(&self, at: Timestamp) {
        let metrics = &self.lab.cloudwatch;
        let of_targets = [("LoadBalancer", "app/shop/1"), ("TargetGroup", "targetgroup/shop-primary/0123456789abcdef")];
        metrics.put_metric(PRIMARY, "AWS/ApplicationELB", "HealthyHostCount", &of_targets, 4.0, at);
        for (region, vcpus) in [(PRIMARY, 8.0), (DR, 4.0)] {
            metrics.put_metric(region, "AWS/Usage", "ResourceCount", &USAGE, vcpus, at);
        }
        let of_rule = bucket_dimensions();
        metrics.put_metric(DR, "AWS/S3", "ReplicationLatency", &of_rule, 2.0, at);
        metrics.put_metric(PRIMARY, "AWS/S3", "OperationsFailedReplication", &of_rule, 0.0, at);
    }

    /// One batch a zone: an account has five requests a second.
    async fn lead_to_balancers(&self) -> Result<(), SetupError> {
        let (mut com, mut org) = (Vec::new(), Vec::new());
        let roles = [ResourceRecordSetFailover::Primary, ResourceRecordSetFailover::Secondary];
        for (role, (dns_name, ..)) in roles.into_iter().zip(BALANCERS) {
            let alias = |name: &str, kind: RrType| -> Result<_, SetupError> {
                let target = AliasTarget::builder().hosted_zone_id(balancer::ZONE).dns_name(dns_name);
                let target = target.evaluate_target_health(false).build()?;
                Ok(half(name, kind, &role, &self.failover_check).alias_target(target))
            };
            let login = half(NAMES[3], RrType::Cname, &role, &self.failover_check).ttl(60);
            com.extend([
                alias(NAMES[0], RrType::A)?,
                alias(NAMES[0], RrType::Aaaa)?,
                alias(NAMES[1], RrType::A)?,
                alias(NAMES[2], RrType::A)?,
                login.resource_records(value(dns_name)),
            ]);
            org.push(alias(NAMES[4], RrType::A)?);
        }
        let client = route53(&self.lab);
        change(&client, &self.zones["example.com"], ChangeAction::Upsert, com).await?;
        change(&client, &self.zones["example.org"], ChangeAction::Upsert, org).await
    }
}

/// The dimensions of what S3 publishes about the rule.
#[must_use]
pub fn bucket_dimensions() -> [(&'static str, &'static str); 3] {
    let [source, destination, rule] = BUCKET;
    [("SourceBucket", source), ("DestinationBucket", destination), ("RuleId", rule)]
}
