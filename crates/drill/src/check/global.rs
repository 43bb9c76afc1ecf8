//! Checks of a global database's way out and home.

use lab::journal::What;

use super::{Check, ensure};
use crate::evidence::Evidence;
use crate::stage::{CLUSTER, NAMES};

/// One failover, one switchover.
pub const GLOBAL_OUT_AND_HOME: Check = Check {
    name: "one FailoverGlobalCluster by replica-promoter, one SwitchoverGlobalCluster by the operator, and nothing else promotes",
    run: global_out_and_home,
};
/// One change each way.
pub const MOVED_OUT_AND_HOME: Check =
    Check { name: "each name moves out once, and home once", run: moved_out_and_home };
/// No return before Aurora has made the old primary a secondary.
pub const GLOBAL_BACK_WAS_GUARDED: Check =
    Check { name: "no failback before Aurora has added the old primary again (F07)", run: global_back_was_guarded };
/// What a failback of a global database spares people.
pub const NOTHING_REBUILT: Check =
    Check { name: "no database is created, renamed, modified or deleted by anybody", run: nothing_rebuilt };

fn global_out_and_home(evidence: &Evidence) -> Result<String, String> {
    let out = evidence.done_by("holdfast-replica-promoter", "FailoverGlobalCluster");
    let home = evidence.done_by("operator", "SwitchoverGlobalCluster");
    let is = |calls: &[(jiff::Timestamp, String)], id: &str| calls.len() == 1 && calls[0].1 == id;
    let promotions = evidence.promotions().len();
    let counts = format!("failovers {out:?}, switchovers {home:?}, {promotions} promotions");
    ensure(is(&out, CLUSTER) && is(&home, "app") && promotions == 1, counts)
}

fn moved_out_and_home(evidence: &Evidence) -> Result<String, String> {
    let pins = evidence.pins();
    let moves = NAMES.map(|name| pins.iter().filter(|pin| pin.name == name).count());
    ensure(moves == [2; 5], format!("changes {moves:?}"))
}

fn global_back_was_guarded(evidence: &Evidence) -> Result<String, String> {
    let said = evidence.refusals.first().map_or("", String::as_str);
    ensure(said.contains("F07"), said.lines().last().unwrap_or("it was not refused").to_owned())
}

fn nothing_rebuilt(evidence: &Evidence) -> Result<String, String> {
    let is_of_databases =
        |action: &str| ["CreateDB", "ModifyDB", "DeleteDB"].iter().any(|verb| action.starts_with(verb));
    let changes = evidence.count(|what| matches!(what, What::Call { action, .. } if is_of_databases(action)));
    ensure(changes == 0, format!("{changes} such calls"))
}
