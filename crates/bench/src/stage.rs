//! What the functions act on: a lab, a zone, an alarm that rings, two databases, a topic.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_route53::types::{
    AlarmIdentifier, CloudWatchRegion, HealthCheckConfig, HealthCheckType, InsufficientDataHealthStatus,
    ResourceRecordSetFailover,
};
use failover::incident::Incident;
use failover::name::Name;
use failover::plan::ReplicaId;
use failover::record::Target;
use failover::register::{ArmedBy, Evidence, Pin, Register, Spread};
use jiff::{SignedDuration, Timestamp};
use lab::clock::{self, Clock};
use lab::{Lab, Options, rds};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Failure;
use crate::records::{PRIMARY, SECONDARY, TTL_SECONDS, client, half, put, register};
use crate::tls::Front;

/// How many times faster than real time the lab runs while nothing is measured.
const SPEED: f64 = 100.0;
/// And where functions wait on purpose, as alarm-handler does before it puts a change on record: an hour passes in a millisecond, since what
/// they do is measured, and not what they wait.
const WAITS_SPEED: f64 = 3_600_000.0;

/// The region of the functions and of what they promote.
pub const DR: &str = "eu-central-1";
const PRIMARY_REGION: &str = "eu-west-1";
const ALARM_REGION: &str = "us-east-1";
const ALARM: &str = "holdfast-failover-started";
/// The one name that functions are measured at.
pub const NAME: &str = "app.example.com";
/// By which the lab's journal knows the calls of a measured process.
pub const ACCESS_KEY: &str = "ASIABENCH";
const FENCE: &str = "sg-0c105ed";

/// Longer than Route 53 remembers requests for its rate, and than RDS needs for anything here.
pub const REST: Duration = Duration::from_secs(2);

/// Everything on the stage.
pub struct Stage {
    /// The lab.
    pub lab: Arc<Lab>,
    /// The hosted zone.
    pub zone: String,
    /// The health check of the PRIMARY records.
    pub check: String,
    /// A client of the lab's Route 53.
    pub route53: aws_sdk_route53::Client,
    topic: String,
    /// Where functions wait.
    waits: SocketAddr,
    endpoints: BTreeMap<&'static str, String>,
    alarm_since: Timestamp,
}

impl Stage {
    /// Sets it: a zone without protected names yet, and an alarm that has begun to ring.
    ///
    /// # Errors
    /// If a part of it cannot be made.
    pub async fn set(bundle: &Path) -> Result<Self, Failure> {
        let any = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
        let start = "2026-01-05T09:00:00Z".parse()?;
        let lab = Lab::start(&Options { start, speed: SPEED, endpoint: any, dns: any }).await?;
        let zone = lab.route53.create_zone(lab.clock.now(), "example.com")?;
        let route53 = client(&lab);
        lab.clock.sleep(Duration::from_secs(3600)).await;
        ring(&lab).await?;
        let alarm_since = Timestamp::from_second(lab.clock.now().as_second())?;
        let check = check_on_alarm(&route53).await?;
        rds::close_group(&lab, FENCE);
        let topic = lab.sns.create_topic(DR, "operators");
        let front = Front::new(lab.endpoint, bundle)?;
        let mut endpoints = BTreeMap::new();
        for service in ["ROUTE_53", "CLOUDWATCH", "RDS", "SNS"] {
            endpoints.insert(service, front.open().await?);
        }
        let listener = TcpListener::bind(any).await?;
        let waits = listener.local_addr()?;
        tokio::spawn(clock::serve(Clock::start(start, WAITS_SPEED), listener));
        Ok(Self { lab, zone, check, route53, topic, waits, endpoints, alarm_since })
    }

