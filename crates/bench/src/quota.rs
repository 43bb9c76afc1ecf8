//! A share of a core, as Lambda gives it to a small function: a control group of our own.

use std::io;
use std::path::{Path, PathBuf};

/// "At 1,769 MB, a function has the equivalent of one vCPU" (Lambda developer guide, "Configure Lambda function memory"),
/// and less memory has proportionally less.
const ONE_CORE_MB: u32 = 1_769;
/// The length of a scheduling period; the kernel takes no quota under a millisecond.
const PERIOD_MICROSECONDS: u32 = 20_000;

/// A control group whose processes together get no more than a share of a core. It goes with this value.
#[derive(Debug)]
pub struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// A share like that of a function with so much memory.
    ///
    /// # Errors
    /// If this machine lets us make no control group.
    pub fn of_memory(memory_mb: u32) -> io::Result<Self> {
        let quota = PERIOD_MICROSECONDS * memory_mb / ONE_CORE_MB;
        let is_v2 = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
        let root = if is_v2 { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/cpu" };
        let folder = Path::new(root).join(format!("holdfast-bench-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let group = Self { folder };
        if is_v2 {
            std::fs::write(Path::new(root).join("cgroup.subtree_control"), "+cpu")?;
            group.set("cpu.max", &format!("{quota} {PERIOD_MICROSECONDS}"))?;
        } else {
            group.set("cpu.cfs_period_us", &PERIOD_MICROSECONDS.to_string())?;
            group.set("cpu.cfs_quota_us", &quota.to_string())?;
        }
        Ok(group)
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        std::fs::write(self.folder.join(file), value)
    }

    /// The file to which a process writes its id to join.
    #[must_use]
    pub fn door(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Every process in it has ended by now; what cannot be removed is an empty folder until the next boot.
        let _ = std::fs::remove_dir(&self.folder);
    }
}
