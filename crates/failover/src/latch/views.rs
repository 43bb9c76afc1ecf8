//! What a latch is committed for, and what names are while it stands in for a pin that is not written yet.

use super::{Latch, Stage};
use crate::change;
use crate::incident::Incident;
use crate::observation::NameView;
use crate::plan::Plan;
use crate::record::Pair;
use crate::register::{Pin, Reading, Register, Spread};
use crate::switch::is_on_switch;
use crate::verdict::Verdict;

/// The incident that the latch is to be committed for: every name on the switch is pinned, or is to be pinned now. The latch moves all
/// of them, so where one is to stay the others go by their pins alone.
#[must_use]
pub fn commits(plan: &Plan, names: &[NameView], pinning: impl Fn(&NameView) -> Option<Incident>) -> Option<Incident> {
    if names.iter().any(|view| view.pairs.is_err()) {
        return None;
    }
    let is_moved = |view: &&NameView| {
        view.pairs.iter().flatten().any(|pair| plan.switch.is_some() && pair.primary().health_check == plan.switch)
    };
    let unpinned = names.iter().filter(is_moved).filter(|view| view.pin().is_none());
    unpinned.map(pinning).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The name where name servers do not show the latch. Its register said that the pin was in sync; somebody may have moved its users since,
/// and without a listing nobody knows. So the pin counts as on its way.
#[must_use]
pub fn in_doubt(latch: &Latch, view: &NameView) -> NameView {
    let Reading::Known { set, register: Register::Pinned { pin, spread: Spread::InSync { .. } } } = &view.register
    else {
        return view.clone();
    };
    let register = Register::Pinned { pin: pin.clone(), spread: Spread::Unrecorded { at: latch.at } };
    NameView { register: Reading::Known { set: set.clone(), register }, ..view.clone() }
}

/// The name as it is while the latch stands in for pins that Route 53 has not taken: pinned; in sync since every name server shows the
/// latch; failed over once the latch says so. What its own register says of a pin in sync goes before. A name that is not on the switch,
/// or not in this failover, stays what it is.
#[must_use]
pub fn stands_in(plan: &Plan, latch: &Latch, view: &NameView) -> NameView {
    if !latch.takes_along(view) {
        return view.clone();
    }
    let spread = match latch.shown {
        Some(at) => Spread::InSync { at },
        None => Spread::Unrecorded { at: latch.at },
    };
    let (pin, spread) = match view.register() {
        Some(Register::FailedOver { .. }) => return view.clone(),
        Some(Register::Pinned { pin, spread: known @ Spread::InSync { .. } }) => (pin.clone(), known.clone()),
        Some(Register::Pinned { pin, .. }) => (pin.clone(), spread),
        _ => match pinned(plan, latch, view) {
            Some(pin) => (pin, spread),
            None => return view.clone(),
        },
    };
    let register = match latch.stage {
        Stage::FailedOver { at } => Register::FailedOver { at, pin },
        Stage::Committed | Stage::Promoting => Register::Pinned { pin, spread },
    };
    let set = match &view.register {
        Reading::Known { set, .. } => Some(set.clone()),
        Reading::Absent | Reading::Unreadable(_) => register.record_set(&view.name).ok(),
    };
    let Some(set) = set else { return view.clone() };
    // Of a name that is pinned in Route 53 its own records tell.
    let pairs = match view.pin() {
        Some(_) => view.pairs.clone(),
        None => view.pairs.clone().map(|pairs| pairs.iter().map(Pair::as_pinned).collect()),
    };
    knowing(latch, &NameView { pairs, register: Reading::Known { set, register }, ..view.clone() })
}

fn pinned(plan: &Plan, latch: &Latch, view: &NameView) -> Option<Pin> {
    if !is_on_switch(plan, view) {
        return None;
    }
    let write = change::write(view, Verdict::Pin, Some(&latch.incident), latch.at).ok()??;
    write.register.pin().cloned()
}

/// The same name, its pin with what the latch knows of the databases.
#[must_use]
pub fn knowing(latch: &Latch, view: &NameView) -> NameView {
    if !latch.takes_along(view) {
        return view.clone();
    }
    let with = |pin: &Pin| Pin { evidence: pin.evidence.and(&latch.evidence), ..pin.clone() };
    let Reading::Known { set, register } = &view.register else { return view.clone() };
    let register = match register {
        Register::Pinned { pin, spread } => Register::Pinned { pin: with(pin), spread: spread.clone() },
        other => other.clone(),
    };
    NameView { register: Reading::Known { set: set.clone(), register }, ..view.clone() }
}
