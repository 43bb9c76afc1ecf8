//! S3, as far as a web site needs it: a bucket whose objects are put and read over HTTP, and replicated to another region's.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;

use crate::{Lab, regional};

/// A bucket, at an address of its own: `GET` and `PUT` of `/KEY`, by anybody.
#[derive(Debug)]
pub struct Bucket {
    lab: Weak<Lab>,
    region: String,
    state: Mutex<Content>,
}

#[derive(Debug, Default)]
struct Content {
    objects: BTreeMap<String, Object>,
    reads: Vec<(Timestamp, String)>,
    replica: Option<(Arc<Bucket>, Duration)>,
}

#[derive(Clone, Debug)]
struct Object {
    bytes: Bytes,
    written_at: Timestamp,
}

impl Bucket {
    /// Opens an empty bucket for as long as the lab lives, and returns its address besides.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn open(lab: &Arc<Lab>, region: &str) -> io::Result<(Arc<Self>, SocketAddr)> {
        let bucket = Self { lab: Arc::downgrade(lab), region: region.to_owned(), state: Mutex::default() };
        let bucket = Arc::new(bucket);
        let pages = Router::new().route("/{*key}", get(read).put(write)).with_state(bucket.clone());
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let address = regional::open(lab, region, any, move || pages.clone()).await?;
        Ok((bucket, address))
    }

    /// Copies what is put from now on to another bucket, so long after it was put, or as soon as both regions can hear each other. "Amazon S3
    /// does not replicate … objects in the source bucket that are replicas" (user guide, what is replicated): two buckets may replicate to
    /// each other.
    pub fn replicate_to(&self, other: &Arc<Self>, delay: Duration) {
        self.state().replica = Some((other.clone(), delay));
    }

    /// Every object by key.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.state().objects.iter().map(|(key, object)| (key.clone(), object.bytes.clone())).collect()
    }

    /// The access log: when which object was read.
    #[must_use]
    pub fn reads(&self) -> Vec<(Timestamp, String)> {
        self.state().reads.clone()
    }

    fn keep(&self, key: &str, object: &Object) {
        let mut state = self.state();
        // Of two versions the later one stays, whichever arrives first.
        if state.objects.get(key).is_none_or(|known| known.written_at <= object.written_at) {
            state.objects.insert(key.to_owned(), object.clone());
        }
    }

    fn state(&self) -> MutexGuard<'_, Content> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(State(bucket): State<Arc<Bucket>>, Path(key): Path<String>) -> Result<Bytes, StatusCode> {
    let lab = bucket.lab.upgrade().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let mut state = bucket.state();
    let found = state.objects.get(&key).map(|object| object.bytes.clone()).ok_or(StatusCode::NOT_FOUND)?;
    state.reads.push((lab.clock.now(), key));
    Ok(found)
}

async fn write(State(bucket): State<Arc<Bucket>>, Path(key): Path<String>, bytes: Bytes) -> StatusCode {
    let Some(lab) = bucket.lab.upgrade() else { return StatusCode::SERVICE_UNAVAILABLE };
    let object = Object { bytes, written_at: lab.clock.now() };
    bucket.keep(&key, &object);
    let replica = bucket.state().replica.clone();
    if let Some((other, delay)) = replica {
        tokio::spawn(async move {
            lab.clock.sleep(delay).await;
            lab.faults.until(|| lab.faults.connected(&bucket.region, &other.region)).await;
            other.keep(&key, &object);
        });
    }
    StatusCode::OK
}
