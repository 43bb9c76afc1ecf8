//! Route 53's data plane: authoritative DNS over UDP and TCP.

mod answer;
mod choice;
mod rdata;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::net::runtime::Time;
use hickory_server::net::xfer::Protocol;
use hickory_server::proto::op::{Edns, HeaderCounts, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{LowerName, Name, Record};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo, Server};
use hickory_server::zone_handler::MessageResponseBuilder;
use jiff::Timestamp;
use tokio::net::{TcpListener, UdpSocket};

use self::rdata::{record, type_of};
use crate::Lab;
use crate::fault::Ailment;
use crate::route53::{DnsName, Kind, Route53};

pub use self::answer::{Answer, Answered, Rcode, View};
pub use crate::route53::balancer;

/// "Route 53 assigns four name servers" to each zone (developer guide); the lab's zones share theirs.
const NAME_SERVERS: u32 = 4;
const FREE_PORT_TRIES: u32 = 16;
const TCP_IDLE: Duration = Duration::from_secs(5);
/// Answers that may wait for a slow TCP client.
const TCP_ANSWERS_MAX: usize = 64;
/// What the lab takes over UDP at most (DNS Flag Day 2020).
const UDP_BYTES_MAX: u16 = 1_232;

/// A name server's bound sockets, both on one port.
#[derive(Debug)]
pub struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
    address: SocketAddr,
}

impl Sockets {
    /// Binds the name servers of every zone, each with UDP and TCP, all on the same port: the first at `wanted`, the others at the
    /// loopback addresses after it.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn bind(wanted: SocketAddr) -> io::Result<Vec<Self>> {
        let mut tries = if wanted.port() == 0 { FREE_PORT_TRIES } else { 1 };
        loop {
            tries -= 1;
            match Self::bind_all(wanted).await {
                // A port that is free at one address, or for TCP, may be taken at another, or for UDP.
                Err(error) if tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
                bound => return bound,
            }
        }
    }

    async fn bind_all(wanted: SocketAddr) -> io::Result<Vec<Self>> {
        let mut bound = vec![Self::bind_one(wanted).await?];
        let (first, port) = (wanted.ip(), bound[0].address.port());
        let IpAddr::V4(first) = first else { return Ok(bound) };
        if first.is_loopback() {
            for next in 1..NAME_SERVERS {
                let address = Ipv4Addr::from_bits(first.to_bits().wrapping_add(next));
                bound.push(Self::bind_one(SocketAddr::from((address, port))).await?);
            }
        }
        Ok(bound)
    }

    async fn bind_one(wanted: SocketAddr) -> io::Result<Self> {
        let tcp = TcpListener::bind(wanted).await?;
        let address = tcp.local_addr()?;
        Ok(Self { udp: UdpSocket::bind(address).await?, tcp, address })
    }

    /// Where they listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers queries for as long as the lab lives.
pub async fn serve(lab: Arc<Lab>, sockets: Sockets) {
    let mut server = Server::new(NameServer { lab, address: sockets.address });
    server.register_socket(sockets.udp);
    server.register_listener(sockets.tcp, TCP_IDLE, TCP_ANSWERS_MAX);
    if let Err(error) = server.block_until_done().await {
        eprintln!("lab: DNS stopped: {error}");
    }
}

impl Route53 {
    /// What the name servers answer.
    pub fn resolve(&self, name: &DnsName, kind: Option<Kind>) -> Answer {
        let (state, turn) = (self.state(), self.next_question());
        View { zones: &state.zones, checks: &state.checks, balancers: &state.balancers, turn }.answer(name, kind)
    }

    /// What the name servers answer somebody who asks them; from now on the name counts as one that receives queries.
    fn asked(&self, now: Timestamp, name: &DnsName, kind: Option<Kind>) -> Answer {
        let answer = self.resolve(name, kind);
        if let (Some(kind), false) = (kind, answer.answers.is_empty()) {
            self.state().note_query(now, name.clone(), kind);
        }
        answer
    }
}

