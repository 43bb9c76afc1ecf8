//! One question and its answer: over UDP, and over TCP where UDP brings none or only a part.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use failover::name::Name;
use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{self, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::{NotHeard, failed};

const TRIES: usize = 3;
/// Name servers are milliseconds away; a packet that has not come by then is lost.
const UDP_PATIENCE: Duration = Duration::from_secs(1);
/// Two round trips, and an answer.
const TCP_PATIENCE: Duration = Duration::from_millis(1_500);
/// "An EDNS buffer size of 1232 bytes will avoid fragmentation on nearly all current networks" (DNS Flag Day 2020).
const UDP_BYTES_MAX: u16 = 1_232;

/// Whose word is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A server's own.
    Authority,
    /// A resolver's, which asks others.
    Resolver,
}

/// A question that can be put to any server.
#[derive(Debug)]
pub(super) struct Question {
    query: Query,
}

impl Question {
    pub(super) fn new(name: &Name, kind: RecordType) -> Result<Self, NotHeard> {
        let labels: Option<Vec<_>> = name.as_str().split('.').map(octets).collect();
        let wire = labels.and_then(|labels| rr::Name::from_labels(labels.iter().map(Vec::as_slice)).ok());
        let wire = wire.ok_or_else(|| NotHeard::NotSent(format!("{name} is no name that DNS can be asked for")))?;
        Ok(Self { query: Query::query(wire, kind) })
    }

    /// Asks up to three times; the last try's reason is told.
    pub(super) async fn put_to(&self, server: SocketAddr, whose: Asked) -> Result<Message, NotHeard> {
        let mut why = NotHeard::Silent;
        for _ in 0..TRIES {
            match self.once(server, whose).await {
                Ok(answer) => return Ok(answer),
                // Who is no authority now will not be one in a second.
                Err(last @ (NotHeard::NotAuthoritative | NotHeard::NotSent(_))) => return Err(last),
                Err(last) => why = last,
            }
        }
        Err(why)
    }

    async fn once(&self, server: SocketAddr, whose: Asked) -> Result<Message, NotHeard> {
        let asking = self.message(whose);
        match timeout(UDP_PATIENCE, self.over_udp(server, &asking)).await {
            Ok(Ok(answer)) if !answer.metadata.truncation => return judged(answer, whose),
            // No other road leads there either.
            Ok(Err(unsent @ NotHeard::NotSent(_))) => return Err(unsent),
            Ok(Ok(_) | Err(_)) | Err(_) => {}
        }
        match timeout(TCP_PATIENCE, self.over_tcp(server, &asking)).await {
            Ok(answer) => judged(answer?, whose),
            Err(_) => Err(NotHeard::Silent),
        }
    }

    fn message(&self, whose: Asked) -> Message {
        let mut asking = Message::query();
        asking.metadata.recursion_desired = whose == Asked::Resolver;
        asking.add_query(self.query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_BYTES_MAX).set_version(0);
        asking.set_edns(edns);
        asking
    }

    async fn over_udp(&self, server: SocketAddr, asking: &Message) -> Result<Message, NotHeard> {
        let here = match server.ip() {
            IpAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            IpAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(here).await.map_err(|error| failed(&error))?;
        // The kernel then passes on nothing that others send.
        socket.connect(server).await.map_err(|error| failed(&error))?;
        socket.send(&bytes_of(asking)?).await.map_err(|error| failed(&error))?;
        let mut bytes = vec![0; UDP_BYTES_MAX.into()];
        loop {
            let length = socket.recv(&mut bytes).await.map_err(|error| failed(&error))?;
            // A late answer to an earlier question, or a forged one: the right one may still come.
            if let Ok(answer) = self.answer_to(asking, &bytes[..length]) {
                return Ok(answer);
            }
        }
    }

    async fn over_tcp(&self, server: SocketAddr, asking: &Message) -> Result<Message, NotHeard> {
        let bytes = bytes_of(asking)?;
        let length = u16::try_from(bytes.len()).map_err(|error| NotHeard::NotSent(error.to_string()))?;
        let heard = async {
            let mut stream = TcpStream::connect(server).await?;
            // "The message is prefixed with a two byte length field" (RFC 1035, section 4.2.2).
            stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).await?;
            let mut answer = vec![0; stream.read_u16().await?.into()];
            stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        let answer = heard.await.map_err(|error| failed(&error))?;
        self.answer_to(asking, &answer)
    }

    /// The message, if it answers this question and no other.
    fn answer_to(&self, asking: &Message, bytes: &[u8]) -> Result<Message, NotHeard> {
        let answer = Message::from_vec(bytes).map_err(|error| NotHeard::Garbled(error.to_string()))?;
        if answer.metadata.message_type != MessageType::Response {
            return Err(NotHeard::Garbled("a question".to_owned()));
        }
        if answer.metadata.id != asking.metadata.id {
            return Err(NotHeard::Garbled("another question's number".to_owned()));
        }
        if answer.queries != [self.query.clone()] {
            return Err(NotHeard::Garbled("another question".to_owned()));
        }
        Ok(answer)
    }
}

fn bytes_of(message: &Message) -> Result<Vec<u8>, NotHeard> {
    message.to_vec().map_err(|error| NotHeard::NotSent(error.to_string()))
}

/// An answer that says what there is, or that there is nothing.
fn judged(answer: Message, whose: Asked) -> Result<Message, NotHeard> {
    match answer.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        other => return Err(NotHeard::Refused(other.to_str().to_owned())),
    }
    if whose == Asked::Authority && !answer.metadata.authoritative {
        return Err(NotHeard::NotAuthoritative);
    }
    Ok(answer)
}

/// A label of Route 53's form as DNS sends it.
fn octets(label: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(label.len());
    let mut rest = label;
    while let Some(first) = rest.bytes().next() {
        let taken = if first == b'\\' {
            octets.push(u8::from_str_radix(rest.get(1..4)?, 8).ok()?);
            4
        } else {
            octets.push(first);
            1
        };
        rest = rest.get(taken..)?;
    }
    Some(octets)
}
