//! How a function starts, and what it says if it cannot.

use std::error::Error;
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use failover::plan::{PLAN_VARIABLE, Plan};
use serde_json::json;

use crate::telemetry;

/// Where Lambda's runtime API is.
const RUNTIME_VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

/// The file of trusted certificates, which `template.yaml` names.
const CERTIFICATES_VARIABLE: &str = "SSL_CERT_FILE";

/// The runtime API is on this very machine.
const TELL: Duration = Duration::from_secs(2);

/// A function cannot start. A `main` that fails shows its error's `Debug`, so that is the text.
pub struct CannotStart(String);

impl fmt::Debug for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CannotStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for CannotStart {}

/// What every function begins with: a log, and certificates that are there.
pub fn begin() {
    telemetry::init();
    mend_certificates();
}

/// The plan that the template gives a function.
///
/// # Errors
/// If it is none.
pub async fn plan() -> Result<Plan, CannotStart> {
    needed("PlanRefused", Plan::parse(&std::env::var(PLAN_VARIABLE).unwrap_or_default())).await
}

/// Starts the program anew without a file of certificates that is not there: with it every call to AWS would fail, without it
/// the system's own are found. Nothing to do is the rule.
fn mend_certificates() {
    let Some(file) = std::env::var_os(CERTIFICATES_VARIABLE).filter(|file| !Path::new(file).exists()) else { return };
    tracing::warn!(?file, "{CERTIFICATES_VARIABLE} names a file that is not there; going on without it");
    let Ok(program) = std::env::current_exe() else { return };
    let arguments = std::env::args_os().collect::<Vec<_>>();
    let mut again = Command::new(program);
    if let Some((name, rest)) = arguments.split_first() {
        again.arg0(name).args(rest);
    }
    // Returns only if it fails.
    let error = again.env_remove(CERTIFICATES_VARIABLE).exec();
    tracing::error!(%error, "the program could not be started anew");
}

/// What a function needs to start; or the reason why it cannot, told to the log and to Lambda, which answers whoever invokes the
/// function with it (Lambda developer guide, "Using the Lambda runtime API", initialization error).
///
/// # Errors
/// The reason.
pub async fn needed<T, E: Error>(error_type: &'static str, what: Result<T, E>) -> Result<T, CannotStart> {
    match what {
        Ok(what) => Ok(what),
        Err(error) => {
            let message = error.to_string();
            tracing::error!(error_type, message, "cannot start");
            if let Ok(api) = std::env::var(RUNTIME_VARIABLE) {
                tell_lambda(&api, error_type, &message).await;
            }
            Err(CannotStart(message))
        }
    }
}

async fn tell_lambda(api: &str, error_type: &str, message: &str) {
    let body = json!({"errorType": error_type, "errorMessage": message, "stackTrace": []});
    let Ok(mut request) = HttpRequest::get(format!("http://{api}/2018-06-01/runtime/init/error")) else { return };
    if request.set_method("POST").is_err() {
        return;
    }
    request.headers_mut().insert("content-type", "application/json");
    request.headers_mut().insert("lambda-runtime-function-error-type", error_type.to_owned());
    *request.body_mut() = SdkBody::from(body.to_string());
    let settings = HttpConnectorSettings::builder().connect_timeout(TELL).read_timeout(TELL).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    if let Err(error) = connector.call(request).await {
        tracing::error!(%error, "Lambda could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[tokio::test]
    async fn lambda_is_told_why_a_function_cannot_start() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let runtime = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut told = String::new();
            let mut part = [0; 4_096];
            while !told.contains("stackTrace") {
                let length = stream.read(&mut part).unwrap();
                told.push_str(&String::from_utf8_lossy(&part[..length]));
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
            told
        });
        let refused = Plan::parse(r#"{"mode":"auto"}"#).unwrap_err().to_string();
        tell_lambda(&api, "PlanRefused", &refused).await;
        let told = runtime.join().unwrap();
        assert!(told.starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"), "{told}");
        assert!(told.contains("lambda-runtime-function-error-type: PlanRefused"), "{told}");
        assert!(told.contains("unknown variant `auto`") && told.contains("deploy template.yaml again"), "{told}");
    }

    #[tokio::test]
    async fn a_main_that_fails_shows_the_reason_and_its_remedy() {
        let error = needed("PlanRefused", Plan::parse(r#"{"mode":"auto"}"#)).await.unwrap_err();
        for shown in [format!("{error:?}"), error.to_string()] {
            assert!(
                shown.starts_with("HOLDFAST_PLAN is not a plan") && shown.ends_with("from its parameters"),
                "{shown}"
            );
        }
    }
}
