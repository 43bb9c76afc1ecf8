//! What tests need of Debian.

use std::process::Command;

/// Installs a package of Debian's, where it is missing and this machine lets us.
pub fn install(package: &str, is_there: impl Fn() -> bool) {
    if !is_there() {
        // Somebody else may be installing something.
        let install = format!("apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=600 {package}");
        let installed = Command::new("sh").args(["-c", &install]).output();
        assert!(is_there(), "this test needs a package: apt-get install {package} ({installed:?})");
    }
}
