//! An Application Load Balancer with one target, and the connections that clients keep with it.
//!
//! A page that [`crate::site::Sites::fail_page`] breaks is answered by the load balancer itself, as by a rule with a fixed response.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpStream;

use crate::{Lab, regional};

/// "The load balancer failed to establish a connection to the target before the connection timeout expired (10 seconds)" (user guide,
/// troubleshooting, HTTP 504).
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What a load balancer is told.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// Where it is.
    pub region: String,
    /// Who answers.
    pub target: SocketAddr,
    /// `client_keep_alive.seconds`: "the maximum amount of time that ALB will maintain an HTTP connection with a client before closing the
    /// connection" (AWS, March 2024).
    pub client_keep_alive: Duration,
    /// `idle_timeout.timeout_seconds`: how long the target may be silent.
    pub idle_timeout: Duration,
}

#[derive(Clone, Debug)]
struct Connection {
    lab: Arc<Lab>,
    balancer: Arc<Balancer>,
    opened_at: Timestamp,
}

/// Opens it for as long as the lab lives. Returns its address.
///
/// # Errors
/// If the address is not a loopback address or is taken.
pub async fn open(lab: &Arc<Lab>, balancer: Balancer, address: SocketAddr) -> io::Result<SocketAddr> {
    let (region, balancer) = (balancer.region.clone(), Arc::new(balancer));
    let pages = {
        let lab = lab.clone();
        move || {
            let connection = Connection { lab: lab.clone(), balancer: balancer.clone(), opened_at: lab.clock.now() };
            Router::new().fallback(answer).with_state(connection)
        }
    };
    regional::open(lab, &region, address, pages).await
}

async fn answer(State(connection): State<Connection>, request: Request) -> Response<Body> {
    let Connection { lab, balancer, opened_at } = &connection;
    // Lab time goes no faster than the target, which knows only real time.
    let _working = lab.clock.working();
    let is_closed = lab.sites.is_broken(&balancer.region, request.uri().path());
    let answered = if is_closed { Err(StatusCode::SERVICE_UNAVAILABLE) } else { forward(lab, balancer, request).await };
    let mut answer = answered.unwrap_or_else(|status| {
        let mut own = Response::new(Body::from(format!("{status}\n")));
        *own.status_mut() = status;
        own
    });
    // Not verified: AWS does not say how it ends a connection whose time is up. Here the first answer after that is the last.
    let keep_alive = SignedDuration::try_from(balancer.client_keep_alive).unwrap_or(SignedDuration::MAX);
    if lab.clock.now().duration_since(*opened_at) >= keep_alive {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// Each request on a connection of its own. The status is the load balancer's own word: 502 where the target refuses the connection or ends it
/// in the middle, 504 where it is silent.
async fn forward(lab: &Lab, balancer: &Balancer, mut request: Request) -> Result<Response<Body>, StatusCode> {
    let connecting = within(lab, CONNECT_WITHIN, TcpStream::connect(balancer.target)).await?;
    let stream = connecting.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = made.map_err(|_| StatusCode::BAD_GATEWAY)?;
    tokio::spawn(connection);
    strip(request.headers_mut());
    let answer = within(lab, balancer.idle_timeout, sender.send_request(request)).await?;
    let mut answer = answer.map_err(|_| StatusCode::BAD_GATEWAY)?;
    strip(answer.headers_mut());
    Ok(answer.map(Body::new))
}

async fn within<T>(lab: &Lab, limit: Duration, done: impl Future<Output = T>) -> Result<T, StatusCode> {
    tokio::select! {
        biased;
        done = done => Ok(done),
        () = lab.clock.sleep(limit) => Err(StatusCode::GATEWAY_TIMEOUT),
    }
}

/// What is said of the connection on one side is no matter of the other's.
fn strip(headers: &mut HeaderMap) {
    headers.remove(header::CONNECTION);
}
