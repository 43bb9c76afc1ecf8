//! Which name servers a name has, by the system's resolver: no API of Route 53's, whose control plane may be dark.

use std::net::{IpAddr, SocketAddr};

use failover::name::Name;
use hickory_proto::rr::{RData, RecordType};
use tokio::net::{UdpSocket, lookup_host};

use super::exchange::{Asked, Question};
use super::{NotHeard, Server, ServersUnknown, without_dot};

const RESOLV_CONF: &str = "/etc/resolv.conf";
const DNS_PORT: u16 = 53;

/// The resolvers that the system is told to ask, in its order.
#[derive(Clone, Debug)]
pub(super) struct Resolver(Result<Vec<SocketAddr>, String>);

impl Resolver {
    pub(super) fn of_system() -> Self {
        Self(std::fs::read_to_string(RESOLV_CONF).map(|text| named_in(&text)).map_err(|error| error.to_string()))
    }

    #[cfg(test)]
    pub(super) fn at(addresses: Vec<SocketAddr>) -> Self {
        Self(Ok(addresses))
    }

    /// The name servers of the nearest zone that this name is in.
    pub(super) async fn servers_of(&self, name: &Name) -> Result<Vec<Server>, ServersUnknown> {
        let mut at = name.as_str();
        loop {
            if let Ok(asked) = at.parse() {
                let servers = self.name_servers(&asked).await?;
                if !servers.is_empty() {
                    return addresses_of(servers).await;
                }
            }
            at = at.split_once('.').ok_or_else(|| ServersUnknown::NoZone(name.clone()))?.1;
        }
    }

    /// The names of the servers of exactly this name; none where no zone begins.
    async fn name_servers(&self, name: &Name) -> Result<Vec<String>, ServersUnknown> {
        let resolvers = self.0.as_ref().map_err(|why| ServersUnknown::NoResolver(why.clone()))?;
        let unanswered = |why| ServersUnknown::Unanswered { name: name.clone(), why };
        let question = Question::new(name, RecordType::NS).map_err(unanswered)?;
        let mut last: Option<NotHeard> = None;
        for resolver in resolvers {
            match question.put_to(*resolver, Asked::Resolver).await {
                Ok(answer) => {
                    let servers = answer.answers.iter().filter_map(|record| match &record.data {
                        RData::NS(server) => Some(without_dot(&server.0.to_ascii())),
                        _ => None,
                    });
                    return Ok(servers.collect());
                }
                Err(why) => last = Some(why),
            }
        }
        Err(last.map_or_else(|| ServersUnknown::NoResolver("it has no line nameserver".to_owned()), unanswered))
    }
}

/// "nameserver: Internet address of a name server that the resolver should query" (resolv.conf(5)); a zone index after % is
/// of no use to us.
fn named_in(text: &str) -> Vec<SocketAddr> {
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = servers.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    addresses.map(|address| SocketAddr::from((address, DNS_PORT))).collect()
}

/// All of them, found or not; none twice, though two names may lead to one.
async fn addresses_of(names: Vec<String>) -> Result<Vec<Server>, ServersUnknown> {
    let mut servers = Vec::new();
    for name in names {
        let found: Vec<_> = match lookup_host((name.as_str(), DNS_PORT)).await {
            Ok(found) => found.collect(),
            Err(error) => {
                tracing::warn!(server = name, %error, "a name server's address was not found");
                Vec::new()
            }
        };
        servers.push(Server { address: best_of(found).await, name });
    }
    servers.sort_unstable();
    servers.dedup_by(|one, other| one.address.is_some() && one.address == other.address);
    match servers.iter().all(|server| server.address.is_none()) {
        true => {
            Err(ServersUnknown::NoAddress(servers.into_iter().map(|server| server.name).collect::<Vec<_>>().join(", ")))
        }
        false => Ok(servers),
    }
}

/// A server's address: IPv4 where it has one and a road leads there, since most networks of functions have no IPv6, and a
/// server that cannot be reached from here would look silent.
async fn best_of(mut addresses: Vec<SocketAddr>) -> Option<SocketAddr> {
    addresses.sort_by_key(SocketAddr::is_ipv6);
    for address in &addresses {
        if has_road(*address).await {
            return Some(*address);
        }
    }
    addresses.first().copied()
}

/// Connecting a UDP socket sends nothing; it asks the kernel for a route.
async fn has_road(address: SocketAddr) -> bool {
    let here = if address.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
    match UdpSocket::bind(here).await {
        Ok(socket) => socket.connect(address).await.is_ok(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read_as_libraries_read_it() {
        let text = "# by hand\nsearch example.com\nnameserver 169.254.78.1\n  nameserver\tfd00::2 # second\nnameserver nonsense\n";
        let expected: Vec<SocketAddr> = ["169.254.78.1:53", "[fd00::2]:53"].map(|text| text.parse().unwrap()).into();
        assert_eq!(named_in(text), expected);
    }

    #[tokio::test]
    async fn an_ipv4_address_comes_first() {
        let both = ["[::1]:53", "127.0.0.1:53"].map(|text| text.parse().unwrap());
        assert_eq!(best_of(both.into()).await, Some(both[1]));
        assert_eq!(best_of(Vec::new()).await, None);
    }
}
