//! What people write into the zones by hand, with no word to Holdfast.

use failover::change::{Batch, Change, Write};
use failover::name::Name;
use failover::observation::NameView;
use failover::record::RecordSet;
use failover::register::Register;

use crate::people::Deed;
use crate::setting::{at, is_pinned, leads_to_dr, long_lived, moved, original, pinned, secondary, swapped, undone};
use crate::shared::Shared;
use crate::steps::Holdfast;
use crate::world::{Author, World};

impl Holdfast {
    /// Somebody deletes the first name's SECONDARY record, or puts it back.
    pub fn break_pair(&self, world: &mut World, breaks: bool) {
        let Some(name) = world.views().next().map(|view| view.name.clone()) else { return };
        let set = secondary(&name);
        self.edit(world, vec![if breaks { Change::Delete(set) } else { Change::Create(set) }]);
    }

    /// Somebody makes a record beside the first name's pair, or takes it away.
    pub fn put_beside(&self, world: &mut World, record: fn(&Name) -> RecordSet, begins: bool) {
        let Some(set) = world.views().next().map(|view| record(&view.name)) else { return };
        self.edit(world, vec![if begins { Change::Create(set) } else { Change::Delete(set) }]);
    }

    /// Rewrites one of the first name's records, if there is reason to; true if anything changed.
    pub fn rewrite_by_hand(&self, world: &mut World, deed: Deed) -> bool {
        let Some((from, to)) = Self::rewritten(world, deed).filter(|(from, to)| from != to) else { return false };
        world.is_left_to_people = false;
        self.edit(world, vec![Change::Delete(from), Change::Create(to)])
    }

    fn rewritten(world: &World, deed: Deed) -> Option<(RecordSet, RecordSet)> {
        let view = world.views().next()?;
        let (name, sets) = (&view.name, &world.zones.first()?.records);
        let is_held = view.register().and_then(Register::pin).is_some();
        let (primary, second) = (sets.primary(name)?.clone(), sets.secondary(name).cloned());
        match deed {
            Deed::Undo => (is_held && is_pinned(&primary)).then(|| (primary, undone(name))),
            // Whoever undoes a pin and puts it back between two ticks is not seen: see `docs/proof.md`.
            Deed::Redo => {
                (is_held && world.is_left_to_people && primary == undone(name)).then(|| (primary, pinned(name)))
            }
            Deed::RaiseTtl => (is_held && is_pinned(&primary)).then(|| (primary, long_lived(name))),
            Deed::MoveByHand => {
                (!is_held && primary == original(name) && second? == secondary(name)).then(|| (primary, pinned(name)))
            }
            // Whoever swaps both records has made another plan of the sites than the world remembers.
            Deed::SwapRoles => (is_held || !leads_to_dr(&primary)).then(|| Some((second?, swapped(name))))?,
            Deed::MoveDr => {
                let second = second?;
                let is_swapped = !leads_to_dr(&second);
                let may_move =
                    if is_swapped { world.is_left_to_people || !is_held } else { is_held || !leads_to_dr(&primary) };
                let next = if second == secondary(name) { moved(name) } else { secondary(name) };
                may_move.then_some((second, next))
            }
            _ => None,
        }
    }

    /// The register is left alone.
    fn edit(&self, world: &mut World, changes: Vec<Change>) -> bool {
        let Some(NameView { zone, name, .. }) = world.views().next().cloned() else { return false };
        let register = Register::disarmed(at(0), "nobody reads this".to_owned());
        let write = Write { zone: zone.clone(), name, register, changes };
        self.apply(world, &Shared::new(Batch { zone, writes: vec![write] }), Author::Hand).is_some()
    }
}
