//! Assets: objects of this region's bucket, read over HTTP. On AWS the bucket's policy lets this network's gateway endpoint read them.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How long the bucket may take to begin its answer.
const WITHIN: Duration = Duration::from_secs(5);
/// What a name may hold as it is; a slash would lead out of the bucket's top.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// HTTP and HTTPS, over kept connections.
pub type Client = HyperClient<HttpsConnector<HttpConnector>, Body>;

/// A client that trusts whom this machine trusts.
///
/// # Errors
/// If this machine trusts nobody.
pub fn client() -> std::io::Result<Client> {
    let tls = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(HyperClient::builder(TokioExecutor::new()).build(tls))
}

/// A bucket.
#[derive(Clone, Debug)]
pub struct Assets {
    /// Its address.
    pub bucket: Uri,
    /// Who asks it.
    pub client: Client,
}

impl Assets {
    /// What the bucket has by that name: 404 if it has nothing, 502 if it does not answer.
    pub async fn get(&self, name: &str) -> Response<Body> {
        // Without the right to list a bucket, S3 answers 403 for what is not there.
        match tokio::time::timeout(WITHIN, self.ask(name)).await.ok().flatten() {
            Some(found) if found.status() == StatusCode::OK => found,
            Some(answer) if [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&answer.status()) => {
                of(StatusCode::NOT_FOUND)
            }
            Some(_) | None => of(StatusCode::BAD_GATEWAY),
        }
    }

    async fn ask(&self, name: &str) -> Option<Response<Body>> {
        let bucket = self.bucket.to_string();
        let object = format!("{}/{}", bucket.trim_end_matches('/'), utf8_percent_encode(name, NAME));
        let (head, body) = self.client.get(object.parse().ok()?).await.ok()?.into_parts();
        let mut answer = Response::new(Body::new(body));
        *answer.status_mut() = head.status;
        let kind = head.headers.get(header::CONTENT_TYPE).cloned();
        let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(answer)
    }
}

fn of(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
