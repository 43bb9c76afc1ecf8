//! One look at an endpoint, over a real connection.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tls::Tls;
use crate::clock::Clock;

/// "Route 53 must be able to establish a TCP connection with the endpoint within four seconds" (Developer Guide).
const CONNECT: SignedDuration = SignedDuration::from_secs(4);
/// "The endpoint must respond with an HTTP status code of 2xx or 3xx within two seconds after connecting."
const RESPOND: SignedDuration = SignedDuration::from_secs(2);
/// Real time an answer may take before the lab stops waiting at real speed; lab time alone decides after that.
const PATIENCE: Duration = Duration::from_millis(200);
const STATUS_LINE_BYTES_MAX: usize = 256;

/// What to ask an HTTP endpoint for.
#[derive(Clone, Debug)]
pub struct Get {
    /// The `Host` header.
    pub host: String,
    /// The path.
    pub path: String,
    /// The health check's id, which its checkers tell.
    pub check: String,
    /// How to speak TLS, if so.
    pub tls: Option<Tls>,
}

/// Connects, asks if there is something to ask for, and says what was seen.
///
/// # Errors
/// What was seen, if it is a failure.
pub async fn probe(clock: &Clock, address: SocketAddr, get: Option<&Get>) -> Result<String, String> {
    let connect = within(clock, CONNECT, TcpStream::connect(address)).await;
    let Some(connected) = connect else { return Err("Connection timed out".to_owned()) };
    let stream = connected.map_err(|error| error.to_string())?;
    let Some(get) = get else { return Ok("TCP connection was established".to_owned()) };
    let answer = async {
        match &get.tls {
            Some(tls) => status(tls.handshake(stream).await?, get).await,
            None => status(stream, get).await,
        }
    };
    let Some(answered) = within(clock, RESPOND, answer).await else {
        return Err("The endpoint did not respond within two seconds".to_owned());
    };
    let code = answered?;
    let seen = format!("HTTP Status Code {code}");
    if (200..400).contains(&code) { Ok(seen) } else { Err(seen) }
}

async fn status(mut stream: impl AsyncRead + AsyncWrite + Unpin, get: &Get) -> Result<u16, String> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nUser-Agent: Amazon-Route53-Health-Check-Service (ref {}; report \
         http://amzn.to/1vsZADi)\r\nAccept: */*\r\nAccept-Encoding: *\r\n\r\n",
        get.path, get.host, get.check
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") && line.len() < STATUS_LINE_BYTES_MAX {
        line.push(stream.read_u8().await.map_err(|error| error.to_string())?);
    }
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split_whitespace();
    let code = words.next().filter(|version| version.starts_with("HTTP/1.")).and(words.next());
    code.and_then(|code| code.parse().ok()).ok_or_else(|| format!("not an HTTP answer: {line:?}"))
}

