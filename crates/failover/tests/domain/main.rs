//! The domain: each rule, each text and each change, from observation to what is written. One test program, since each
//! mutant of `cargo mutants` is built together with all of it.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows tests by #[test] only")]

mod adopting;
mod after_list;
mod changes;
mod common;
mod evidence;
mod failback_rules;
mod failures;
mod fence_rules;
mod global_rules;
mod latch;
mod listing;
mod messages;
mod oracle;
mod orders;
mod peace_rules;
mod pin_cases;
mod pin_rules;
mod positions;
mod promotion_rules;
mod readiness_page;
mod rebuild_steps;
mod record_types;
mod rehearsals;
mod repeats;
mod replica_rules;
mod rules_page;
mod senders;
mod step_moments;
mod step_rules;
mod switchovers;
mod texts;
mod unready_names;
mod users;
mod views;
