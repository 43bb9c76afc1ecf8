//! readiness: looks each hour whether DR's half of the workload could carry users, by the rows of `holdfast readiness`. It holds nothing that
//! can write, and a failover waits for nothing of it.

pub mod handler;
