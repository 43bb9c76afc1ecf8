//! What a zone's own name servers answer: a data plane that needs no API, no credentials and no region of AWS.
//!
//! Resolvers answer from memory; only an authoritative server says what holds now. Each server is asked by itself, since
//! "Route 53 locations might reach different conclusions about the health status of an endpoint" (Route 53 developer guide,
//! "How Amazon Route 53 averts failover problems").

mod exchange;
mod resolver;
#[cfg(test)]
mod stub;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use failover::name::Name;
use hickory_proto::rr::{RData, RecordType};

use self::exchange::{Asked, Question};
use self::resolver::Resolver;

/// Environment variable: the name servers to ask, as in `127.0.0.1:5353,127.0.0.2:5353`, in place of those that own a name.
pub const NAME_SERVERS_VARIABLE: &str = "HOLDFAST_NAME_SERVERS";

/// After this a zone's servers are looked up again. Until that succeeds, those that were known are asked.
const KNOWN_FOR: Duration = Duration::from_secs(900);

/// Someone who can ask name servers.
pub trait NameServers {
    /// The name servers of the zone that this name is in: all of them.
    async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown>;

    /// The values that this server, and no other, has for a name: those of a TXT record without quotation marks, a record's
    /// strings joined. Empty if it says that there are none.
    async fn ask(&self, server: &Server, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard>;
}

/// One of a zone's name servers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// Where it is. One of which nobody says that is no less a name server of the zone: it counts, and is not heard.
    pub address: Option<SocketAddr>,
    /// What the zone calls it, or its address where no more was given.
    pub name: String,
}

impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Self {
        Self { address: Some(address), name: address.to_string() }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str(&self.name),
        }
    }
}

/// Why nobody knows which servers to ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServersUnknown {
    /// The variable does not say addresses.
    #[error("{NAME_SERVERS_VARIABLE} is {0:?}; it takes addresses with ports, as in 127.0.0.1:5353,127.0.0.2:5353")]
    BadVariable(String),
    /// There is nobody to ask.
    #[error("/etc/resolv.conf names no name server that can be asked: {0}")]
    NoResolver(String),
    /// The resolver does not answer.
    #[error("the resolver does not say which name servers {name} has: {why}")]
    Unanswered {
        /// The name.
        name: Name,
        /// What became of the question.
        why: NotHeard,
    },
    /// No zone.
    #[error("neither {0} nor a name above it has name servers; is the zone delegated?")]
    NoZone(Name),
    /// Servers without addresses.
    #[error("none of the name servers has an address: {0}")]
    NoAddress(String),
}

/// Why a server's word is not known. None of these says anything about what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeard {
    /// Its own name leads nowhere.
    #[error("nobody says what its address is")]
    NoAddress,
    /// The question never left.
    #[error("the question could not be sent: {0}")]
    NotSent(String),
    /// No answer came.
    #[error("no answer")]
    Silent,
    /// An answer other than records, or their absence: SERVFAIL, REFUSED.
    #[error("it answers {0}")]
    Refused(String),
    /// Someone who passes on what others say.
    #[error("it does not answer for the zone itself (no AA bit)")]
    NotAuthoritative,
    /// Something that is no answer to this question.
    #[error("what came back is no answer to the question: {0}")]
    Garbled(String),
    /// A kind of record that nobody asks for.
    #[error("{0:?} is no type of record; ask for A, AAAA, CNAME or TXT")]
    UnknownKind(String),
}

/// Asks over UDP and TCP.
#[derive(Debug)]
pub struct Dns {
    given: Option<Result<Vec<Server>, ServersUnknown>>,
    resolver: Resolver,
    known: Mutex<HashMap<Name, Known>>,
}

/// A zone's servers, and since when.
#[derive(Clone, Debug)]
struct Known {
    servers: Vec<Server>,
    at: Instant,
}

impl Dns {
    /// Asks the servers of [`NAME_SERVERS_VARIABLE`], or else a name's own, which the system's resolver tells.
    #[must_use]
    pub fn from_environment() -> Self {
        let given = std::env::var(NAME_SERVERS_VARIABLE).ok().filter(|text| !text.is_empty());
        Self::new(given.as_deref(), Resolver::of_system())
    }

    fn new(given: Option<&str>, resolver: Resolver) -> Self {
        Self { given: given.map(addresses_in), resolver, known: Mutex::default() }
    }

