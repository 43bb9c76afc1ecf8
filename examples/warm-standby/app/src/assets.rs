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
/// What a name may hold as it is; all else could end the path.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket that has one object, and a right to list it as S3 grants it: none.
    async fn bucket() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = async |uri: Uri| match uri.path() {
            "/a%20logo%3F.svg" => (StatusCode::OK, [(header::CONTENT_TYPE, "image/svg+xml")], "<svg/>"),
            "/broken" => (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], ""),
            _ => (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/xml")], "<Error/>"),
        };
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        format!("http://{address}/")
    }

    async fn status(assets: &Assets, name: &str) -> u16 {
        assets.get(name).await.status().as_u16()
    }

    #[tokio::test]
    async fn an_asset_comes_as_it_is_and_what_is_not_there_is_not_found() {
        let assets = Assets { bucket: bucket().await.parse().unwrap(), client: client().unwrap() };
        let found = assets.get("a logo?.svg").await;
        assert_eq!(
            (found.status().as_u16(), &found.headers()[header::CONTENT_TYPE]),
            (200, &"image/svg+xml".parse().unwrap())
        );
        assert_eq!(axum::body::to_bytes(found.into_body(), 100).await.unwrap(), "<svg/>");
        assert_eq!(status(&assets, "another.svg").await, 404, "S3 says 403");
    }

    #[tokio::test]
    async fn a_bucket_that_is_unwell_or_not_there_is_a_bad_gateway() {
        let assets = Assets { bucket: bucket().await.parse().unwrap(), client: client().unwrap() };
        assert_eq!(status(&assets, "broken").await, 502);
        let nowhere = Assets { bucket: "http://127.0.0.1:1/".parse().unwrap(), ..assets };
        assert_eq!(status(&nowhere, "a logo?.svg").await, 502);
    }
}
