//! Answers as DNS sends them.

use hickory_server::proto::rr::rdata::{NULL, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};

use super::Answered;
use crate::route53::{Kind, strings_of_txt};

/// SPF's number (RFC 7208, section 3.1); the library has no name for what is obsolete.
const SPF: RecordType = RecordType::Unknown(99);

pub(super) const fn type_of(kind: Kind) -> RecordType {
    match kind {
        Kind::A => RecordType::A,
        Kind::Aaaa => RecordType::AAAA,
        Kind::Caa => RecordType::CAA,
        Kind::Cname => RecordType::CNAME,
        Kind::Ds => RecordType::DS,
        Kind::Https => RecordType::HTTPS,
        Kind::Mx => RecordType::MX,
        Kind::Naptr => RecordType::NAPTR,
        Kind::Ns => RecordType::NS,
        Kind::Ptr => RecordType::PTR,
        Kind::Soa => RecordType::SOA,
        Kind::Spf => SPF,
        Kind::Srv => RecordType::SRV,
        Kind::Sshfp => RecordType::SSHFP,
        Kind::Svcb => RecordType::SVCB,
        Kind::Tlsa => RecordType::TLSA,
        Kind::Txt => RecordType::TXT,
    }
}

/// A record of an answer; none where the library cannot read the value.
pub(super) fn record(answered: &Answered) -> Option<Record> {
    let labels = answered.name.labels().iter();
    let labels = labels.map(|label| label.chars().map(|byte| byte as u8).collect::<Vec<_>>());
    let name = Name::from_labels(labels).ok()?;
    let (kind, value) = (answered.kind, answered.value.as_str());
    let unread = |bytes| RData::Unknown { code: type_of(kind), rdata: NULL::with(bytes) };
    let data = match kind {
        Kind::Txt => {
            let strings = strings_of_txt(value).ok()?;
            RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect()))
        }
        Kind::Spf => unread(
            strings_of_txt(value)
                .ok()?
                .into_iter()
                .flat_map(|string| std::iter::once(string.len() as u8).chain(string))
                .collect(),
        ),
        Kind::Ds => unread(ds(value)?),
        // The library's reader takes a quotation mark only where a field begins.
        Kind::Https | Kind::Svcb => RData::try_from_str(type_of(kind), &value.replace('"', "")).ok()?,
        kind => RData::try_from_str(type_of(kind), value).ok()?,
    };
    Some(Record::from_rdata(name, answered.ttl, data))
}

/// Key tag, algorithm, digest type, digest (RFC 4034, section 5.1).
fn ds(value: &str) -> Option<Vec<u8>> {
    let mut fields = value.split_whitespace();
    let mut bytes = fields.next()?.parse::<u16>().ok()?.to_be_bytes().to_vec();
    bytes.push(fields.next()?.parse().ok()?);
    bytes.push(fields.next()?.parse().ok()?);
    let digits: String = fields.collect();
    for at in (0..digits.len()).step_by(2) {
        bytes.push(u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?);
    }
    Some(bytes)
}
