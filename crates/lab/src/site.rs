//! A web site in a region: a health page, and writes that go to the region's database.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};

use crate::{Lab, rds, regional};

/// All sites.
#[derive(Debug, Default)]
pub struct Sites {
    /// Region and path of the pages that are out of order.
    broken: Mutex<BTreeSet<(String, String)>>,
    /// Database by region, where it is not the one that the region's sites were opened with.
    moved: Mutex<BTreeMap<String, String>>,
}

#[derive(Clone, Debug)]
struct Site {
    lab: Arc<Lab>,
    region: String,
    /// Region and identifier.
    database: rds::Key,
}

impl Sites {
    /// Lets a page of a region's sites answer 503.
    pub fn fail_page(&self, region: &str, path: &str) {
        self.broken().insert((region.to_owned(), path.to_owned()));
    }

    /// Lets a region's sites write to another database of the region.
    pub fn connect(&self, region: &str, database: &str) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).insert(region.to_owned(), database.to_owned());
    }

    fn database_of(&self, site: &Site) -> String {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.get(&site.region).unwrap_or(&site.database.1).clone()
    }

    pub(crate) fn is_broken(&self, region: &str, path: &str) -> bool {
        self.broken().contains(&(region.to_owned(), path.to_owned()))
    }

    /// Mends a page.
    pub fn mend_page(&self, region: &str, path: &str) {
        self.broken().remove(&(region.to_owned(), path.to_owned()));
    }

    fn broken(&self) -> MutexGuard<'_, BTreeSet<(String, String)>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a site for as long as the lab lives: every page answers 200, and `POST /write` takes a write's id as its body, `/write?bytes=` a larger row.
    /// While its region is down, connections are closed unanswered. Returns its address.
    ///
    /// # Errors
    /// If the address is not a loopback address or is taken.
    pub async fn open(
        lab: &Arc<Lab>,
        region: &str,
        address: SocketAddr,
        database: (&str, &str),
    ) -> io::Result<SocketAddr> {
        let database = (database.0.to_owned(), database.1.to_owned());
        let site = Site { lab: lab.clone(), region: region.to_owned(), database };
        // One for all: each probe and each write is a connection of its own.
        let pages = Router::new().route("/write", post(write)).fallback(get(page)).with_state(site);
        regional::open(lab, region, address, move || pages.clone()).await
    }
}

async fn page(State(site): State<Site>, path: Uri) -> (StatusCode, &'static str) {
    if site.lab.sites.is_broken(&site.region, path.path()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "out of order\n");
    }
    (StatusCode::OK, "ok\n")
}

/// A row of `?bytes=` more bytes than its id takes.
async fn write(State(site): State<Site>, to: Uri, id: String) -> (StatusCode, &'static str) {
    if site.lab.sites.is_broken(&site.region, "/write") {
        return (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"closed for writes"}"#);
    }
    let bytes = to.query().and_then(|query| query.strip_prefix("bytes=")?.parse().ok()).unwrap_or_default();
    match rds::commit(&site.lab, &site.database.0, &site.lab.sites.database_of(&site), &id, bytes).await {
        Some(_) => (StatusCode::OK, r#"{"status":"acknowledged"}"#),
        None => (StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"read-only"}"#),
    }
}
