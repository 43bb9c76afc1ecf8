//! Two AWS regions on one machine.
//!
//! The lab answers exactly the AWS calls that Holdfast, its tests and its tour make, over the real wire protocols and with
//! the documented behaviour; anything else is refused by name. It knows nothing of Holdfast, so that it can judge it.
//!
//! Programs reach it as they reach AWS: [`Lab::endpoint_url`] is what `AWS_ENDPOINT_URL` must be, and [`Lab::name_servers`] answer DNS. What people
//! do to it, they do to its fields: [`Lab::faults`] breaks regions, services and calls, [`Lab::journal`] has what happened.
//!
//! Two regions, of which one goes down, and where its users are sent:
//!
//! ```
//! use std::net::{Ipv4Addr, SocketAddr};
//! use std::time::Duration;
//!
//! use lab::health::{CheckType, HealthCheckConfig};
//! use lab::journal::What;
//! use lab::route53::{DnsName, Kind, Route53};
//! use lab::site::Sites;
//! use lab::{Lab, Options};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An hour of lab time takes a second while nobody is at work.
//! let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
//! let options = Options { start: "2026-01-01T12:00:00Z".parse()?, speed: 3_600.0, endpoint: any, dns: any };
//! let lab = Lab::start(&options).await?;
//!
//! // The primary region's web site, and a health check that looks at it.
//! let site = Sites::open(&lab, "eu-west-1", any, ("eu-west-1", "app")).await?;
//! let (ip_address, port) = (Some(site.ip()), Some(site.port()));
//! let looks_at_it = HealthCheckConfig { ip_address, port, ..HealthCheckConfig::new(CheckType::Http) };
//! let check = lab.route53.create_health_check(&lab, looks_at_it)?;
//!
//! // A name that leads there while it is healthy, and else to the other region.
//! let zone = lab.route53.create_zone(lab.clock.now(), "example.com")?;
//! let record = |half: &str, address: &str| {
//!     json!({
//!         "Name": "app.example.com", "Type": "A", "TTL": 60, "SetIdentifier": half, "Failover": half,
//!         "ResourceRecords": {"ResourceRecord": [{"Value": address}]},
//!     })
//! };
//! let mut primary = record("PRIMARY", "127.0.10.1");
//! primary["HealthCheckId"] = json!(check);
//! Route53::put_record_set(&lab, &zone, primary)?;
//! Route53::put_record_set(&lab, &zone, record("SECONDARY", "127.0.20.1"))?;
//! // A change has reached every name server after a minute at the latest.
//! lab.clock.sleep(Duration::from_secs(61)).await;
//!
//! let app = DnsName::parse("app.example.com")?;
//! assert_eq!(lab.route53.resolve(&app, Some(Kind::A)).answers[0].value, "127.0.10.1");
//!
//! let mut journal = lab.journal.follow();
//! lab.faults.fail_region("eu-west-1");
//! while !matches!(journal.recv().await?.what, What::HealthCheck { healthy: false, .. }) {}
//! assert_eq!(lab.route53.resolve(&app, Some(Kind::A)).answers[0].value, "127.0.20.1");
//! # Ok(())
//! # }
//! ```
//!
//! # Floors
//!
//! What all stand on: time ([`clock`]), faults ([`fault`]), the record of what happened ([`journal`]), ARNs, ids and wire protocols. On it the
//! services, each of which can be read by itself. They do not know one another, but for Route 53, whose health checks, zones, name servers and
//! checkers are built on one another and on CloudWatch's metrics; load balancers, which have names in its zones; and a region's site, which
//! writes to its database. What one causes in another is a message that the room above them carries (`world`). Beside it are the endpoint and
//! what may be asked of it by whom (`front`), orders ([`control`]), and CloudFormation ([`template`]).

pub mod acm;
pub mod api;
pub mod arn;
pub mod autoscaling;
mod checkers;
pub mod clock;
pub mod cloudwatch;
pub mod codepipeline;
pub mod control;
pub mod dns;
pub mod dynamodb;
pub mod ecs;
pub mod elb;
pub mod events;
pub mod fault;
mod front;
pub mod functions;
pub mod health;
pub mod iam;
mod id;
pub mod journal;
pub mod kms;
pub mod logs;
mod message;
pub mod rds;
mod regional;
pub mod route53;
pub mod s3;
pub mod secretsmanager;
pub mod servers;
pub mod servicequotas;
pub mod site;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
pub mod template;
pub mod wire;
mod world;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::fault::Faults;
use crate::journal::{Journal, What};

/// The account every ARN in the lab belongs to.
pub const ACCOUNT: &str = "123456789012";

/// How to start a lab.
#[derive(Clone, Debug)]
pub struct Options {
    /// Lab time at the start.
    pub start: Timestamp,
    /// How many times faster than real time the lab runs while nobody is at work.
    pub speed: f64,
    /// Where the AWS endpoint listens; port 0 takes any free one.
    pub endpoint: SocketAddr,
    /// Where the first name server listens, UDP and TCP; port 0 takes any free one. At a loopback address the others have those after it.
    pub dns: SocketAddr,
}