    /// The environment of a function, as Lambda makes it, with a plan that protects these names of a zone.
    #[must_use]
    pub fn environment(&self, zone: &str, names: &str, bundle: &Path) -> BTreeMap<String, OsString> {
        let plan = json!({
            "mode": "automatic",
            "zones": [{"id": zone, "names": [names]}],
            "aurora_clusters": ["app-dr"],
            "fence": {"region": PRIMARY_REGION, "security_group": FENCE, "aurora_clusters": ["app"]},
            "alarms": [format!("arn:aws:cloudwatch:{ALARM_REGION}:{}:alarm:{ALARM}", lab::ACCOUNT)],
            "limits": {"lag_seconds_max": 60, "settle_seconds": 900, "cooldown_seconds": 3600, "drain_seconds": 60,
                "detection_seconds_max": 2400},
        });
        let fixed = [
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_REGION", DR),
            ("AWS_DEFAULT_REGION", DR),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures"),
            ("AWS_SESSION_TOKEN", "the-lab-checks-no-tokens"),
            ("HOLDFAST_BUS", "holdfast"),
        ];
        let mut environment: BTreeMap<String, OsString> =
            fixed.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        environment.insert("HOLDFAST_PLAN".to_owned(), plan.to_string().into());
        environment.insert("HOLDFAST_TOPIC_ARN".to_owned(), self.topic.clone().into());
        environment.insert("HOLDFAST_CLOCK".to_owned(), self.waits.to_string().into());
        // The one variable that the Rust SDK reads, and the one that boto3 reads.
        for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE"] {
            environment.insert(variable.to_owned(), bundle.into());
        }
        for (service, url) in &self.endpoints {
            environment.insert(format!("AWS_ENDPOINT_URL_{service}"), url.into());
        }
        environment
    }

    /// A register of a name that has been armed since long before the alarm rang.
    #[must_use]
    pub fn armed(&self) -> Register {
        Register::armed(self.alarm_since - SignedDuration::from_mins(50), ArmedBy::Settling)
    }

    /// A register of a name whose pin has been in sync since `at`.
    fn in_sync(&self, at: Timestamp) -> Register {
        self.pinned(at, Spread::InSync { at })
    }

    /// A register of a pinned name.
    #[must_use]
    pub fn pinned(&self, at: Timestamp, spread: Spread) -> Register {
        let values = vec![PRIMARY.to_owned()];
        let ttl_seconds = u32::try_from(TTL_SECONDS).unwrap_or_default();
        let original = [("A".to_owned(), Target::Values { ttl_seconds, values })].into();
        let incident = Incident { alarm: ALARM.to_owned(), began: self.alarm_since };
        let evidence = Evidence::replica(ReplicaId::AuroraCluster("app-dr".to_owned()));
        Register::Pinned { pin: Pin { evidence, ..Pin::new(at, incident, original) }, spread }
    }

    /// Puts everything as it must be before the case, and lets the account's rate of requests recover.
    ///
    /// # Errors
    /// If a part of it cannot be made.
    pub async fn reset(&self, case: Case) -> Result<(), Failure> {
        let lab = &self.lab;
        rds::delete(lab, DR, "app-dr");
        rds::delete(lab, PRIMARY_REGION, "app");
        rds::create_cluster(lab, PRIMARY_REGION, "app", None, &["app-1"])?;
        rds::create_cluster(lab, DR, "app-dr", Some((PRIMARY_REGION, "app")), &["app-dr-1"])?;
        let lag = [("DBClusterIdentifier", "app-dr"), ("Role", "WRITER")];
        lab.cloudwatch.put_metric(DR, "AWS/RDS", "AuroraBinlogReplicaLag", &lag, 1.0, lab.clock.now());
        lab.clock.sleep(REST).await;
        let now = Timestamp::from_second(lab.clock.now().as_second())?;
        let (is_pinned, state) = match case {
            Case::Pin | Case::Tell => (false, self.armed()),
            Case::Promote => (true, self.in_sync(now - SignedDuration::from_mins(5))),
            Case::Fence => (true, self.in_sync(now)),
        };
        let name: Name = NAME.parse()?;
        let (primary, secondary) = (ResourceRecordSetFailover::Primary, ResourceRecordSetFailover::Secondary);
        let sets = vec![
            half(NAME, &primary, if is_pinned { SECONDARY } else { PRIMARY }, &self.check)?,
            half(NAME, &secondary, SECONDARY, &self.check)?,
            register(&name, &state)?,
        ];
        put(lab, &self.route53, &self.zone, sets).await?;
        lab.clock.sleep(REST).await;
        Ok(())
    }

    /// The event that wakes the function in this case.
    #[must_use]
    pub fn event(&self, case: Case) -> Value {
        let (id, account) = ("1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e55", lab::ACCOUNT);
        let envelope = |source: &str, detail_type: &str, resource: String, detail: Value| {
            json!({"version": "0", "id": id, "account": account, "region": DR, "time": self.alarm_since, "source": source,
                "detail-type": detail_type, "resources": [resource], "detail": detail})
        };
        match case {
            Case::Pin => {
                let arn = format!("arn:aws:cloudwatch:{ALARM_REGION}:{account}:alarm:{ALARM}");
                let state = json!({"value": "ALARM", "timestamp": self.alarm_since.to_string()});
                let detail = json!({"alarmName": ALARM, "state": state, "previousState": {"value": "OK"}});
                envelope("aws.cloudwatch", "CloudWatch Alarm State Change", arn, detail)
            }
            Case::Promote | Case::Fence => {
                let arn = format!("arn:aws:events:{DR}:{account}:rule/tick");
                envelope("aws.events", "Scheduled Event", arn, json!({}))
            }
            Case::Tell => {
                let arn = format!("arn:aws:lambda:{DR}:{account}:function:holdfast-alarm-handler");
                let outcome = json!({"outcome": "Pinned", "attention": "page", "rule": "P13", "subjects": [NAME],
                    "because": "failover has started, and nothing speaks against it", "trigger": "event",
                    "incident": format!("{ALARM}@{}", self.alarm_since), "since": self.alarm_since, "at": self.alarm_since,
                    "facts": [{"about": "A record", "seen": format!("PRIMARY {PRIMARY}, SECONDARY {SECONDARY}")}],
                    "next": "the databases are promoted once the pin is in sync and clients of the primary have drained"});
                let detail = json!({"version": "1.0", "timestamp": self.alarm_since.to_string(),
                    "requestContext": {"requestId": id, "functionArn": arn, "condition": "Success", "approximateInvokeCount": 1},
                    "requestPayload": self.event(Case::Pin), "responseContext": {"statusCode": 200}, "responsePayload": outcome});
                envelope("lambda", "Lambda Function Invocation Result - Success", arn, detail)
            }
        }
    }

    /// True if the name's PRIMARY record points at DR.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.lab.route53.records(&self.zone).iter().all(|set| !set.values().iter().any(|value| value == PRIMARY))
    }
}

