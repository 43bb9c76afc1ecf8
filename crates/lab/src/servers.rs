//! Real databases: one `mariadbd` or `mysqld` on this machine behind each of RDS's, with its replication through links that can be broken.
//!
//! What happens in a server happens in real time, and while anybody waits for it the lab's clock does too. What takes long in
//! the world (the way of a write to its replica, and a minute until silence is noticed) takes lab time, and is `link`'s.

mod brand;
mod certificates;
mod link;
mod process;
mod server;
mod stream;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use mysql_async::Error as SqlError;

pub use brand::Brand;
use certificates::Authority;
pub(crate) use link::{Ends, Link, Taken};
pub use server::Session;
pub(crate) use server::{Held, Server, Upstream};
use template::Template;

/// Why there is no real database, or it did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not installed.
    #[error("there is no {0} on this machine; docs/databases.md says how to get one")]
    Missing(Brand),
    /// It did not start.
    #[error("a database did not start: {0}")]
    Start(String),
    /// It said no.
    #[error("a database: {0}")]
    Sql(#[from] SqlError),
    /// A file or a socket.
    #[error("a database's files and sockets: {0}")]
    Io(#[from] std::io::Error),
}

impl Brand {
    /// True if such servers can be had on this machine.
    #[must_use]
    pub fn is_installed(self) -> bool {
        self.program().is_some()
    }
}

/// All servers of one lab, and the folder they live in; both end with it.
#[derive(Debug)]
pub(crate) struct Farm {
    template: Template,
    authority: Authority,
    /// By the number that a database of the lab keeps for life.
    servers: Mutex<BTreeMap<u64, Arc<Server>>>,
    // Last: what lives in it ends first.
    home: Home,
}

impl Farm {
    /// Bootstraps the files that every server begins with.
    pub async fn open(brand: Brand) -> Result<Self, Error> {
        let program = brand.program().ok_or(Error::Missing(brand))?;
        let home = Home::make()?;
        let template = Template::make(brand, program, &home.0).await?;
        let authority = Authority::make(&home.0)?;
        Ok(Self { template, authority, servers: Mutex::default(), home })
    }

    /// Whose they are.
    pub fn brand(&self) -> Brand {
        self.template.brand
    }

    /// A server, if there is one of that number.
    pub fn server(&self, number: u64) -> Option<Arc<Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// The file with the certificate that all servers' are signed by.
    pub fn bundle(&self) -> &Path {
        &self.authority.bundle
    }

    /// Every server's number.
    pub fn numbers(&self) -> Vec<u64> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Starts a server with nothing in it but its tables.
    pub async fn start(&self, number: u64, port: u16) -> Result<Arc<Server>, Error> {
        let server = Arc::new(
            Server::start((&self.template, &self.authority), &self.home.0.join(number.to_string()), number, port)
                .await?,
        );
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).insert(number, server.clone());
        Ok(server)
    }

    /// Ends all of it, whoever still holds on to it.
    pub fn close(&self) {
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        servers.values().for_each(|server| server.kill());
        self.home.remove();
    }

    /// Ends a server, and removes what was in it.
    pub fn end(&self, number: u64) {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// A folder of our own for as long as we live; what killed labs left behind is removed with the next one.
#[derive(Debug)]
struct Home(PathBuf);

const PREFIX: &str = "lab-servers-";

impl Home {
    fn make() -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let all = std::env::temp_dir();
        remove_orphans(&all);
        let folder = all.join(format!("{PREFIX}{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }
}

impl Home {
    fn remove(&self) {
        // Somebody removed it before us: all is well.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes the folders of labs whose process is gone.
fn remove_orphans(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner =
            name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next()).and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // It may be somebody else's, or just being removed by another lab.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
