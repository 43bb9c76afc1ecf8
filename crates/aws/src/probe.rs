//! Our own health request to a site.

use std::error::Error;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use failover::observation::{Probe, Silence, TlsFault, Unsent};
use rustls::CertificateError;

/// As Route 53's own checkers: four seconds to connect, two more to answer.
const CONNECT: Duration = Duration::from_secs(4);
const ANSWER: Duration = Duration::from_secs(6);

/// Shorter than the time to connect, of which it is a part: a name server that hangs is not the site's silence.
const RESOLVE: Duration = Duration::from_secs(3);

/// Firewalls refuse who does not say who they are: AWS WAF's core rule set has a rule `NoUserAgent_HEADER`.
const USER_AGENT: &str = concat!("Holdfast/", env!("CARGO_PKG_VERSION"), " (health probe)");

/// Someone who can ask a site whether it is alive.
pub trait Prober {
    /// Asks once. Without a URL nobody is asked.
    async fn probe(&self, url: Option<&str>) -> Probe;
}

/// Asks over HTTP or HTTPS, each time on a new connection: an old one might outlive the listener behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpProber;

impl Prober for HttpProber {
    async fn probe(&self, url: Option<&str>) -> Probe {
        let Some(url) = url else { return Probe::NotAsked };
        let Ok(mut request) = HttpRequest::get(url) else { return Probe::NotSent(Unsent::BadUrl) };
        request.headers_mut().insert("user-agent", USER_AGENT);
        request.headers_mut().insert("accept", "*/*");
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_with_resolver(SystemResolver);
        match connector.call(request).await {
            Ok(response) => Probe::of_status(response.status().as_u16()),
            Err(error) => {
                let probe = failure(&error);
                tracing::warn!(url, %probe, why = %in_words(&error), "a site did not answer its probe");
                probe
            }
        }
    }
}

/// Looks names up as the system does, but says which failures are those of the look-up.
#[derive(Clone, Copy, Debug)]
struct SystemResolver;

impl ResolveDns for SystemResolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let name = name.to_owned();
        DnsFuture::new(async move {
            let addresses = tokio::task::spawn_blocking(move || -> io::Result<Vec<IpAddr>> {
                Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
            });
            match tokio::time::timeout(RESOLVE, addresses).await {
                Ok(Ok(Ok(addresses))) => Ok(addresses),
                Ok(Ok(Err(error))) => Err(ResolveDnsError::new(error)),
                Ok(Err(error)) => Err(ResolveDnsError::new(error)),
                Err(too_late) => Err(ResolveDnsError::new(too_late)),
            }
        })
    }
}

/// The error and all its causes. What an `io::Error` carries is not its source, but what it was made of.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn in_words(error: &ConnectorError) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What a failed request says of the site. Whatever is not known to be the site's silence is not taken for it.
fn failure(error: &ConnectorError) -> Probe {
    if cause::<ResolveDnsError>(error).is_some() {
        return Probe::NotSent(Unsent::NameNotResolved);
    }
    if let Some(error) = cause::<rustls::Error>(error) {
        return Probe::TlsFailed(tls_fault(error));
    }
    if error.is_timeout() {
        return Probe::Silent(Silence::TimedOut);
    }
    if error.is_user() {
        return Probe::NotSent(Unsent::BadUrl);
    }
    match causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last() {
        Some(io) => of_io(io.kind()),
        // The SDK's client takes a connection that ends within an answer's head for a passing fault.
        None if error.is_other() && error.as_other().is_some() => Probe::Silent(Silence::ConnectionClosed),
        None if error.is_other() => Probe::NotHttp,
        None => Probe::Silent(Silence::ConnectionClosed),
    }
}

fn of_io(kind: io::ErrorKind) -> Probe {
    use io::ErrorKind as K;
    match kind {
        K::ConnectionRefused => Probe::Silent(Silence::ConnectionRefused),
        K::TimedOut => Probe::Silent(Silence::TimedOut),
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof | K::NotConnected => {
            Probe::Silent(Silence::ConnectionClosed)
        }
        // The request left.
        K::HostUnreachable => Probe::Silent(Silence::HostUnreachable),
        K::NetworkUnreachable | K::NetworkDown | K::AddrNotAvailable | K::PermissionDenied => {
            Probe::NotSent(Unsent::NoRoute)
        }
        _ => Probe::NotSent(Unsent::OurSide),
    }
}

