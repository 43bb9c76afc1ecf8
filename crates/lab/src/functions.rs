//! Lambda: functions are processes that speak the Runtime API; asynchronous invocations are retried and have destinations.

mod api;
mod asynchronous;
pub mod mappings;
mod sandbox;
mod tags;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::Lab;
use crate::arn::{Arn, arn};
use crate::journal::What;
use crate::message::Message;
use crate::wire::Refusal;

pub use api::answer;
pub(crate) use api::{arn_in, name_of, refuse};
pub use asynchronous::invoke_async;
pub use sandbox::SKEW_VARIABLE;
use sandbox::Sandbox;
pub(crate) use tags::keys_in as tag_keys_in;

/// What a function is made of.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// Name.
    pub name: String,
    /// The executable behind it: what Lambda calls the bootstrap.
    pub executable: PathBuf,
    /// Its own environment variables.
    pub environment: BTreeMap<String, String>,
    /// After which a running invocation is killed.
    pub timeout: Duration,
    /// MB; only told to the function.
    pub memory: u32,
    /// Retries of a failed asynchronous invocation.
    pub retries: u32,
    /// Age at which an asynchronous event is given up.
    pub event_age_max: Duration,
    /// ARN that is told of asynchronous successes.
    pub on_success: Option<String>,
    /// ARN that is told of asynchronous failures.
    pub on_failure: Option<String>,
    /// How many invocations may run at once; the lab's account has no other limit.
    pub reserved_concurrency: Option<u32>,
}

impl FunctionConfig {
    /// A function with Lambda's defaults.
    pub fn new(name: &str, executable: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            executable,
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory: 128,
            retries: 2,
            event_age_max: Duration::from_secs(6 * 3600),
            on_success: None,
            on_failure: None,
            reserved_concurrency: None,
        }
    }
}

/// What an invocation came to: what the function returned, or its error object.
pub type Outcome = Result<Value, Value>;

/// The service's state in every region.
#[derive(Debug, Default)]
pub struct Functions {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By ARN.
    functions: BTreeMap<String, Arc<Function>>,
    /// By ARN.
    mappings: BTreeMap<String, mappings::Mapping>,
    /// By ARN, of functions and of mappings.
    tags: BTreeMap<String, BTreeMap<String, String>>,
    /// What every function's environment has besides its own.
    common: BTreeMap<String, String>,
    /// By access key id: every process has credentials of its own, as on AWS.
    keys: BTreeMap<String, Process>,
}

/// One process of a function, known by its credentials.
#[derive(Clone, Debug)]
pub struct Process {
    /// The function's name.
    pub function: String,
    /// The function's region.
    pub region: String,
    crash: Arc<Notify>,
}

#[derive(Debug)]
struct Function {
    arn: String,
    region: String,
    config: FunctionConfig,
    /// Warm processes with nothing to do.
    idle: Mutex<Vec<Sandbox>>,
    /// How many invocations run now.
    running: Arc<AtomicU32>,
}

impl Functions {
    /// Creates a function, or replaces its code and configuration; returns its ARN.
    ///
    /// # Errors
    /// If there is no such executable, or a destination is of a kind Lambda does not have.
    pub fn create(lab: &Arc<Lab>, region: &str, config: FunctionConfig) -> Result<String, Refusal> {
        if !config.executable.is_file() {
            let message = format!("there is no executable {}", config.executable.display());
            return Err(Refusal::bad_request("InvalidParameterValueException", message));
        }
        for destination in config.on_success.iter().chain(&config.on_failure) {
            if !Arn::parse(destination).is_some_and(|arn| matches!(arn.service, "events" | "sqs" | "sns" | "lambda")) {
                return Err(Refusal::unsupported(format!("the destination {destination}")));
            }
        }
        let arn = arn("lambda", region, &format!("function:{}", config.name));
        let function = Function {
            arn: arn.clone(),
            region: region.to_owned(),
            config,
            idle: Mutex::default(),
            running: Arc::default(),
        };
        lab.functions.state().functions.insert(arn.clone(), Arc::new(function));
        Ok(arn)
    }

    /// Gives every function an environment variable that neither Lambda nor its template does, such as where a service of the lab is that
    /// AWS's SDKs do not ask.
    pub fn give_all(&self, variable: &str, value: String) {
        self.state().common.insert(variable.to_owned(), value);
    }

    fn common(&self) -> BTreeMap<String, String> {
        self.state().common.clone()
    }

    /// True if there is such a function.
    pub fn exists(&self, function_arn: &str) -> bool {
        self.find(function_arn).is_some()
    }

    /// The function's own environment variables.
    pub fn environment(&self, function_arn: &str) -> Option<BTreeMap<String, String>> {
        self.find(function_arn).map(|function| function.config.environment.clone())
    }

    /// The tags of a function, or of an event source mapping.
    pub fn tags(&self, arn: &str) -> BTreeMap<String, String> {
        self.state().tags.get(arn).cloned().unwrap_or_default()
    }