    fn known(&self, name: &Name) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl NameServers for Dns {
    async fn servers(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let known = self.known(name);
        if let Some(known) = known.as_ref().filter(|known| known.at.elapsed() < KNOWN_FOR) {
            return Ok(known.servers.clone());
        }
        match self.resolver.servers_of(name).await {
            Ok(mut servers) => {
                // A resolver that fails in an outage takes away nobody whom a warm function has already met.
                let met = known.into_iter().flat_map(|known| known.servers);
                let met: HashMap<_, _> = met.map(|server| (server.name, server.address)).collect();
                for server in &mut servers {
                    server.address = server.address.or_else(|| met.get(&server.name).copied().flatten());
                }
                let found = Known { servers: servers.clone(), at: Instant::now() };
                self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), found);
                Ok(servers)
            }
            Err(why) => known.map(|known| known.servers).ok_or(why),
        }
    }

    async fn ask(&self, server: &Server, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
        let kind = RecordType::from_str(kind).map_err(|_| NotHeard::UnknownKind(kind.to_owned()))?;
        let question = Question::new(name, kind)?;
        let address = server.address.ok_or(NotHeard::NoAddress)?;
        let answer = question.put_to(address, Asked::Authority).await?;
        let of_kind = answer.answers.iter().filter(|record| record.record_type() == kind);
        Ok(of_kind.map(|record| in_words(&record.data)).collect())
    }
}

fn addresses_in(text: &str) -> Result<Vec<Server>, ServersUnknown> {
    let addresses: Result<Vec<SocketAddr>, _> = text.split(',').map(|address| address.trim().parse()).collect();
    let servers = addresses.map(|addresses| addresses.into_iter().map(Server::from).collect());
    servers.map_err(|_| ServersUnknown::BadVariable(text.to_owned()))
}

/// A value as people write it. "Text strings are joined without intervening spaces" is how readers of TXT records take them
/// (RFC 7208, section 3.3, says so of SPF's).
fn in_words(data: &RData) -> String {
    match data {
        RData::TXT(txt) => String::from_utf8_lossy(&txt.txt_data.concat()).into_owned(),
        RData::CNAME(name) => without_dot(&name.0.to_ascii()),
        RData::NS(name) => without_dot(&name.0.to_ascii()),
        other => other.to_string(),
    }
}

fn without_dot(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_lowercase()
}

