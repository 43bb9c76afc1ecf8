//! What must never be, and what must be possible.

use failover::register::Register;
use stateright::Property;

use super::Switched;
use super::people::Deed;
use super::watch::Violation;
use super::world::World;
use crate::databases::Database;

impl Switched {
    fn is_home(world: &World) -> bool {
        let is_back =
            |register: &Register| matches!(register, Register::Disarmed { by, .. } if by.starts_with("failback"));
        world.database == Database::Writer
            && world.latch.is_none()
            && world.records.views.iter().all(|view| view.register().is_some_and(is_back))
            && world.servers.iter().all(|server| server.due.is_empty())
    }

    /// All of them, for these bounds.
    pub fn all_properties(&self) -> Vec<Property<Self>> {
        macro_rules! never {
            ($violation:ident) => {
                Property::<Self>::always(Violation::$violation.property(), |_, world| {
                    !world.watch.violations.contains(&Violation::$violation)
                })
            };
        }
        let mut properties = vec![
            never!(MovedUncommitted),
            never!(WentBack),
            never!(PromotedUnproven),
            never!(UnlatchedByZero),
            never!(LiftedUnderPromotion),
            never!(LetGo),
            never!(PromotedTwice),
            never!(WroteOldPrimary),
            Property::<Self>::sometimes("every name server shows the latch", |_, world| world.watch.stands),
        ];
        if self.bounds.promoters > 0 && self.bounds.time > 0 {
            properties.push(Property::<Self>::sometimes("a database is promoted", |_, world| {
                world.database == Database::Promoting
            }));
        }
        if self.bounds.dark > 0 && self.bounds.promoters > 0 && self.bounds.promotes_by_dns {
            properties.push(Property::<Self>::sometimes(
                "a database is promoted, and no record was ever written",
                |_, world| world.database == Database::Promoting && world.changes == 0,
            ));
        }
        if self.bounds.time > 1 {
            properties.push(Property::<Self>::sometimes(
                "with Holdfast dead users follow the outage",
                |model, world| {
                    let away = |server: &super::world::Server| server.leads_away(model.rules.switch);
                    world.latch.is_none() && world.changes == 0 && world.servers.iter().all(away)
                },
            ));
        }
        if self.bounds.deeds.contains(&Deed::FailBack) {
            properties.push(Property::<Self>::sometimes("a failback completes, with the switch", |_, world| {
                Self::is_home(world)
            }));
        }
        if self.bounds.deeds.contains(&Deed::Unlatch) {
            properties.push(Property::<Self>::sometimes("a committed failover is taken back", |_, world| {
                world.watch.committed.is_none()
                    && world.latch.is_none()
                    && world.left.people == 0
                    && world.heard.latch.1
            }));
        }
        properties
    }
}