    /// After which a running invocation is killed.
    pub fn timeout(&self, function_arn: &str) -> Option<Duration> {
        self.find(function_arn).map(|function| function.config.timeout)
    }

    /// The process whose credentials carry this access key id.
    pub fn process_of_key(&self, key: &str) -> Option<Process> {
        self.state().keys.get(key).cloned()
    }

    /// True if any region has a function of this name.
    pub fn is_named(&self, name: &str) -> bool {
        self.state().functions.values().any(|function| function.config.name == name)
    }

    /// Kills the function's running invocations, as if their processes had died.
    pub fn crash(&self, name: &str) {
        self.state().keys.values().filter(|process| process.function == name).for_each(Process::crash);
    }

    /// Makes credentials for a new process.
    fn new_key(&self, function: &Function) -> (String, Arc<Notify>) {
        let mut state = self.state();
        // Temporary credentials' key ids begin with ASIA and are twenty characters long.
        let key = format!("ASIALABPROCESS{:06}", state.keys.len());
        let crash = Arc::new(Notify::new());
        let process =
            Process { function: function.config.name.clone(), region: function.region.clone(), crash: crash.clone() };
        state.keys.insert(key.clone(), process);
        (key, crash)
    }

    fn find(&self, function_arn: &str) -> Option<Arc<Function>> {
        let unqualified = function_arn.strip_suffix(":$LATEST").unwrap_or(function_arn);
        self.state().functions.get(unqualified).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Kills the process if an invocation is running in it.
    pub fn crash(&self) {
        self.crash.notify_waiters();
    }
}

impl Function {
    fn idle(&self) -> MutexGuard<'_, Vec<Sandbox>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A warm process that still lives.
    fn warm(&self) -> Option<Sandbox> {
        let mut idle = self.idle();
        while let Some(mut sandbox) = idle.pop() {
            if sandbox.lives() {
                return Some(sandbox);
            }
        }
        None
    }
}

/// An invocation that was not begun, since as many ran as the function's reserved concurrency allows.
struct Throttled;

/// One of the invocations that may run at once.
struct Place(Arc<AtomicU32>);

impl Place {
    fn take(function: &Function) -> Result<Self, Throttled> {
        let place = Self(function.running.clone());
        let before = place.0.fetch_add(1, Ordering::SeqCst);
        match function.config.reserved_concurrency {
            Some(most) if before >= most => Err(Throttled),
            _ => Ok(place),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs one invocation to its end, in a warm process or a new one.
async fn invoke(
    lab: &Arc<Lab>,
    function: &Arc<Function>,
    request_id: &str,
    payload: &Value,
) -> Result<Outcome, Throttled> {
    let _place = Place::take(function).inspect_err(|_| measure(lab, function, &[("Throttles", 1.0)]))?;
    let working = lab.clock.working();
    let began = lab.clock.now();
    let outcome = attempt(lab, function, request_id, payload).await;
    let took = lab.clock.now().duration_since(began);
    let succeeded = outcome.is_ok();
    let response = match &outcome {
        Ok(response) | Err(response) => response.clone(),
    };
    lab.record(What::Invocation {
        function: function.config.name.clone(),
        request_id: request_id.to_owned(),
        request: payload.clone(),
        response,
        succeeded,
    });
    drop(working);
    let errors = if succeeded { 0.0 } else { 1.0 };
    let milliseconds = took.as_secs_f64() * 1000.0;
    measure(lab, function, &[("Invocations", 1.0), ("Errors", errors), ("Duration", milliseconds), ("Throttles", 0.0)]);
    Ok(outcome)
}

/// Lambda's own metrics of a function.
fn measure(lab: &Arc<Lab>, function: &Function, metrics: &[(&str, f64)]) {
    let dimensions = [("FunctionName", function.config.name.as_str())];
    for (metric, value) in metrics {
        lab.carry(Message::Datum {
            region: &function.region,
            namespace: "AWS/Lambda",
            metric,
            dimensions: &dimensions,
            value: *value,
            at: lab.clock.now(),
        });
    }
}

async fn attempt(lab: &Arc<Lab>, function: &Arc<Function>, request_id: &str, payload: &Value) -> Outcome {
    let mut sandbox = match function.warm() {
        Some(sandbox) => sandbox,
        None => Sandbox::start(lab, function).await.map_err(|error| {
            sandbox::error(request_id, "Runtime.InvalidEntrypoint", &format!("cannot start: {error}"))
        })?,
    };
    let crash = sandbox.crash();
    let outcome = tokio::select! {
        outcome = sandbox.invoke(lab, function, request_id, payload) => outcome,
        () = crash.notified() => Err(sandbox::exited(request_id, "signal: killed")),
        () = lab.faults.until_down(&function.region) => Err(sandbox::exited(request_id, "the region is down")),
    };
    // A function's own error leaves the process warm; anything else has ended it or ends it here.
    if sandbox.is_idle() {
        function.idle().push(sandbox);
    }
    outcome
}