struct NameServer {
    lab: Arc<Lab>,
    address: SocketAddr,
}

#[async_trait::async_trait]
impl RequestHandler for NameServer {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut to: R) -> ResponseInfo {
        let ailment = self.lab.faults.of_name_server(self.address);
        if ailment == Some(Ailment::Silent) {
            let mut metadata = Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
            metadata.response_code = ResponseCode::ServFail;
            return hickory_server::proto::op::Header { metadata, counts: HeaderCounts::default() }.into();
        }
        let (code, mut answers, mut authority) = match ailment {
            Some(_) => (ResponseCode::ServFail, Vec::new(), Vec::new()),
            None => self.answer(request),
        };
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.authoritative = !matches!(code, ResponseCode::Refused | ResponseCode::ServFail);
        metadata.recursion_available = false;
        metadata.response_code = code;
        if request.protocol() == Protocol::Udp && bytes(request, &answers, &authority) > bytes_max(request) {
            // All records go, since the library leaves the bytes of those that do not fit behind the message.
            metadata.truncation = true;
            answers.clear();
            authority.clear();
        }
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_BYTES_MAX).set_version(0);
        let mut builder = MessageResponseBuilder::from_message_request(request);
        if request.edns.is_some() {
            builder.edns(&edns);
        }
        let response = builder.build(metadata, &answers, &authority, [], []);
        match to.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                eprintln!("lab: a DNS answer was not sent: {error}");
                let mut metadata = Metadata::new(request.metadata.id, MessageType::Response, OpCode::Query);
                metadata.response_code = ResponseCode::ServFail;
                hickory_server::proto::op::Header { metadata, counts: HeaderCounts::default() }.into()
            }
        }
    }
}

impl NameServer {
    fn answer(&self, request: &Request) -> (ResponseCode, Vec<Record>, Vec<Record>) {
        let nothing = |code| (code, Vec::new(), Vec::new());
        if request.metadata.op_code != OpCode::Query {
            return nothing(ResponseCode::NotImp);
        }
        let Ok(info) = request.request_info() else { return nothing(ResponseCode::FormErr) };
        let name = name_asked(info.query.name());
        let kind = Kind::ALL.into_iter().find(|kind| type_of(*kind) == info.query.query_type());
        let answer = self.lab.route53.asked(self.lab.clock.now(), &name, kind);
        let code = match answer.rcode {
            Rcode::NoError => ResponseCode::NoError,
            Rcode::NxDomain => ResponseCode::NXDomain,
            Rcode::Refused => ResponseCode::Refused,
        };
        let records: Option<Vec<_>> = answer.answers.iter().map(record).collect();
        let soa: Option<Vec<_>> = answer.soa.iter().map(record).collect();
        match (records, soa) {
            (Some(records), Some(soa)) => (code, records, soa),
            // The control plane takes values that are no good for DNS only of types it does not check.
            _ => nothing(ResponseCode::ServFail),
        }
    }
}

/// How long a response with these records is.
fn bytes(request: &Request, answers: &[Record], authority: &[Record]) -> usize {
    let mut message = Message::response(request.metadata.id, OpCode::Query);
    if let Ok(info) = request.request_info() {
        message.add_query(info.query.original().clone());
    }
    message.add_answers(answers.iter().cloned());
    message.add_authorities(authority.iter().cloned());
    // An OPT record without options is eleven bytes (RFC 6891, section 6.1.2).
    message.to_vec().map_or(usize::MAX, |message| message.len() + if request.edns.is_some() { 11 } else { 0 })
}

/// "Messages carried by UDP are restricted to 512 bytes" (RFC 1035, section 4.2.1), unless the asker takes more.
fn bytes_max(request: &Request) -> usize {
    request.edns.as_ref().map_or(512, |edns| edns.max_payload().clamp(512, UDP_BYTES_MAX)).into()
}

fn name_asked(name: &LowerName) -> DnsName {
    let labels = Name::from(name);
    DnsName::from_labels(labels.iter().map(|label| label.iter().map(|byte| char::from(*byte)).collect()).collect())
}