/// What a function is measured at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// alarm-handler pins one name.
    Pin,
    /// replica-promoter promotes one cluster.
    Promote,
    /// fencer cuts one old writer off.
    Fence,
    /// notifier tells of a pin.
    Tell,
}

impl Case {
    /// Every case, with the function's name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Pin, "alarm-handler"),
        (Self::Promote, "replica-promoter"),
        (Self::Fence, "fencer"),
        (Self::Tell, "notifier"),
    ];

    /// What the outcome must say; nothing is measured of a function that did something else.
    #[must_use]
    pub fn expected(self) -> Option<&'static str> {
        match self {
            Self::Pin => Some("Pinned"),
            Self::Promote => Some("PromotionRequested"),
            Self::Fence => Some("Fenced"),
            Self::Tell => None,
        }
    }
}

/// An alarm that says ALARM and goes on saying so.
async fn ring(lab: &Lab) -> Result<(), Failure> {
    use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(ALARM_REGION))
        .endpoint_url(lab.endpoint_url())
        .credentials_provider(Credentials::new("operator", "secret", None, None, "bench"))
        .build();
    let client = aws_sdk_cloudwatch::Client::from_conf(config);
    let alarm = client
        .put_metric_alarm()
        .alarm_name(ALARM)
        .namespace("AWS/Route53")
        .metric_name("HealthCheckStatus")
        .statistic(Statistic::Minimum)
        .period(60)
        .evaluation_periods(1)
        .threshold(1.0)
        .comparison_operator(ComparisonOperator::LessThanThreshold)
        .treat_missing_data("ignore");
    alarm.send().await?;
    client
        .set_alarm_state()
        .alarm_name(ALARM)
        .state_value(StateValue::Alarm)
        .state_reason("the benchmark")
        .send()
        .await?;
    Ok(())
}

async fn check_on_alarm(route53: &aws_sdk_route53::Client) -> Result<String, Failure> {
    let alarm = AlarmIdentifier::builder().region(CloudWatchRegion::from(ALARM_REGION)).name(ALARM).build()?;
    let config = HealthCheckConfig::builder()
        .r#type(HealthCheckType::CloudwatchMetric)
        .alarm_identifier(alarm)
        .insufficient_data_health_status(InsufficientDataHealthStatus::Healthy)
        .build()?;
    let made = route53.create_health_check().caller_reference("bench").health_check_config(config).send().await?;
    Ok(made.health_check().map(|check| check.id().to_owned()).ok_or("Route 53 made no health check")?)
}
