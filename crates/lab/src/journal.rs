//! What happened in the lab, in order: the evidence from which drills judge.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast;

/// One thing that happened, and when in lab time.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Lab time.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// Everything the journal records.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// An API call and how it was answered.
    Call {
        /// Who called: the function's name, or the access key of anyone else.
        caller: String,
        /// ARN of the role it was made as, if one was assumed for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The region the request was signed for.
        region: String,
        /// The service's signing name: `route53`, `rds`, …
        service: String,
        /// The API's name for the call: `ChangeResourceRecordSets`, …
        action: String,
        /// What it was about: a zone, a cluster, a topic; an ARN where the service has one.
        resource: String,
        /// HTTP status of the service's answer, whether or not it reached the caller; 0 if the call never reached the service.
        status: u16,
        /// AWS's error code, if it was refused.
        error: Option<String>,
    },
    /// A Route 53 change was applied to the zone (`PENDING`), or has reached every name server (`INSYNC`).
    Change {
        /// Change id, without `/change/`.
        id: String,
        /// Hosted zone id.
        zone: String,
        /// `PENDING` or `INSYNC`.
        status: String,
        /// The names whose record sets it altered, without trailing dot.
        names: Vec<String>,
    },
    /// A health check turned.
    HealthCheck {
        /// Health check id.
        id: String,
        /// Its `Name` tag, or the id.
        name: String,
        /// What it now says.
        healthy: bool,
    },
    /// An alarm changed state.
    Alarm {
        /// Region of the alarm.
        region: String,
        /// Alarm name.
        name: String,
        /// State before.
        from: String,
        /// State now.
        to: String,
        /// CloudWatch's reason.
        reason: String,
    },
    /// An event was put on a bus.
    Event {
        /// Region of the bus.
        region: String,
        /// Bus name.
        bus: String,
        /// Event source.
        source: String,
        /// Detail type.
        detail_type: String,
        /// Event id.
        id: String,
        /// The whole event.
        event: serde_json::Value,
    },
    /// A function's invocation ended.
    Invocation {
        /// Function name.
        function: String,
        /// Request id.
        request_id: String,
        /// The payload it was given.
        request: serde_json::Value,
        /// What it returned, or its error object.
        response: serde_json::Value,
        /// True if it returned, false if it failed, timed out or died.
        succeeded: bool,
    },
    /// A line a function wrote to its log.
    Log {
        /// Function name.
        function: String,
        /// The line.
        line: String,
    },
    /// A message was delivered to a subscriber.
    Mail {
        /// Topic ARN.
        topic: String,
        /// Subscription endpoint.
        to: String,
        /// Subject, if any.
        subject: Option<String>,
        /// Body.
        body: String,
    },
    /// A message reached a queue.
    Queued {
        /// Queue ARN.
        queue: String,
        /// Body.
        body: String,
    },
    /// A database changed status or role.
    Database {
        /// Region.
        region: String,
        /// Cluster or instance identifier.
        id: String,
        /// RDS status.
        status: String,
        /// True once it accepts writes.
        writable: bool,
    },
    /// Someone did something to the lab: an outage, a heal, a lost event.
    Fault {
        /// What was done, in words.
        what: String,
    },
}

/// The journal: append, read back, follow.
#[derive(Debug)]
pub struct Journal {
    entries: Mutex<Vec<Arc<Entry>>>,
    followers: broadcast::Sender<Arc<Entry>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { entries: Mutex::default(), followers: broadcast::channel(4096).0 }
    }
}

impl Journal {
    /// Appends an entry.
    pub fn record(&self, at: Timestamp, what: What) {
        let entry = Arc::new(Entry { at, what });
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&entry));
        // An error only says that nobody follows.
        let _ = self.followers.send(entry);
    }

    /// Everything so far. Whoever waits for something asks again and again, so nothing is copied.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything from now on.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.followers.subscribe()
    }
}
