//! What our own health request to a site came to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What our own health request to a site came to. Only silence and a 5xx say that a site is down; what was refused, what no
/// TLS session carried and what was never sent say nothing about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Probe {
    /// The plan gives no URL.
    #[default]
    NotAsked,
    /// It answered, and well.
    Answers,
    /// It answered with this 5xx status.
    Unwell(u16),
    /// It answered with another status than a healthy one, such as 403 from a firewall or 404 from a wrong path.
    Refused(u16),
    /// It is there, but no TLS session came about.
    TlsFailed(TlsFault),
    /// It answered in something that is not HTTP.
    NotHttp,
    /// The request was sent or tried to be, and no answer came.
    Silent(Silence),
    /// The request never left.
    NotSent(Unsent),
}

/// Why no TLS session came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TlsFault {
    /// The certificate names other hosts.
    OtherName,
    /// The certificate is of nobody that we trust.
    UnknownIssuer,
    /// The certificate has run out, or is not valid yet.
    Expired,
    /// Anything else about the certificate.
    Certificate,
    /// The two sides found no common way to talk.
    Handshake,
}

/// How a site was silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Silence {
    /// Nothing listens there.
    ConnectionRefused,
    /// No connection, or no answer, in time.
    TimedOut,
    /// The connection ended before an answer.
    ConnectionClosed,
    /// A router on the way says that the host is gone.
    HostUnreachable,
}

/// Why a request never left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unsent {
    /// The host name was not resolved.
    NameNotResolved,
    /// There is no way from here to the address, such as IPv6 where the function has IPv4 alone.
    NoRoute,
    /// The URL is none that can be asked.
    BadUrl,
    /// Something else on our own side.
    OurSide,
}

impl Probe {
    /// The site's answer, by Route 53's own rule: it takes 2xx and 3xx as healthy (developer guide, "How Route 53 determines
    /// whether a health check is healthy").
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            200..=399 => Self::Answers,
            500..=599 => Self::Unwell(status),
            _ => Self::Refused(status),
        }
    }

    /// True if it speaks for an outage of the site.
    #[must_use]
    pub fn is_down(self) -> bool {
        matches!(self, Self::Silent(_) | Self::Unwell(_))
    }

    /// True if the site was asked and it is not known whether it is up.
    #[must_use]
    pub fn is_unclear(self) -> bool {
        matches!(self, Self::Refused(_) | Self::TlsFailed(_) | Self::NotHttp | Self::NotSent(_))
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => f.write_str("not asked: the plan gives no URL"),
            Self::Answers => f.write_str("answers"),
            Self::Unwell(status) => write!(f, "unwell: it answers {status}"),
            Self::Refused(status) => write!(f, "refused: it answers {status}, which says neither up nor down"),
            Self::TlsFailed(fault) => {
                write!(f, "TLS failed: {fault}; Route 53's own checkers do not look at certificates")
            }
            Self::NotHttp => f.write_str("not HTTP: something answers there, but not in HTTP"),
            Self::Silent(silence) => write!(f, "silent: {silence}"),
            Self::NotSent(why) => write!(f, "not sent: {why}"),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherName => "the certificate is not for the URL's host name",
            Self::UnknownIssuer => "the certificate is of no public authority",
            Self::Expired => "the certificate has run out, or is not valid yet",
            Self::Certificate => "the certificate was not accepted",
            Self::Handshake => "the handshake broke off",
        })
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionRefused => "nothing listens there",
            Self::TimedOut => "no answer in time",
            Self::ConnectionClosed => "the connection ended before an answer",
            Self::HostUnreachable => "a router on the way says that the host cannot be reached",
        })
    }
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotResolved => "the URL's host name was not resolved",
            Self::NoRoute => "there is no route to it from here",
            Self::BadUrl => "the URL cannot be asked",
            Self::OurSide => "it failed on our own side",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_53_s_rule_says_what_is_well_and_only_a_5xx_is_an_answer_that_speaks_for_an_outage() {
        for (status, probe) in [
            (200, Probe::Answers),
            (204, Probe::Answers),
            (301, Probe::Answers),
            (399, Probe::Answers),
            (400, Probe::Refused(400)),
            (401, Probe::Refused(401)),
            (403, Probe::Refused(403)),
            (404, Probe::Refused(404)),
            (429, Probe::Refused(429)),
            (499, Probe::Refused(499)),
            (500, Probe::Unwell(500)),
            (503, Probe::Unwell(503)),
            (599, Probe::Unwell(599)),
            (600, Probe::Refused(600)),
            (199, Probe::Refused(199)),
        ] {
            assert_eq!(Probe::of_status(status), probe, "{status}");
        }
    }

    #[test]
    fn what_is_not_known_is_neither_up_nor_down() {
        let unclear = [
            Probe::Refused(403),
            Probe::TlsFailed(TlsFault::OtherName),
            Probe::NotHttp,
            Probe::NotSent(Unsent::NameNotResolved),
        ];
        assert!(unclear.iter().all(|probe| probe.is_unclear() && !probe.is_down()));
        let down = [Probe::Unwell(503), Probe::Silent(Silence::TimedOut), Probe::Silent(Silence::ConnectionRefused)];
        assert!(down.iter().all(|probe| probe.is_down() && !probe.is_unclear()));
        assert!([Probe::NotAsked, Probe::Answers].iter().all(|probe| !probe.is_down() && !probe.is_unclear()));
    }
}