fn tls_fault(error: &rustls::Error) -> TlsFault {
    use CertificateError as C;
    match error {
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => TlsFault::OtherName,
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => TlsFault::UnknownIssuer,
        rustls::Error::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => TlsFault::Expired,
        rustls::Error::InvalidCertificate(_) => TlsFault::Certificate,
        _ => TlsFault::Handshake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::JoinHandle;

    /// Answers one connection with these bytes, and returns what it was asked.
    fn serve(answer: &'static [u8]) -> (SocketAddr, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 2_048];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        (address, server)
    }

    async fn probe(url: String) -> Probe {
        HttpProber.probe(Some(&url)).await
    }

    /// A front that does as AWS WAF's core rule set: whoever does not say who they are is refused.
    #[tokio::test]
    async fn a_probe_says_who_asks_and_what_it_takes() {
        let (address, server) = serve(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(probe(format!("http://{address}/health?deep=1")).await, Probe::Answers);
        let asked = server.join().unwrap().to_lowercase();
        assert!(asked.starts_with("get /health?deep=1 http/1.1\r\n"), "{asked}");
        for header in [&format!("host: {address}"), "user-agent: holdfast/", "accept: */*"] {
            assert!(asked.contains(header), "{header}: {asked}");
        }
    }

    #[tokio::test]
    async fn a_status_line_is_told_from_silence() {
        for (answer, probe_is) in [
            (&b"HTTP/1.1 301 Moved Permanently\r\nlocation: /\r\ncontent-length: 0\r\n\r\n"[..], Probe::Answers),
            (b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", Probe::Refused(401)),
            (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", Probe::Refused(403)),
            (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", Probe::Unwell(503)),
            (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", Probe::NotHttp),
            (b"", Probe::Silent(Silence::ConnectionClosed)),
        ] {
            let (address, server) = serve(answer);
            assert_eq!(probe(format!("http://{address}/")).await, probe_is, "{}", String::from_utf8_lossy(answer));
            server.join().unwrap();
        }
    }

    #[tokio::test]
    async fn what_was_never_sent_and_what_tls_refused_is_no_silence() {
        let (address, server) = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        assert_eq!(probe(format!("https://{address}/")).await, Probe::TlsFailed(TlsFault::Handshake));
        server.join().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(probe(format!("http://{free}/")).await, Probe::Silent(Silence::ConnectionRefused));
        let unknown = "http://there-is-no-such-name.invalid/".to_owned();
        assert_eq!(probe(unknown).await, Probe::NotSent(Unsent::NameNotResolved));
        for bad in ["http://h/a<b>", "http://[bad/"] {
            assert_eq!(probe(bad.to_owned()).await, Probe::NotSent(Unsent::BadUrl), "{bad}");
        }
        assert_eq!(HttpProber.probe(None).await, Probe::NotAsked);
    }

    #[test]
    fn a_certificate_s_fault_is_told() {
        use rustls::Error::InvalidCertificate;
        for (error, fault) in [
            (InvalidCertificate(CertificateError::NotValidForName), TlsFault::OtherName),
            (InvalidCertificate(CertificateError::UnknownIssuer), TlsFault::UnknownIssuer),
            (InvalidCertificate(CertificateError::Expired), TlsFault::Expired),
            (InvalidCertificate(CertificateError::BadEncoding), TlsFault::Certificate),
            (rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure), TlsFault::Handshake),
        ] {
            // As tokio-rustls hands it on.
            let wrapped = io::Error::new(io::ErrorKind::InvalidData, error);
            assert_eq!(failure(&ConnectorError::io(wrapped.into())), Probe::TlsFailed(fault));
        }
    }

    #[test]
    fn no_route_from_here_says_nothing_of_the_site() {
        for (kind, probe) in [
            (io::ErrorKind::NetworkUnreachable, Probe::NotSent(Unsent::NoRoute)),
            (io::ErrorKind::HostUnreachable, Probe::Silent(Silence::HostUnreachable)),
            (io::ErrorKind::OutOfMemory, Probe::NotSent(Unsent::OurSide)),
            (io::ErrorKind::ConnectionReset, Probe::Silent(Silence::ConnectionClosed)),
            (io::ErrorKind::TimedOut, Probe::Silent(Silence::TimedOut)),
        ] {
            assert_eq!(failure(&ConnectorError::io(io::Error::from(kind).into())), probe, "{kind:?}");
        }
    }
}
