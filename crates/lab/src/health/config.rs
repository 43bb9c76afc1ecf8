//! The settings of a health check.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What a health check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckType {
    /// An HTTP endpoint: 2xx or 3xx is healthy.
    Http,
    /// The same over TLS, whatever the certificate says.
    Https,
    /// A TCP endpoint: a connection is healthy.
    Tcp,
    /// The metric that a CloudWatch alarm watches.
    CloudwatchMetric,
    /// Other health checks.
    Calculated,
}

/// What a check of a metric says while the metric has too little data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum InsufficientData {
    Healthy,
    Unhealthy,
    LastKnownStatus,
}

/// Names a CloudWatch alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AlarmIdentifier {
    /// Region of the alarm.
    pub region: String,
    /// Name of the alarm.
    pub name: String,
}

/// AWS's `HealthCheckConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct HealthCheckConfig {
    /// The `Name` tag; not part of the wire form.
    #[serde(skip)]
    pub name: Option<String>,
    /// True for what a service of AWS's looks at for itself: a load balancer's targets. Neither listed nor measured.
    #[serde(skip)]
    pub is_of_aws: bool,
    /// Address of the endpoint.
    #[serde(rename = "IPAddress", default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
    /// Port of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What to look at.
    #[serde(rename = "Type")]
    pub kind: CheckType,
    /// Path to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_path: Option<String>,
    /// Whether the domain name is told in the TLS handshake.
    #[serde(rename = "EnableSNI", default, skip_serializing_if = "Option::is_none")]
    pub enable_sni: Option<bool>,
    /// Domain name of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fully_qualified_domain_name: Option<String>,
    /// Seconds between two requests of one checker: 10 or 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_interval: Option<u32>,
    /// Consecutive results that turn a checker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// Whether latency is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure_latency: Option<bool>,
    /// Healthy means unhealthy.
    #[serde(default)]
    pub inverted: bool,
    /// Always healthy, and not probed.
    #[serde(default)]
    pub disabled: bool,
    /// How many children must be healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_threshold: Option<u32>,
    /// The children's ids.
    #[serde(default, with = "children", skip_serializing_if = "Vec::is_empty")]
    pub child_health_checks: Vec<String>,
    /// The alarm whose metric to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_identifier: Option<AlarmIdentifier>,
    /// What to say while that metric has too little data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insufficient_data_health_status: Option<InsufficientData>,
}

/// `<ChildHealthChecks><ChildHealthCheck>…`
pub(crate) mod children {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Children {
        #[serde(rename = "ChildHealthCheck", default)]
        ids: Vec<String>,
    }

    pub(crate) fn serialize<S: Serializer>(ids: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        Children { ids: ids.to_vec() }.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(Children::deserialize(deserializer)?.ids)
    }
}

impl HealthCheckConfig {
    /// Settings of this type, everything else left out.
    pub fn new(kind: CheckType) -> Self {
        Self {
            name: None,
            is_of_aws: false,
            ip_address: None,
            port: None,
            kind,
            resource_path: None,
            enable_sni: None,
            fully_qualified_domain_name: None,
            request_interval: None,
            failure_threshold: None,
            measure_latency: None,
            inverted: false,
            disabled: false,
            health_threshold: None,
            child_health_checks: Vec::new(),
            alarm_identifier: None,
            insufficient_data_health_status: None,
        }
    }

    /// True if the check probes an endpoint.
    pub fn has_endpoint(&self) -> bool {
        matches!(self.kind, CheckType::Http | CheckType::Https | CheckType::Tcp)
    }

    /// Fills in AWS's defaults.
    pub(crate) fn with_defaults(mut self) -> Self {
        if self.has_endpoint() {
            self.request_interval.get_or_insert(30);
            self.failure_threshold.get_or_insert(3);
        }
        if self.kind == CheckType::Http {
            self.port.get_or_insert(80);
        }
        // "If you don't specify a value for EnableSNI … true" (HealthCheckConfig), where there is TLS.
        if self.kind == CheckType::Https {
            self.port.get_or_insert(443);
            self.enable_sni.get_or_insert(true);
        }
        if self.kind == CheckType::CloudwatchMetric {
            self.insufficient_data_health_status.get_or_insert(InsufficientData::LastKnownStatus);
        }
        self
    }

    /// Says what the lab cannot do of what AWS can.
    pub(crate) fn lacking(&self) -> Option<&'static str> {
        if self.ip_address.is_some_and(|address| !address.is_loopback()) {
            return Some("any address but this machine's loopback addresses");
        }
        (self.measure_latency == Some(true)).then_some("measuring latency")
    }

    /// Says what is wrong with the settings by themselves.
    pub(crate) fn fault(&self) -> Option<String> {
        let fault = match self.kind {
            CheckType::Http | CheckType::Https | CheckType::Tcp => self.fault_of_endpoint()?,
            CheckType::CloudwatchMetric if self.alarm_identifier.is_none() => "AlarmIdentifier is required",
            CheckType::Calculated if self.health_threshold.is_none() => "HealthThreshold is required",
            CheckType::Calculated if self.child_health_checks.len() > 256 => {
                "there are more than 256 child health checks"
            }
            CheckType::CloudwatchMetric | CheckType::Calculated => {
                let of_endpoint = self.ip_address.is_some() || self.fully_qualified_domain_name.is_some();
                return of_endpoint.then(|| "an endpoint is given for a check that has none".to_owned());
            }
        };
        Some(fault.to_owned())
    }

    fn fault_of_endpoint(&self) -> Option<&'static str> {
        if self.ip_address.is_none() && self.fully_qualified_domain_name.is_none() {
            return Some("IPAddress or FullyQualifiedDomainName is required");
        }
        if self.kind == CheckType::Tcp && self.port.is_none() {
            return Some("Port is required");
        }
        if self.request_interval.is_some_and(|seconds| seconds != 10 && seconds != 30) {
            return Some("RequestInterval must be 10 or 30");
        }
        if self.failure_threshold.is_some_and(|threshold| !(1..=10).contains(&threshold)) {
            return Some("FailureThreshold must be between 1 and 10");
        }
        (self.alarm_identifier.is_some() || !self.child_health_checks.is_empty())
            .then_some("an alarm or children are given for a check of an endpoint")
    }
}
