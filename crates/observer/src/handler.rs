//! One look: ask the zone's name servers, the primary and somebody else; judge; publish.

use std::time::Duration;

use aws::dns::{NameServers, Server};
use aws::probe::Prober;
use aws::telemetry::{self, Metric};
use failover::name::{Name, NameError};
use failover::observer::{Judgement, Said, Sighting, Verdict, judge};
use failover::plan::Plan;
use futures_util::future::{join_all, join3};
use jiff::Timestamp;

/// The environment variable with the name of the TXT pair that stands on the endpoint's health check.
pub const ENDPOINT_VARIABLE: &str = "HOLDFAST_ENDPOINT_NAME";
/// The environment variable with the URL of somebody who has nothing to do with the primary.
pub const REFERENCE_VARIABLE: &str = "HOLDFAST_REFERENCE_URL";

/// A look that cannot tell is followed by another: one lost minute in thirty would keep an alarm from ringing. A look takes ten seconds
/// at most, so all of it ends within the minute.
const LOOKS_MAX: usize = 3;
/// Longer than what loses a packet lasts.
pub const PAUSE: Duration = Duration::from_secs(5);

/// Within which the zone's name servers are found: once, and then every quarter of an hour.
const FIND: Duration = Duration::from_secs(8);

/// What the observer is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name of the TXT pair.
    pub endpoint: Name,
    /// Whom to ask besides the primary.
    pub reference: Option<String>,
}

/// Why the observer cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{ENDPOINT_VARIABLE} names no TXT pair: {0}; deploy template.yaml again with Detection=dr-region and DomainName"
)]
pub struct NoEndpoint(NameError);

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// If it names no TXT pair.
    pub fn from_environment(read: impl Fn(&str) -> Option<String>) -> Result<Self, NoEndpoint> {
        let endpoint = read(ENDPOINT_VARIABLE).unwrap_or_default().parse().map_err(NoEndpoint)?;
        Ok(Self { endpoint, reference: read(REFERENCE_VARIABLE).filter(|url| !url.is_empty()) })
    }
}

/// Whom the observer asks.
#[derive(Debug)]
pub struct Calls<S, P> {
    /// Name servers.
    pub servers: S,
    /// Sites.
    pub prober: P,
    /// How long it waits after a look that could not tell.
    pub pause: Duration,
}

impl<S: NameServers, P: Prober> Calls<S, P> {
    /// Looks until it can tell, and publishes that for the minute `at`: what it does not know is not published.
    pub async fn handle(&self, plan: &Plan, settings: &Settings, at: Timestamp) -> Judgement {
        let mut judgement = judge(&self.look(plan, settings).await);
        for _ in 1..LOOKS_MAX {
            if judgement.could_tell {
                break;
            }
            tokio::time::sleep(self.pause).await;
            let again = judge(&self.look(plan, settings).await);
            // What was heard once in this minute is not unheard by silence.
            if again.verdict != Verdict::NotKnown || judgement.verdict == Verdict::NotKnown {
                judgement = again;
            }
        }
        telemetry::emit(at, &metrics(&judgement));
        let (verdict, because) = (judgement.verdict, judgement.because.as_str());
        match judgement.could_tell {
            true => tracing::info!(%verdict, because, "the primary"),
            false => tracing::warn!(%verdict, because, "the primary, as far as it can be told"),
        }
        judgement
    }

    async fn look(&self, plan: &Plan, settings: &Settings) -> Sighting {
        let (servers, primary, reference) = join3(
            self.ask_servers(&settings.endpoint),
            self.prober.probe(plan.probes.primary.as_deref()),
            self.prober.probe(settings.reference.as_deref()),
        )
        .await;
        Sighting { servers, primary, reference }
    }

    async fn ask_servers(&self, name: &Name) -> Vec<Said> {
        let servers = match tokio::time::timeout(FIND, self.servers.servers(name)).await {
            Ok(Ok(servers)) => servers,
            Ok(Err(error)) => return vec![Said::NotHeard(error.to_string())],
            Err(_) => return vec![Said::NotHeard("the resolver did not say in time whom to ask".to_owned())],
        };
        let ask = async |server: &Server| match self.servers.ask(server, name, "TXT").await {
            Ok(records) => Said::by(&records),
            Err(error) => Said::NotHeard(format!("{server}: {error}")),
        };
        join_all(servers.iter().map(ask)).await
    }
}