/// Waits for I/O: at real speed for a moment, so that an answer takes as long in lab time as it really took, then as
/// long as lab time allows, so that a black hole does not hold up the time-lapse.
async fn within<T>(clock: &Clock, limit: SignedDuration, io: impl Future<Output = T>) -> Option<T> {
    let deadline = clock.now() + limit;
    let mut io = pin!(io);
    {
        let _working = clock.working();
        tokio::select! {
            biased;
            done = &mut io => return Some(done),
            () = tokio::time::sleep(PATIENCE) => {}
        }
    }
    tokio::select! {
        done = &mut io => Some(done),
        () = clock.sleep_until(deadline) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{CheckType, HealthCheckConfig};
    use tokio::net::TcpListener;

    fn clock() -> Clock {
        Clock::start("2026-01-01T12:00:00Z".parse().unwrap(), 600.0)
    }

    fn get() -> Get {
        Get { host: "app.example.com".to_owned(), path: "/health".to_owned(), check: "c".to_owned(), tls: None }
    }

    /// Accepts one connection, and answers with `answer` if there is one; otherwise keeps silent.
    async fn site(answer: Option<&'static str>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..length]);
            assert!(request.starts_with("GET /health HTTP/1.1\r\nHost: app.example.com\r\n"), "{request}");
            assert!(request.contains("User-Agent: Amazon-Route53-Health-Check-Service (ref c; "), "{request}");
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
        });
        address
    }

    #[tokio::test]
    async fn two_hundreds_and_three_hundreds_are_healthy_and_nothing_else() {
        for (answer, healthy) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.1 302 Found\r\n\r\n", true),
            ("HTTP/1.1 404 Not Found\r\n\r\n", false),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("what?\r\n", false),
        ] {
            let seen = probe(&clock(), site(Some(answer)).await, Some(&get())).await;
            assert_eq!(seen.is_ok(), healthy, "{answer:?} gave {seen:?}");
        }
    }

    /// A site with a certificate that nobody would trust, for another name; the name it was asked for is told.
    async fn tls_site(answer: &'static str) -> (SocketAddr, tokio::sync::oneshot::Receiver<Option<String>>) {
        let made = rcgen::generate_simple_self_signed(["elsewhere.example.net".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let config = tokio_rustls::rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut stream = acceptor.accept(listener.accept().await.unwrap().0).await.unwrap();
            tell.send(stream.get_ref().1.server_name().map(str::to_owned)).unwrap();
            assert!(stream.read(&mut [0; 1024]).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        });
        (address, told)
    }

    fn https(sni: bool) -> Get {
        let name = Some("app.example.com".to_owned());
        let config =
            HealthCheckConfig { fully_qualified_domain_name: name, ..HealthCheckConfig::new(CheckType::Https) };
        Get { tls: Some(Tls::new(&HealthCheckConfig { enable_sni: Some(sni), ..config })), ..get() }
    }

    #[tokio::test]
    async fn over_tls_the_status_counts_and_the_certificate_does_not() {
        for (answer, sni) in [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 No\r\n\r\n", false)] {
            let (address, asked_for) = tls_site(answer).await;
            let seen = probe(&clock(), address, Some(&https(sni))).await;
            assert_eq!(seen.is_ok(), answer.contains("200"), "{seen:?}");
            assert_eq!(asked_for.await.unwrap(), sni.then(|| "app.example.com".to_owned()));
        }
    }

    #[tokio::test]
    async fn a_site_that_speaks_only_tls_1_3_is_unhealthy() {
        let made = rcgen::generate_simple_self_signed(["app.example.com".to_owned()]).unwrap();
        let key = made.signing_key.serialize_der().try_into().unwrap();
        let versions = &[&tokio_rustls::rustls::version::TLS13];
        let config = tokio_rustls::rustls::ServerConfig::builder_with_protocol_versions(versions)
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { drop(acceptor.accept(listener.accept().await.unwrap().0).await) });
        let seen = probe(&clock(), address, Some(&https(true))).await;
        assert!(seen.unwrap_err().contains("TLS"));
    }

    #[tokio::test]
    async fn a_site_that_speaks_no_tls_is_unhealthy_over_tls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        });
        let seen = probe(&clock(), address, Some(&https(true))).await;
        assert!(seen.unwrap_err().contains("TLS"));
    }

    #[tokio::test]
    async fn a_refused_connection_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(probe(&clock(), address, None).await.unwrap_err().contains("refused"));
    }

    #[tokio::test]
    async fn a_silent_site_fails_after_two_lab_seconds_but_soon_in_real_time() {
        let (clock, started) = (clock(), tokio::time::Instant::now());
        let before = clock.now();
        let seen = probe(&clock, site(None).await, Some(&get())).await;
        assert_eq!(seen.unwrap_err(), "The endpoint did not respond within two seconds");
        assert!(clock.now().duration_since(before) >= RESPOND);
        assert!(started.elapsed() < Duration::from_millis(1_500));
    }
}
