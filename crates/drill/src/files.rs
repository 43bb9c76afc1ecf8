//! What a drill needs of the repository's files. They are in the program, so that a released one needs no checkout.

/// The stack in the DR region.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");
/// The second stack, in us-east-1.
pub const DETECTOR_TEMPLATE: &str = include_str!("../../../detector.yaml");
/// The application's table.
pub(crate) const ORDERS_TABLE: &str = include_str!("../../../examples/warm-standby/orders.sql");
/// What an operator may do.
pub(crate) const OPERATOR_POLICY: &str = include_str!("../../../docs/policies/operator.json");
/// What an approver may do.
pub(crate) const APPROVER_POLICY: &str = include_str!("../../../docs/policies/approver.json");
/// What a schedule may do that begins and ends maintenances.
pub(crate) const MAINTENANCE_POLICY: &str = include_str!("../../../docs/policies/maintenance.json");
/// What somebody may do who looks whether DR could carry users.
pub(crate) const READINESS_POLICY: &str = include_str!("../../../docs/policies/readiness.json");
/// The same for a drill on AWS.
pub(crate) const DRILL_POLICY: &str = include_str!("../../../docs/policies/drill.json");