/// Everything in the lab.
#[derive(Debug)]
pub struct Lab {
    /// Lab time.
    pub clock: Clock,
    /// What happened so far.
    pub journal: Journal,
    /// What is broken.
    pub faults: Faults,
    /// Certificates.
    pub acm: acm::Acm,
    /// Groups of instances.
    pub autoscaling: autoscaling::AutoScaling,
    /// Services of tasks.
    pub ecs: ecs::Ecs,
    /// Load balancers.
    pub elb: elb::Elb,
    /// Keys.
    pub kms: kms::Kms,
    /// Secrets.
    pub secretsmanager: secretsmanager::SecretsManager,
    /// What the account may have.
    pub servicequotas: servicequotas::ServiceQuotas,
    /// Parameters.
    pub ssm: ssm::Ssm,
    /// Pipelines.
    pub codepipeline: codepipeline::CodePipeline,
    /// Zones, records, changes, health checks.
    pub route53: route53::Route53,
    /// Metrics and alarms.
    pub cloudwatch: cloudwatch::CloudWatch,
    /// Tables.
    pub dynamodb: dynamodb::DynamoDb,
    /// Event buses and rules.
    pub events: events::Events,
    /// Lambda functions.
    pub functions: functions::Functions,
    /// Who may do what.
    pub iam: iam::Iam,
    /// Databases.
    pub rds: rds::Rds,
    /// Topics.
    pub sns: sns::Sns,
    /// Queues.
    pub sqs: sqs::Sqs,
    /// Roles that were assumed.
    pub sts: sts::Sts,
    /// Web sites.
    pub sites: site::Sites,
    /// Templates deployed.
    pub stacks: template::Stacks,
    /// Where the AWS endpoint listens.
    pub endpoint: SocketAddr,
    /// Where the first name server listens.
    pub dns: SocketAddr,
    /// Where each name server listens; all have every zone.
    pub name_servers: Vec<SocketAddr>,
    /// Where processes at work wait for lab time to pass: they write a number of seconds, and the connection ends when those are over.
    pub waits: SocketAddr,
}

impl Lab {
    /// Opens the endpoints and starts everything that happens by itself.
    ///
    /// # Errors
    /// If a port cannot be bound.
    pub async fn start(options: &Options) -> io::Result<Arc<Self>> {
        let endpoint = tokio::net::TcpListener::bind(options.endpoint).await?;
        let dns = dns::Sockets::bind(options.dns).await?;
        let waits = tokio::net::TcpListener::bind((options.endpoint.ip(), 0)).await?;
        let name_servers: Vec<_> = dns.iter().map(dns::Sockets::address).collect();
        let lab = Arc::new(Self {
            clock: Clock::start(options.start, options.speed),
            journal: Journal::default(),
            faults: Faults::default(),
            acm: acm::Acm::default(),
            autoscaling: autoscaling::AutoScaling::default(),
            ecs: ecs::Ecs::default(),
            elb: elb::Elb::default(),
            kms: kms::Kms::default(),
            secretsmanager: secretsmanager::SecretsManager::default(),
            servicequotas: servicequotas::ServiceQuotas::default(),
            ssm: ssm::Ssm::default(),
            codepipeline: codepipeline::CodePipeline::default(),
            route53: route53::Route53::default(),
            cloudwatch: cloudwatch::CloudWatch::default(),
            dynamodb: dynamodb::DynamoDb::default(),
            events: events::Events::default(),
            functions: functions::Functions::default(),
            iam: iam::Iam::default(),
            rds: rds::Rds::default(),
            sns: sns::Sns::default(),
            sqs: sqs::Sqs::default(),
            sts: sts::Sts::default(),
            sites: site::Sites::default(),
            stacks: template::Stacks::default(),
            endpoint: endpoint.local_addr()?,
            dns: name_servers[0],
            name_servers,
            waits: waits.local_addr()?,
        });
        tokio::spawn(clock::serve(lab.clock.clone(), waits));
        tokio::spawn(front::serve(lab.clone(), endpoint));
        for sockets in dns {
            tokio::spawn(dns::serve(lab.clone(), sockets));
        }
        tokio::spawn(checkers::run(lab.clone()));
        tokio::spawn(cloudwatch::run(lab.clone()));
        tokio::spawn(events::run_schedules(lab.clone()));
        tokio::spawn(rds::run(lab.clone()));
        tokio::spawn(sqs::run(lab.clone()));
        Ok(lab)
    }

    /// Appends to the journal at the present lab time.
    pub fn record(&self, what: What) {
        self.journal.record(self.clock.now(), what);
    }

    /// The URL to give to SDKs as `AWS_ENDPOINT_URL`.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.endpoint)
    }
}
