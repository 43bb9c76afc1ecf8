//! What a person may say beforehand.

use std::path::PathBuf;

use clap::Args;
use failover::name::Name;

/// What is not said is derived, asked at a terminal, or left to be filled in.
#[derive(Clone, Debug, Default, Args)]
pub struct Options {
    /// The hosted zone, by id or by domain; not needed where there is one public zone.
    #[arg(long, value_name = "ID|DOMAIN")]
    pub zone: Option<String>,
    /// A second hosted zone, by id or by domain, whose names fail over together with the first's; not needed where --name says one.
    #[arg(long, value_name = "ID|DOMAIN")]
    pub second_zone: Option<String>,
    /// A name to protect, as in www.example.com, once for each; else every name with a failover pair.
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<Name>,
    /// The primary region; else the one that DR's replicas or the PRIMARY records' targets are in.
    #[arg(long, value_name = "REGION")]
    pub primary_region: Option<String>,
    /// Where DR is for a name with a simple record: addresses, a load balancer's name, or for a CNAME any name.
    #[arg(long = "dr-target", value_name = "NAME=TARGET[,TARGET]", value_parser = dr_target)]
    pub dr_targets: Vec<DrTarget>,
    /// The primary's own endpoint, as in https://app-primary.example.com/health; never the name that fails over.
    #[arg(long, value_name = "URL|HOST")]
    pub endpoint: Option<String>,
    /// URL by which Holdfast itself asks the primary.
    #[arg(long, value_name = "URL")]
    pub primary_probe: Option<String>,
    /// URL by which Holdfast itself asks DR.
    #[arg(long, value_name = "URL")]
    pub dr_probe: Option<String>,
    /// Who is told.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// The stack's output FailoverHealthCheckId, for the change batches; else it is read from a deployed stack.
    #[arg(long, value_name = "ID")]
    pub health_check: Option<String>,
    /// The directory that files are written to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Change or replace files that are there.
    #[arg(long)]
    pub force: bool,
    /// Write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// Where a name's users go in DR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrTarget {
    /// The name.
    pub name: Name,
    /// Addresses and names.
    pub targets: Vec<String>,
}

pub(super) fn dr_target(text: &str) -> Result<DrTarget, String> {
    let (name, targets) = text.split_once('=').ok_or("write it as in www.example.com=198.51.100.1")?;
    let name = name.trim().parse().map_err(|error: failover::name::NameError| error.to_string())?;
    let targets = targets.split(',').map(str::trim).filter(|target| !target.is_empty()).map(str::to_owned);
    let targets: Vec<String> = targets.collect();
    if targets.is_empty() { Err(format!("{name}= says no target")) } else { Ok(DrTarget { name, targets }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dr_target_is_a_name_and_where_it_leads() {
        let read = dr_target("*.example.com= 198.51.100.1,2001:db8::d ").unwrap();
        assert_eq!((read.name.to_string().as_str(), read.targets.len()), ("*.example.com", 2));
        for bad in ["www.example.com", "www.example.com=", "a..b=192.0.2.1"] {
            assert!(dr_target(bad).is_err(), "{bad}");
        }
    }
}
