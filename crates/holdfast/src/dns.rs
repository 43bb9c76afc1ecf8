//! What DNS answers now: asked of the zone's own name servers, since resolvers answer from memory.

use std::net::SocketAddr;
use std::time::Duration;

use aws::beside;
use aws::dns::{NameServers as _, Server};
use failover::latch::{Look, Marks};
use failover::name::Name;
use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;

use crate::workload::Workload;

/// For all questions together: where port 53 is blocked nobody waits longer for the rest of the page.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions under way at a time.
const SIDE_BY_SIDE: usize = 50;
const DNS_PORT: u16 = 53;

/// A record set of a zone: its name and type.
pub type Question = (Name, String);

/// What a name server of the zone answers, in the order of the questions; where none answered in time, one sentence for all.
pub async fn answers(
    workload: &Workload,
    zone: &str,
    given: Option<SocketAddr>,
    questions: Vec<Question>,
) -> Result<Vec<String>, String> {
    let asking = async {
        let server = &NameServer::of_zone(workload, zone, given).await?;
        let asked = questions.iter().map(|(name, kind)| server.answer(name, kind));
        Ok(stream::iter(asked).buffered(SIDE_BY_SIDE).collect().await)
    };
    let late =
        || format!("no name server of the zone answered within {} s: is port 53 blocked here?", PATIENCE.as_secs());
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| Err(late()))
}

/// What name servers say of a closed latch, each within a short time; nothing if there is none to ask.
pub async fn of_latch(workload: &Workload) -> Option<Look> {
    let pairs = &workload.plan.latch.as_ref()?.shown.as_ref()?.pairs;
    let limited = async |server: &Server| {
        let asked = tokio::time::timeout(PATIENCE, beside::marks(pairs, &workload.beside, server)).await;
        let silent = || Err("no answer in time".to_owned());
        asked.unwrap_or_else(|_| Marks {
            server: server.to_string(),
            latch: silent(),
            again: silent(),
            switch: silent(),
        })
    };
    let servers = tokio::time::timeout(PATIENCE, workload.beside.servers(&pairs.latch)).await.ok()?.ok()?;
    let marks = join_all(servers.iter().map(limited)).await;
    Some(Look { marks, ..Look::default() })
}

/// Someone to ask.
#[derive(Debug)]
struct NameServer(TokioResolver);

impl NameServer {
    /// The one given, or else one of the zone's own.
    async fn of_zone(workload: &Workload, zone: &str, given: Option<SocketAddr>) -> Result<Self, String> {
        let address = match given {
            Some(address) => address,
            None => first_address(workload, zone).await?,
        };
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].into();
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options();
        builder.build().map(Self).map_err(|error| error.to_string())
    }

    /// The answer in words: addresses, an alias's too, or why there is none.
    async fn answer(&self, name: &Name, kind: &str) -> String {
        let Ok(kind) = kind.parse::<RecordType>() else { return format!("{kind} is not asked for") };
        // A wildcard is no name to ask for; any name below it is.
        let asked = name.to_string().replacen('*', "holdfast-status", 1);
        match self.0.lookup(format!("{asked}."), kind).await {
            Ok(found) => {
                let of_kind = found.answers().iter().filter(|record| record.record_type() == kind);
                of_kind.map(|record| record.data.to_string()).collect::<Vec<_>>().join(", ")
            }
            Err(error) if error.is_no_records_found() => "no answer".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = PATIENCE;
    options.attempts = 1;
    options.cache_size = 0;
    options
}

async fn first_address(workload: &Workload, zone: &str) -> Result<SocketAddr, String> {
    let servers = workload.records.name_servers(zone).await.map_err(|error| error.to_string())?;
    for server in &servers {
        if let Some(address) =
            tokio::net::lookup_host((server.as_str(), DNS_PORT)).await.ok().and_then(|mut all| all.next())
        {
            return Ok(address);
        }
    }
    Err(format!("none of the zone's name servers can be found: {}", servers.join(", ")))
}
