//! One process of a function, and the Runtime API it speaks.
//!
//! Every process has a Runtime API of its own: `AWS_LAMBDA_RUNTIME_API` is a host and a port, so the port tells them apart.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;

use super::{Function, Outcome};
use crate::Lab;
use crate::arn::arn;
use crate::message::Message;

/// "The Init phase is limited to 10 seconds" (Lambda developer guide, execution environment lifecycle).
const INIT_MAX: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Sandbox {
    child: Child,
    runtime: Arc<Runtime>,
    jobs: mpsc::Sender<Job>,
    /// True unless an invocation was begun and not answered.
    idle: bool,
    crash: Arc<Notify>,
    /// Stops the Runtime API with the sandbox.
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Job {
    request_id: String,
    payload: String,
    deadline: Timestamp,
    answer: oneshot::Sender<Outcome>,
}

#[derive(Debug)]
struct Runtime {
    function_arn: String,
    jobs: tokio::sync::Mutex<mpsc::Receiver<Job>>,
    /// Holds one permit for every time the process asked for work and got none yet.
    asked: Notify,
    running: Mutex<Option<(String, oneshot::Sender<Outcome>)>>,
    init_error: Mutex<Option<Value>>,
}

impl Sandbox {
    pub async fn start(lab: &Arc<Lab>, function: &Function) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (jobs, receiver) = mpsc::channel(1);
        let runtime = Arc::new(Runtime {
            function_arn: function.arn.clone(),
            jobs: tokio::sync::Mutex::new(receiver),
            asked: Notify::new(),
            running: Mutex::default(),
            init_error: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(runtime.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            // It ends with the sandbox, which drops this task.
            let _ = axum::serve(listener, router).await;
        });
        let (access_key, crash) = lab.functions.new_key(function);
        let mut child = Command::new(&function.config.executable)
            .env_clear()
            .envs(environment(lab, function, access_key, &address.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(log(lab.clone(), function.region.clone(), function.config.name.clone(), stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(log(lab.clone(), function.region.clone(), function.config.name.clone(), stderr));
        }
        Ok(Self { child, runtime, jobs, idle: true, crash, _server: server })
    }

    /// True if the process has not ended.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Told when the process is to die.
    pub fn crash(&self) -> Arc<Notify> {
        self.crash.clone()
    }

    /// True if the process can take another invocation.
    pub fn is_idle(&self) -> bool {
        self.idle
    }

    /// Hands the process one invocation and waits for its end.
    pub async fn invoke(&mut self, lab: &Lab, function: &Function, request_id: &str, payload: &Value) -> Outcome {
        self.idle = false;
        let runtime = self.runtime.clone();
        tokio::select! {
            biased;
            () = runtime.asked.notified() => {}
            status = self.child.wait() => return Err(self.ended(request_id, status)),
            () = tokio::time::sleep(INIT_MAX) => {
                return Err(error(request_id, "Sandbox.Timedout", "Error: Init timed out after 10.00 seconds"));
            }
        }
        let timeout = function.config.timeout;
        let (answer, answered) = oneshot::channel();
        let deadline = Timestamp::now() + SignedDuration::try_from(timeout).unwrap_or(SignedDuration::MAX);
        let job = Job { request_id: request_id.to_owned(), payload: payload.to_string(), deadline, answer };
        if self.jobs.send(job).await.is_err() {
            return Err(exited(request_id, "the Runtime API is gone"));
        }
        tokio::select! {
            biased;
            Ok(outcome) = answered => {
                self.idle = true;
                outcome
            }
            status = self.child.wait() => Err(self.ended(request_id, status)),
            () = lab.clock.sleep(timeout) => {
                let message = format!("Error: Task timed out after {:.2} seconds", timeout.as_secs_f64());
                Err(error(request_id, "Sandbox.Timedout", &message))
            }
        }
    }

    fn ended(&self, request_id: &str, status: io::Result<std::process::ExitStatus>) -> Value {
        let told = self.runtime.init_error.lock().unwrap_or_else(PoisonError::into_inner).take();
        told.unwrap_or_else(|| match status {
            Ok(status) => exited(request_id, &status.to_string()),
            Err(error) => exited(request_id, &error.to_string()),
        })
    }
}

/// Lambda's error object for failures that are not the function's own.
pub(super) fn error(request_id: &str, kind: &str, message: &str) -> Value {
    json!({"errorType": kind, "errorMessage": format!("RequestId: {request_id} {message}")})
}

/// The error object for a process that died.
pub(super) fn exited(request_id: &str, how: &str) -> Value {
    error(request_id, "Runtime.ExitError", &format!("Error: Runtime exited with error: {how}"))
}

/// "Defined runtime environment variables" (Lambda developer guide), then the function's own.
fn environment(lab: &Lab, function: &Function, access_key: String, runtime_api: &str) -> Vec<(String, String)> {
    let (name, region) = (&function.config.name, &function.region);
    let defined = [
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.config.memory.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{runtime_api}")),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ACCESS_KEY_ID", access_key),
        ("AWS_SECRET_ACCESS_KEY", "the-lab-checks-no-signatures".to_owned()),
        ("AWS_SESSION_TOKEN", "the-lab-checks-no-tokens".to_owned()),
        ("AWS_ENDPOINT_URL", lab.endpoint_url()),
        (SKEW_VARIABLE, "true".to_owned()),
    ];
    let defined = defined.into_iter().map(|(name, value)| (name.to_owned(), value));
    let own = function.config.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    // It names a file of Lambda's own image; where that is absent, nothing is to be trusted from it.
    let usable = |(name, value): &(String, String)| name != "SSL_CERT_FILE" || Path::new(value).exists();
    defined.chain(lab.functions.common()).chain(own).filter(usable).collect()
}

/// SDKs that correct a clock which differs from the service's try a denial again, for it might be about the time of the signature. In the
/// lab every clock differs, and none matters.
pub const SKEW_VARIABLE: &str = "AWS_DISABLE_CLOCK_SKEW_CORRECTION";

async fn log(lab: Arc<Lab>, region: String, function: String, output: impl AsyncRead + Unpin) {
    // Lambda writes them with the function's own role; without leave there are none.
    let stream = arn("logs", &region, &format!("log-group:/aws/lambda/{function}:log-stream:lab"));
    let may = |action: &str| lab.allow(&function, action, &stream, &region).is_ok();
    let may_begin = may("logs:CreateLogStream");
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !(may_begin && may("logs:PutLogEvents")) {
            continue;
        }
        lab.carry(Message::Line { region: &region, function: &function, line });
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    runtime.asked.notify_one();
    let Some(job) = runtime.jobs.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        (HeaderName::from_static("content-type"), "application/json".to_owned()),
        (HeaderName::from_static("lambda-runtime-aws-request-id"), job.request_id.clone()),
        (HeaderName::from_static("lambda-runtime-deadline-ms"), job.deadline.as_millisecond().to_string()),
        (HeaderName::from_static("lambda-runtime-invoked-function-arn"), runtime.function_arn.clone()),
        (HeaderName::from_static("lambda-runtime-trace-id"), trace_id(&job.request_id, job.deadline)),
    ];
    *runtime.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((job.request_id, job.answer));
    (headers, job.payload).into_response()
}

/// `Root=1-<8 hex digits of time>-<24 hex digits>`, as X-Ray writes it.
fn trace_id(request_id: &str, moment: Timestamp) -> String {
    let unique: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{unique};Sampled=0", moment.as_second())
}

async fn response(State(runtime): State<Arc<Runtime>>, UrlPath(id): UrlPath<String>, body: Bytes) -> Response {
    finish(&runtime, &id, Ok(parse(&body)))
}

async fn failure(State(runtime): State<Arc<Runtime>>, UrlPath(id): UrlPath<String>, body: Bytes) -> Response {
    finish(&runtime, &id, Err(parse(&body)))
}

async fn init_error(State(runtime): State<Arc<Runtime>>, body: Bytes) -> Response {
    *runtime.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(parse(&body));
    accepted()
}

fn finish(runtime: &Runtime, id: &str, outcome: Outcome) -> Response {
    let mut running = runtime.running.lock().unwrap_or_else(PoisonError::into_inner);
    match running.take_if(|(running, _)| running == id) {
        Some((_, answer)) => {
            // Nobody waits any more if the invocation has timed out.
            let _ = answer.send(outcome);
            accepted()
        }
        None => {
            let body = json!({"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"});
            (StatusCode::BAD_REQUEST, body.to_string()).into_response()
        }
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, json!({"status": "OK"}).to_string()).into_response()
}

fn parse(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}