/// What a local failure to send or to hear says.
fn failed(error: &io::Error) -> NotHeard {
    use io::ErrorKind as K;
    match error.kind() {
        // Another host says that nobody listens there, or hangs up.
        K::ConnectionRefused | K::ConnectionReset | K::ConnectionAborted | K::UnexpectedEof | K::TimedOut => {
            NotHeard::Silent
        }
        _ => NotHeard::NotSent(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::stub::{Saying, Stub};
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    async fn asked(stub: &Stub, kind: &str) -> Result<Vec<String>, NotHeard> {
        let dns = Dns::new(None, Resolver::at(Vec::new()));
        dns.ask(&stub.address.into(), &name("_holdfast-endpoint.holdfast.example.com"), kind).await
    }

    #[tokio::test]
    async fn an_authority_is_heard_a_record_s_strings_are_joined_and_none_is_an_answer_too() {
        let stub = Stub::start(Saying::txt(&[&["do", "wn"], &["two"]])).await;
        assert_eq!(asked(&stub, "TXT").await.unwrap(), ["down", "two"]);
        assert_eq!(asked(&stub, "A").await.unwrap(), [""; 0], "values of another type are not what was asked for");
        let none = Stub::start(Saying::code("NXDOMAIN")).await;
        assert_eq!(asked(&none, "TXT").await.unwrap(), [""; 0]);
    }

    #[tokio::test]
    async fn who_does_not_answer_for_the_zone_was_not_heard() {
        for (saying, heard) in [
            (Saying::code("SERVFAIL"), NotHeard::Refused("Server Failure".to_owned())),
            (Saying::code("REFUSED"), NotHeard::Refused("Query Refused".to_owned())),
            (Saying { authoritative: false, ..Saying::txt(&[&["up"]]) }, NotHeard::NotAuthoritative),
            (Saying { is_silent: true, ..Saying::txt(&[&["up"]]) }, NotHeard::Silent),
            (
                Saying { other_id: true, ..Saying::txt(&[&["up"]]) },
                NotHeard::Garbled("another question's number".to_owned()),
            ),
            (
                Saying { other_question: true, ..Saying::txt(&[&["up"]]) },
                NotHeard::Garbled("another question".to_owned()),
            ),
        ] {
            let stub = Stub::start(saying).await;
            assert_eq!(asked(&stub, "TXT").await, Err(heard));
        }
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let dns = Dns::new(None, Resolver::at(Vec::new()));
        assert_eq!(
            dns.ask(&free.into(), &name("example.com"), "TXT").await,
            Err(NotHeard::Silent),
            "nobody listens there"
        );
        let odd = dns.ask(&free.into(), &name("example.com"), "WORDS").await;
        assert_eq!(odd, Err(NotHeard::UnknownKind("WORDS".to_owned())));
    }

    /// Firewalls that let nothing but TCP out, and packets that are lost.
    #[tokio::test]
    async fn what_is_cut_short_or_lost_over_udp_is_asked_again_over_tcp() {
        for saying in [
            Saying { udp_cuts: true, ..Saying::txt(&[&["up"]]) },
            Saying { udp_lost: usize::MAX, ..Saying::txt(&[&["up"]]) },
        ] {
            let stub = Stub::start(saying).await;
            assert_eq!(asked(&stub, "TXT").await.unwrap(), ["up"]);
        }
        let stub = Stub::start(Saying { udp_lost: 1, tcp_closes: true, ..Saying::txt(&[&["up"]]) }).await;
        assert_eq!(asked(&stub, "TXT").await.unwrap(), ["up"], "the second question over UDP is answered");
    }

    #[tokio::test]
    async fn a_zone_s_servers_are_those_of_the_nearest_name_that_has_any() {
        let zone = Saying { only_below: Some("example.com".to_owned()), ..Saying::ns(&["localhost"]) };
        let stub = Stub::start(Saying { authoritative: false, ..zone }).await;
        let dns = Dns::new(None, Resolver::at(vec![stub.address]));
        let servers = dns.servers(&name("_holdfast-endpoint.holdfast.example.com")).await.unwrap();
        assert_eq!(servers, [Server { address: "127.0.0.1:53".parse().ok(), name: "localhost".to_owned() }]);
        assert_eq!(
            stub.asked(),
            ["_holdfast-endpoint.holdfast.example.com. NS", "holdfast.example.com. NS", "example.com. NS"]
        );
        stub.fall_silent();
        let again = dns.servers(&name("_holdfast-endpoint.holdfast.example.com")).await.unwrap();
        assert_eq!(again, servers, "whom one has met one need not look up");
    }

    /// In an outage the resolver may know some of a zone's servers, which lie under four top-level domains, and not others.
    #[tokio::test]
    async fn a_server_whose_address_nobody_knows_counts_and_is_not_heard() {
        let stub = Stub::start(Saying { authoritative: false, ..Saying::ns(&["localhost", "ns.invalid"]) }).await;
        let dns = Dns::new(None, Resolver::at(vec![stub.address]));
        let asked = name("app.example.com");
        let servers = dns.servers(&asked).await.unwrap();
        let lost = Server { address: None, name: "ns.invalid".to_owned() };
        assert_eq!(servers.len(), 2, "{servers:?}");
        assert!(servers.contains(&lost), "{servers:?}");
        assert_eq!(dns.ask(&lost, &asked, "TXT").await, Err(NotHeard::NoAddress));
        // Known once, it stays known.
        let met = Server { address: "192.0.2.1:53".parse().ok(), ..lost };
        let long_ago = Instant::now().checked_sub(2 * KNOWN_FOR).unwrap();
        let known = Known { servers: vec![met.clone()], at: long_ago };
        dns.known.lock().unwrap().insert(asked.clone(), known);
        assert!(dns.servers(&asked).await.unwrap().contains(&met));
    }

    #[tokio::test]
    async fn why_no_server_is_known_is_said() {
        let asked = name("app.example.com");
        let nobody = Dns::new(None, Resolver::at(Vec::new()));
        assert!(matches!(nobody.servers(&asked).await, Err(ServersUnknown::NoResolver(_))));
        let none = Stub::start(Saying::code("NXDOMAIN")).await;
        let no_zone = Dns::new(None, Resolver::at(vec![none.address])).servers(&asked).await;
        assert_eq!(no_zone, Err(ServersUnknown::NoZone(asked.clone())));
        let ill = Stub::start(Saying::code("SERVFAIL")).await;
        let why = NotHeard::Refused("Server Failure".to_owned());
        let unanswered = Dns::new(None, Resolver::at(vec![ill.address])).servers(&asked).await;
        assert_eq!(unanswered, Err(ServersUnknown::Unanswered { name: asked.clone(), why }));
        let bad = Dns::new(Some("127.0.0.1:53,ns1"), Resolver::at(Vec::new())).servers(&asked).await;
        assert_eq!(bad, Err(ServersUnknown::BadVariable("127.0.0.1:53,ns1".to_owned())));
    }

    #[tokio::test]
    async fn given_servers_are_asked_in_place_of_the_zone_s_own() {
        let dns = Dns::new(Some("127.0.0.1:5353, [::1]:53"), Resolver::at(Vec::new()));
        let given = ["127.0.0.1:5353", "[::1]:53"].map(|address| Server::from(address.parse::<SocketAddr>().unwrap()));
        assert_eq!(dns.servers(&name("example.com")).await.unwrap(), given);
    }
}
