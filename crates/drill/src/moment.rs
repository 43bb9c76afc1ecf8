//! What a scenario does and a check asks about: by these words in the journal the moment is found.

use crate::stage::NAMES;

/// How the journal notes a stack's update.
pub(crate) const UPDATED: &str = "somebody updates the responder's stack";

/// How the journal notes that it takes over what the detector did.
pub(crate) const TO_ONE_STACK: &str = "the DR region's stack gets what the detector was given";

/// What a page shows.
pub(crate) const PICTURE: &str = "logo.svg";

/// What somebody adds while DR serves.
pub(crate) const ADDED_IN_DR: &str = "catalogue.pdf";

/// How the journal notes that us-east-1 is dark.
pub(crate) const DARK: &str = "us-east-1 goes dark: Route 53's API and CloudWatch there";

/// How it notes that it is not any more.
pub(crate) const LIGHT: &str = "us-east-1 is back";

/// How the journal notes that the link gets slow.
pub(crate) const LINK_SLOW: &str = "the link to DR carries 25 kB/s, and a job writes 100 kB/s";

/// How the journal notes that the replica's table is locked.
pub(crate) const TABLE_LOCKED: &str = "a backup of the replica locks its table: what arrives there is not applied";

/// How the journal notes that a transaction is on its way.
pub(crate) const LINK_OF_TRANSACTION: &str =
    "the link to DR carries 25 kB/s, and a job commits 2 MB in one transaction";

/// How the journal notes that the link falls silent.
pub(crate) const LINK_SILENT: &str = "the link to DR falls silent, and nobody is told";

/// How the journal notes that the functions die.
pub(crate) const FUNCTIONS_DIE: &str = "every function dies at its first call";

/// How the journal notes that DR's CloudWatch is dark.
pub(crate) const METRICS_DARK: &str = "DR's CloudWatch falls silent";

/// The name that is protected, or whose load balancer counts.
pub(crate) const ODD_NAME: &str = NAMES[2];

/// The comment of the protection.
pub(crate) const PROTECTED_BECAUSE: &str = "owned by the network team: NET-1234";

/// How the journal notes that the protection is gone.
pub(crate) const UNPROTECTED: &str = "somebody deletes the protection";

/// How the journal notes that the load balancer's targets fail.
pub(crate) const TARGETS_FAIL: &str = "every target of the primary's load balancer is unhealthy";

/// How the journal notes that the name servers fail.
pub(crate) const SERVERS_FAIL: &str = "three of the four name servers fail";

/// How the journal notes that nothing answers any more.
pub(crate) const NOTHING_ANSWERS: &str = "nobody answers a request of the DR region's functions";

/// What is said when the control plane is back, for the check that nothing was done before.
pub(crate) const CONTROL_PLANE_BACK: &str = "the control plane of Route 53 is back";

/// How often users go to DR and come home.
pub(crate) const ROUND_TRIPS: usize = 3;
