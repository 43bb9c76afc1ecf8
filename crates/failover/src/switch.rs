//! Which names the switch moves.

use crate::observation::NameView;
use crate::plan::Plan;
use crate::record::Pair;

/// True if the switch decides where the users of all of this name's records go.
#[must_use]
pub fn is_on_switch(plan: &Plan, view: &NameView) -> bool {
    let is_on = |pair: &Pair| pair.primary().health_check == plan.switch;
    plan.switch.is_some() && view.pairs.as_ref().is_ok_and(|pairs| pairs.iter().all(is_on))
}
