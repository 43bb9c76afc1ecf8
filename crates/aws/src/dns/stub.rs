//! A name server of few words, for tests: it is compiled for them alone, and what fails in it fails them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{NS, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

/// What it says to each question.
#[derive(Clone)]
pub(super) struct Saying {
    pub code: ResponseCode,
    pub values: Vec<RData>,
    pub authoritative: bool,
    pub is_silent: bool,
    pub other_id: bool,
    pub other_question: bool,
    /// Over UDP it says only that there is more.
    pub udp_cuts: bool,
    /// So many questions over UDP go unanswered.
    pub udp_lost: usize,
    pub tcp_closes: bool,
    /// Every other name has no record.
    pub only_below: Option<String>,
}

impl Saying {
    fn values(values: Vec<RData>) -> Self {
        Self {
            code: ResponseCode::NoError,
            values,
            authoritative: true,
            is_silent: false,
            other_id: false,
            other_question: false,
            udp_cuts: false,
            udp_lost: 0,
            tcp_closes: false,
            only_below: None,
        }
    }

    pub fn txt(records: &[&[&str]]) -> Self {
        let txt = |strings: &&[&str]| RData::TXT(TXT::new(strings.iter().map(|&string| string.to_owned()).collect()));
        Self::values(records.iter().map(txt).collect())
    }

    pub fn ns(servers: &[&str]) -> Self {
        Self::values(servers.iter().map(|server| RData::NS(NS(Name::from_ascii(server).unwrap()))).collect())
    }

    pub fn code(code: &str) -> Self {
        let code = match code {
            "NXDOMAIN" => ResponseCode::NXDomain,
            "SERVFAIL" => ResponseCode::ServFail,
            "REFUSED" => ResponseCode::Refused,
            other => panic!("{other}"),
        };
        Self { code, ..Self::values(Vec::new()) }
    }

    fn answer(&self, question: &[u8]) -> Message {
        let asked = Message::from_vec(question).unwrap();
        let query = asked.queries[0].clone();
        let mut answer = Message::response(asked.metadata.id ^ u16::from(self.other_id), OpCode::Query);
        answer.metadata.authoritative = self.authoritative;
        answer.metadata.response_code = self.code;
        if self.only_below.as_ref().is_none_or(|only| query.name().to_ascii() == format!("{only}.")) {
            let records = self.values.iter().map(|value| Record::from_rdata(query.name().clone(), 60, value.clone()));
            answer.add_answers(records);
        }
        let other = Query::query(Name::from_ascii("other.example.").unwrap(), RecordType::TXT);
        answer.add_query(if self.other_question { other } else { query });
        answer
    }
}

/// A server, and what it was asked.
pub(super) struct Stub {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    is_silent: Arc<AtomicBool>,
}

impl Stub {
    pub async fn start(saying: Saying) -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            // A port that is free for TCP may be taken for UDP.
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let is_silent = Arc::new(AtomicBool::new(saying.is_silent));
        tokio::spawn(over_udp(udp, saying.clone(), Arc::clone(&asked), Arc::clone(&is_silent)));
        tokio::spawn(over_tcp(tcp, saying, Arc::clone(&is_silent)));
        Self { address, asked, is_silent }
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub fn fall_silent(&self) {
        self.is_silent.store(true, Ordering::Relaxed);
    }
}

async fn over_udp(udp: UdpSocket, saying: Saying, asked: Arc<Mutex<Vec<String>>>, is_silent: Arc<AtomicBool>) {
    let (mut bytes, mut lost) = ([0; 1_500], 0);
    loop {
        let (length, from) = udp.recv_from(&mut bytes).await.unwrap();
        let question = Message::from_vec(&bytes[..length]).unwrap();
        let query = &question.queries[0];
        asked.lock().unwrap().push(format!("{} {}", query.name().to_ascii(), query.query_type()));
        if is_silent.load(Ordering::Relaxed) || lost < saying.udp_lost {
            lost += 1;
            continue;
        }
        let mut answer = saying.answer(&bytes[..length]);
        if saying.udp_cuts {
            answer = answer.truncate();
        }
        udp.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
    }
}

async fn over_tcp(tcp: TcpListener, saying: Saying, is_silent: Arc<AtomicBool>) {
    loop {
        let (mut stream, _) = tcp.accept().await.unwrap();
        if saying.tcp_closes || is_silent.load(Ordering::Relaxed) {
            continue;
        }
        let mut question = vec![0; stream.read_u16().await.unwrap().into()];
        stream.read_exact(&mut question).await.unwrap();
        let answer = saying.answer(&question).to_vec().unwrap();
        stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
        stream.write_all(&answer).await.unwrap();
    }
}
