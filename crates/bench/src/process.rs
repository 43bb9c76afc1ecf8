//! One process of a function and the Runtime API it speaks, with a stop-watch on both.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::Failure;
use crate::quota::Quota;

/// Longer than the slowest start under the smallest quota; then something is wrong.
const PATIENCE: Duration = Duration::from_secs(180);

/// The process waits in the control group until it is told to go, so that neither the shell nor the move is measured.
const GATE: &str = r#"[ -z "$DOOR" ] || echo $$ > "$DOOR"; unset DOOR; echo ready; read -r _; exec "$@" </dev/null"#;

/// What the process said to the Runtime API.
#[derive(Debug)]
enum Said {
    Next(Instant),
    Returned(Instant, Result<Value, Value>),
}

#[derive(Debug)]
struct Api {
    said: UnboundedSender<Said>,
    events: tokio::sync::Mutex<UnboundedReceiver<String>>,
    timeout: SignedDuration,
}

/// A running function.
#[derive(Debug)]
pub struct Process {
    child: Child,
    events: UnboundedSender<String>,
    said: UnboundedReceiver<Said>,
    _server: JoinSet<()>,
}

/// How a function is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// Its whole environment, but for the Runtime API's address.
    pub environment: BTreeMap<String, OsString>,
    /// After which Lambda would kill an invocation.
    pub timeout: SignedDuration,
}

impl Process {
    /// Starts a process; how long it took until it asked for its first event.
    ///
    /// # Errors
    /// If it does not get there.
    pub async fn start(launch: &Launch, quota: Option<&Quota>) -> Result<(Self, Duration), Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (events, given) = mpsc::unbounded_channel();
        let (told, said) = mpsc::unbounded_channel();
        let api = Arc::new(Api { said: told, events: given.into(), timeout: launch.timeout });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, api));
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(GATE).arg("gate").args(&launch.command);
        command.env_clear().envs(&launch.environment).env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        if let Some(quota) = quota {
            command.env("DOOR", quota.door());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err("the process has no pipes".into());
        };
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut String::new()).await?;
        // Like Lambda, someone reads what the function logs.
        server.spawn(drain(stdout));
        server.spawn(tell(stderr));
        // So that the first period is a whole one.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let begun = Instant::now();
        stdin.write_all(b"go\n").await?;
        let mut process = Self { child, events, said, _server: server };
        let ready = process.asked().await?;
        Ok((process, ready - begun))
    }

    async fn hear(&mut self) -> Result<Said, Failure> {
        tokio::select! {
            said = self.said.recv() => said.ok_or_else(|| "the Runtime API is gone".into()),
            status = self.child.wait() => Err(format!("the process ended: {:?}", status).into()),
            () = tokio::time::sleep(PATIENCE) => Err(format!("the process said nothing for {PATIENCE:?}").into()),
        }
    }

    async fn asked(&mut self) -> Result<Instant, Failure> {
        match self.hear().await? {
            Said::Next(at) => Ok(at),
            Said::Returned(_, outcome) => Err(format!("an answer that nobody asked for: {outcome:?}").into()),
        }
    }

    /// Gives it an event; what it returned and how long that took. The process has asked for the next by then.
    ///
    /// # Errors
    /// If it fails, or dies.
    pub async fn invoke(&mut self, event: &Value) -> Result<(Value, Duration), Failure> {
        let event = event.to_string();
        let begun = Instant::now();
        self.events.send(event)?;
        let (at, outcome) = match self.hear().await? {
            Said::Returned(at, outcome) => (at, outcome),
            Said::Next(_) => return Err("the function asked for an event before it had answered the last".into()),
        };
        self.asked().await?;
        Ok((outcome.map_err(|error| format!("the function failed: {error}"))?, at - begun))
    }

    /// The most memory it ever held, in KiB.
    ///
    /// # Errors
    /// If the kernel does not say.
    pub fn memory_kib_max(&self) -> Result<u64, Failure> {
        let id = self.child.id().ok_or("the process has ended")?;
        let status = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Kills it, and waits until it is gone: a control group must be empty to be removed.
    ///
    /// # Errors
    /// If it cannot be killed.
    pub async fn end(mut self) -> Result<(), Failure> {
        Ok(self.child.kill().await?)
    }
}

async fn drain(mut output: impl AsyncRead + Unpin) {
    let mut discarded = [0; 8192];
    while matches!(output.read(&mut discarded).await, Ok(1..)) {}
}

/// What a function says on standard error is trouble that whoever runs the benchmark must see.
async fn tell(output: impl AsyncRead + Unpin) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        eprintln!("    {line}");
    }
}

async fn serve(listener: TcpListener, api: Arc<Api>) {
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(api);
    // It ends with the process, which drops this task.
    let _ = axum::serve(listener, router).await;
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    let _ = api.said.send(Said::Next(Instant::now()));
    let Some(event) = api.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let deadline = (Timestamp::now() + api.timeout).as_millisecond();
    let header = HeaderName::from_static;
    let headers = [
        (header("content-type"), "application/json".to_owned()),
        (header("lambda-runtime-aws-request-id"), "3d1b6c2a-5f0e-4a7b-9c55-0123456789ab".to_owned()),
        (header("lambda-runtime-deadline-ms"), deadline.to_string()),
        (header("lambda-runtime-invoked-function-arn"), "arn:aws:lambda:eu-central-1:1:function:bench".to_owned()),
        (header("lambda-runtime-trace-id"), "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0".to_owned()),
    ];
    (headers, event).into_response()
}

async fn response(State(api): State<Arc<Api>>, UrlPath(_): UrlPath<String>, body: Bytes) -> StatusCode {
    returned(&api, Ok(parse(&body)))
}

async fn failure(State(api): State<Arc<Api>>, UrlPath(_): UrlPath<String>, body: Bytes) -> StatusCode {
    returned(&api, Err(parse(&body)))
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    returned(&api, Err(parse(&body)))
}

fn returned(api: &Api, outcome: Result<Value, Value>) -> StatusCode {
    // Nobody listens any more only once the process is being killed.
    let _ = api.said.send(Said::Returned(Instant::now(), outcome));
    StatusCode::ACCEPTED
}

fn parse(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}
