//! Where a drill plays.

/// The region that goes down.
pub const PRIMARY: &str = "eu-west-1";
/// The region that takes over.
pub const DR: &str = "eu-central-1";
/// Where Route 53's metrics are, and so the detector.
pub const DETECTOR: &str = "us-east-1";
/// Where somebody is who has nothing to do with the workload.
pub const ELSEWHERE: &str = "eu-north-1";
