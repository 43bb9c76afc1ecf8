//! The application of examples/warm-standby in the lab: in each region a process behind a load balancer, and what it finds there: the endpoint
//! of its database, and a bucket of assets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use lab::elb::listener::{self, Balancer};
use lab::s3::Bucket;
use lab::{Lab, rds};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{DR, DR_ADDRESS, PRIMARY, PRIMARY_ADDRESS, SetupError, Workload};

/// `client_keep_alive.seconds` and `idle_timeout.timeout_seconds` of examples/warm-standby/site.yaml.
pub(crate) const KEEP_ALIVE_SECONDS: u64 = 60;
const IDLE_SECONDS: u64 = 60;
/// How long an object is on its way to the other region. "Most objects replicate within 15 minutes" (S3 user guide); here sooner.
const REPLICATION_SECONDS: u64 = 90;

/// The application's program, as cargo calls it.
const PROGRAM: &str = "orders";

/// Both halves of it, the primary region's first.
#[derive(Debug)]
pub struct Shop {
    /// The buckets of both regions.
    pub buckets: [Arc<Bucket>; 2],
    /// Where people put objects.
    pub buckets_at: [SocketAddr; 2],
    /// They end with this.
    _processes: [Child; 2],
}

/// What is known of it from outside, beside what users saw.
#[derive(Debug)]
pub struct Facts {
    /// Every object of both buckets at the end.
    pub objects: [BTreeMap<String, Vec<u8>>; 2],
    /// How often objects of either were read.
    pub reads: [usize; 2],
    /// The orders in the old primary before the failback began, and those in DR at that moment.
    pub old: BTreeSet<String>,
    /// See there.
    pub new: BTreeSet<String>,
    /// It goes on until the last fact is gathered.
    _shop: Shop,
}

impl Shop {
    /// Starts both processes, and opens the load balancers at the sites' addresses. Returns the port of both, too.
    ///
    /// # Errors
    /// If the program is not there, does not start, or no port is free.
    pub(crate) async fn open(lab: &Arc<Lab>, workload: &Workload, binaries: &Path) -> Result<(Self, u16), SetupError> {
        let program = binaries.join(PROGRAM);
        if !program.is_file() {
            let folder = binaries.display();
            return Err(format!(
                "{folder} has no {PROGRAM}, the application of examples/warm-standby, and no release does: play this scenario in a checkout, by cargo drill"
            )
            .into());
        }
        let database = &workload.databases[0];
        let (primary, primary_at) = Bucket::open(lab, PRIMARY).await?;
        let (dr, dr_at) = Bucket::open(lab, DR).await?;
        let delay = Duration::from_secs(REPLICATION_SECONDS);
        primary.replicate_to(&dr, delay);
        dr.replicate_to(&primary, delay);
        let (in_primary, primary_app) = start(lab, &program, (PRIMARY, &database.source), primary_at).await?;
        let (in_dr, dr_app) = start(lab, &program, (DR, &database.id), dr_at).await?;
        let port = balance(lab, [primary_app, dr_app]).await?;
        let shop = Self { buckets: [primary, dr], buckets_at: [primary_at, dr_at], _processes: [in_primary, in_dr] };
        Ok((shop, port))
    }

    /// What is to be known of it, with the orders that were in its databases.
    #[must_use]
    pub(crate) fn facts(self, [old, new]: [Vec<String>; 2]) -> Facts {
        let objects = |bucket: &Arc<Bucket>| {
            bucket.objects().into_iter().map(|(key, bytes)| (key, bytes.to_vec())).collect::<BTreeMap<_, _>>()
        };
        Facts {
            objects: self.buckets.each_ref().map(objects),
            reads: self.buckets.each_ref().map(|bucket| bucket.reads().len()),
            old: old.into_iter().collect(),
            new: new.into_iter().collect(),
            _shop: self,
        }
    }
}

/// Starts one process; it says where it listens as soon as it does.
async fn start(
    lab: &Arc<Lab>,
    program: &PathBuf,
    (region, database): (&str, &str),
    bucket: SocketAddr,
) -> Result<(Child, SocketAddr), SetupError> {
    let endpoint = rds::open_endpoint(lab, region, database).await?;
    // By setpriv it ends with us, even if we are killed.
    let mut process = Command::new("setpriv")
        .args(["--pdeathsig", "KILL"])
        .arg(program)
        .env_clear()
        .env("DATABASE_URL", format!("mysql://app@{endpoint}/app"))
        .env("ASSETS_URL", format!("http://{bucket}"))
        .env("AWS_REGION", region)
        .env("PORT", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let said = process.stdout.take().ok_or("the application has no output")?;
    let line = BufReader::new(said).lines().next_line().await?.unwrap_or_default();
    let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    Ok((process, address.ok_or_else(|| format!("{} did not start", program.display()))?))
}

/// A load balancer at each site's address, both on one port.
async fn balance(lab: &Arc<Lab>, [primary, dr]: [SocketAddr; 2]) -> Result<u16, SetupError> {
    const ATTEMPTS_MAX: usize = 20;
    let open = async |region: &str, address: IpAddr, port: u16, target: SocketAddr| {
        let client_keep_alive = Duration::from_secs(KEEP_ALIVE_SECONDS);
        let idle_timeout = Duration::from_secs(IDLE_SECONDS);
        let balancer = Balancer { region: region.to_owned(), target, client_keep_alive, idle_timeout };
        listener::open(lab, balancer, SocketAddr::new(address, port)).await
    };
    for _ in 0..ATTEMPTS_MAX {
        let port = open(PRIMARY, PRIMARY_ADDRESS, 0, primary).await?.port();
        // The port may be taken at the other address; then the first stays where nobody looks for it.
        if open(DR, DR_ADDRESS, port, dr).await.is_ok() {
            return Ok(port);
        }
    }
    Err("no port is free at both sites' addresses".into())
}
