//! The sites' own endpoints, as records and health checks tell them: what the stack's health check asks, and what Holdfast asks itself.

use aws::balancer::bare;
use aws::survey::{Asked, HealthCheck};
use failover::name::Name;
use failover::record::{RecordSet, Routing, Target};
use http::Uri;
use serde::Serialize;

/// template.yaml's defaults.
pub const PORT: u16 = 443;
/// See [`PORT`].
pub const PATH: &str = "/health";
const HTTP_PORT: u16 = 80;

/// Where a site is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its own host name; never a name that fails over.
    pub host: Option<String>,
    /// Its address, where it has no name.
    pub address: Option<String>,
}

/// What is asked whether the primary is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Host name, and the Host header.
    pub host: String,
    /// The address to ask in place of what the host resolves to.
    pub address: Option<String>,
    /// Whether by HTTPS.
    pub is_https: bool,
    /// Port.
    pub port: u16,
    /// Path.
    pub path: String,
    /// How it is known.
    pub why: String,
}

impl Endpoint {
    /// As a URL.
    #[must_use]
    pub fn url(&self) -> String {
        url(&self.host, self)
    }
}

fn url(host: &str, like: &Endpoint) -> String {
    let (scheme, default) = if like.is_https { ("https", PORT) } else { ("http", HTTP_PORT) };
    let port = if like.port == default { String::new() } else { format!(":{}", like.port) };
    format!("{scheme}://{host}{port}{}", like.path)
}

/// Reads what a person gave: a URL or a host.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Endpoint, String> {
    let wrong = || format!("{text:?} is no endpoint; write it as in https://app-primary.example.com/health");
    let is_url = text.contains("://");
    let uri: Uri = if is_url { text.to_owned() } else { format!("https://{text}") }.parse().map_err(|_| wrong())?;
    let is_https = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong()),
    };
    let host = uri.host().filter(|host| host.contains('.') && host.parse::<Name>().is_ok()).ok_or_else(wrong)?;
    let default = if is_https { PORT } else { HTTP_PORT };
    let path = uri.path_and_query().map(|path| path.as_str()).filter(|path| *path != "/" || is_url);
    Ok(Endpoint {
        host: host.to_owned(),
        address: None,
        is_https,
        port: uri.port_u16().unwrap_or(default),
        path: path.filter(|path| *path != "/").unwrap_or(PATH).to_owned(),
        why: "as you gave it".to_owned(),
    })
}

/// The zone as endpoints are looked for in it.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// Its record sets.
    pub sets: &'a [RecordSet],
    /// The names that fail over, and those that are to.
    pub failing_over: &'a [Name],
}

impl Zone<'_> {
    /// Whether a host is a name that fails over, or is to.
    #[must_use]
    pub fn fails_over(&self, host: &str) -> bool {
        host.parse::<Name>().is_ok_and(|name| self.is_failing_over(&name))
    }

    fn is_failing_over(&self, name: &Name) -> bool {
        self.failing_over.contains(name) || self.sets.iter().any(|set| set.name == *name && set.fails_over())
    }

    /// Where a record's target is.
    #[must_use]
    pub fn place(&self, target: &Target, kind: &str) -> Option<Place> {
        match target {
            Target::Alias { name, .. } => self.named(&bare(name)),
            Target::Values { values, .. } if kind == "CNAME" => self.named(values.first()?.trim_end_matches('.')),
            Target::Values { values, .. } => {
                let named = |set: &&RecordSet| {
                    let is_same = matches!(&set.target, Target::Values { values: other, .. } if other == values);
                    is_same && set.kind == kind && set.routing == Routing::Simple && !self.is_failing_over(&set.name)
                };
                let name = self.sets.iter().find(named).filter(|set| !set.name.as_str().contains('\\'));
                let host = name.map(|set| set.name.to_string());
                let address = values.first().filter(|_| host.is_none()).cloned();
                Some(Place { host, address })
            }
        }
    }

    fn named(&self, host: &str) -> Option<Place> {
        (!self.fails_over(host)).then(|| Place { host: Some(host.to_owned()), address: None })
    }

    /// What to ask for the primary, from the PRIMARY records of the names, one after the other, and the account's health checks.
    #[must_use]
    pub fn endpoint(&self, primaries: &[&RecordSet], checks: &[HealthCheck]) -> Option<Endpoint> {
        let of_record = |set: &&RecordSet| {
            let id = set.health_check.as_deref()?;
            let asked = checks.iter().find(|check| check.id == id)?.endpoint.as_ref()?;
            let host = asked.host.clone().filter(|host| !self.fails_over(host))?;
            Some(of_check(asked, host, format!("the health check {id} of {} asks it", set.name)))
        };
        if let Some(endpoint) = primaries.iter().find_map(of_record) {
            return Some(endpoint);
        }
        primaries.iter().find_map(|set| {
            let place = self.place(&set.target, &set.kind)?;
            let is_there = |asked: &&Asked| {
                place.host.is_some() && asked.host == place.host
                    || place.address.is_some() && asked.address == place.address
            };
            let checked = checks.iter().filter_map(|check| check.endpoint.as_ref()).find(is_there);
            let led = format!("{} leads there", set.name);
            // An address needs a Host header, and the site serves the name itself.
            let host = place.host.clone().unwrap_or_else(|| set.name.to_string());
            let host = Some(host).filter(|host| !host.contains(['*', '\\']))?;
            let endpoint = match checked {
                Some(asked) => of_check(asked, host, format!("{led}, and a health check of the account asks it")),
                None => Endpoint { host, address: None, is_https: true, port: PORT, path: PATH.to_owned(), why: led },
            };
            Some(Endpoint { address: place.address, ..endpoint })
        })
    }
}

fn of_check(asked: &Asked, host: String, why: String) -> Endpoint {
    let Asked { address, port, path, is_https, .. } = asked.clone();
    Endpoint { host, address, is_https, port, path, why }
}

/// The URL by which Holdfast may ask a site as the endpoint is asked. Over HTTPS it checks the certificate, which names no load balancer
/// of AWS's.
#[must_use]
pub fn probe_url(place: &Place, like: &Endpoint) -> Option<String> {
    let host = place.host.as_ref()?;
    if like.is_https && host.ends_with(".amazonaws.com") {
        return None;
    }
    Some(url(host, like))
}