/// What is published. No alarm takes silence for an outage; that there is silence has an alarm of its own.
fn metrics(judgement: &Judgement) -> Vec<Metric> {
    let count = |name, value| Metric { name, unit: "Count", value };
    let down = match judgement.verdict {
        Verdict::Down => Some(1.0),
        Verdict::Up => Some(0.0),
        Verdict::NotKnown => None,
    };
    let down = down.map(|value| count("PrimaryDown", value));
    down.into_iter().chain(judgement.could_tell.then(|| count("PrimaryHeard", 1.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::net::SocketAddr;

    use aws::dns::{NotHeard, ServersUnknown};
    use failover::observation::{Probe, Silence};

    /// Four servers, of which one letter each says what the first, second and third look hears: u, d, or - for nothing.
    struct Script {
        looks: [&'static str; 3],
        asked: Cell<usize>,
        reference: Probe,
    }

    impl NameServers for &Script {
        async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
            if self.looks[0].is_empty() {
                return Err(ServersUnknown::NoZone(name.clone()));
            }
            Ok((1..=4).map(|port| SocketAddr::from(([192, 0, 2, 1], port)).into()).collect())
        }

        async fn ask(&self, server: &Server, _: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
            assert_eq!(kind, "TXT");
            let look = self.asked.get() / 4;
            self.asked.set(self.asked.get() + 1);
            match self.looks[look].as_bytes()[usize::from(server.address.unwrap().port()) - 1] {
                b'u' => Ok(vec!["up".to_owned()]),
                b'd' => Ok(vec!["down".to_owned()]),
                _ => Err(NotHeard::Silent),
            }
        }
    }

    impl Prober for &Script {
        async fn probe(&self, url: Option<&str>) -> Probe {
            match url {
                None => Probe::NotAsked,
                Some("http://primary/") => Probe::Silent(Silence::TimedOut),
                Some(_) => self.reference,
            }
        }
    }

    fn plan() -> Plan {
        Plan::parse(
            r#"{"mode":"automatic","zones":[{"id":"Z1","names":["ALL"]}],"probes":{"primary":"http://primary/"},
            "alarms":["arn:aws:cloudwatch:eu-central-1:1:alarm:outage"],"limits":{"lag_seconds_max":60,"settle_seconds":900,
            "cooldown_seconds":3600,"drain_seconds":120,"detection_seconds_max":2400}}"#,
        )
        .unwrap()
    }

    async fn seen(looks: [&'static str; 3], reference: Probe) -> (Judgement, Vec<(&'static str, f64)>, usize) {
        let script = Script { looks, asked: Cell::default(), reference };
        let calls = Calls { servers: &script, prober: &script, pause: Duration::ZERO };
        let endpoint = "_holdfast-endpoint.holdfast.example.com".parse().unwrap();
        let settings = Settings { endpoint, reference: Some("http://reference/".to_owned()) };
        let judgement = calls.handle(&plan(), &settings, Timestamp::UNIX_EPOCH).await;
        let metrics = metrics(&judgement).into_iter().map(|metric| (metric.name, metric.value)).collect();
        (judgement, metrics, script.asked.get() / 4)
    }

    #[tokio::test]
    async fn what_is_known_is_published_at_once() {
        let (_, metrics, looks) = seen(["uuuu", "", ""], Probe::Answers).await;
        assert_eq!((metrics, looks), (vec![("PrimaryDown", 0.0), ("PrimaryHeard", 1.0)], 1));
        let (_, metrics, looks) = seen(["ddd-", "", ""], Probe::Answers).await;
        assert_eq!((metrics, looks), (vec![("PrimaryDown", 1.0), ("PrimaryHeard", 1.0)], 1));
    }

    #[tokio::test]
    async fn what_a_look_could_not_tell_another_may_and_in_the_end_nothing_is_published() {
        let (_, metrics, looks) = seen(["d---", "d---", "dddd"], Probe::Answers).await;
        assert_eq!((metrics, looks), (vec![("PrimaryDown", 1.0), ("PrimaryHeard", 1.0)], 3));
        let (judgement, metrics, looks) = seen(["----", "d---", "dd--"], Probe::Answers).await;
        assert_eq!((metrics, looks), (vec![], 3), "{judgement:?}");
        let (judgement, metrics, _) = seen(["", "", ""], Probe::Answers).await;
        assert_eq!(metrics, [], "{judgement:?}");
        assert!(judgement.because.contains("is the zone delegated?"), "{judgement:?}");
    }

    #[tokio::test]
    async fn a_request_that_never_left_is_no_outage_and_is_told() {
        let nobody = Probe::Silent(Silence::TimedOut);
        let (_, metrics, looks) = seen(["dddd", "dddd", "dddd"], nobody).await;
        assert_eq!((metrics, looks), (vec![], 3));
        let (_, metrics, _) = seen(["uuuu", "----", "----"], nobody).await;
        assert_eq!(
            metrics,
            [("PrimaryDown", 0.0)],
            "what was heard stays heard; that an outage could not be told is said"
        );
    }

    #[test]
    fn the_environment_names_the_pair_and_may_name_a_reference() {
        let read = |name: &str| (name == ENDPOINT_VARIABLE).then(|| "_holdfast-endpoint.h.example.com".to_owned());
        let settings = Settings::from_environment(read).unwrap();
        assert_eq!((settings.endpoint.as_str(), settings.reference), ("_holdfast-endpoint.h.example.com", None));
        let error = Settings::from_environment(|_| None).unwrap_err().to_string();
        assert!(error.starts_with("HOLDFAST_ENDPOINT_NAME names no TXT pair"), "{error}");
    }
}
