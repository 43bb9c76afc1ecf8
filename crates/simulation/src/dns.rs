//! What the zones' name servers answer.

use std::net::SocketAddr;

use aws::dns::{NameServers, NotHeard, Server, ServersUnknown};
use failover::incident::AlarmState;
use failover::name::Name;
use failover::record::{RecordSet, Role, Target};
use failover::register::Reading;

use crate::calls::Aws;
use crate::setup::zone_of;
use crate::switch::{Checks, SERVERS};
use crate::watched::plays;
use crate::world::World;

/// As the story calls any question to a name server.
pub const CALL: &str = "DNS";

impl NameServers for Aws {
    async fn servers(&self, _: &Name) -> Result<Vec<Server>, ServersUnknown> {
        let address =
            |nth: usize| SocketAddr::from(([192, 0, 2, 53 + u8::try_from(nth).unwrap_or_default()], 53)).into();
        Ok((0..SERVERS).map(address).collect())
    }

    async fn ask(&self, server: &Server, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
        let nth = match server.address {
            Some(SocketAddr::V4(address)) => usize::from(address.ip().octets()[3].saturating_sub(53)),
            Some(SocketAddr::V6(_)) | None => 0,
        };
        let nth = self.sabotage().map_or(nth, |sabotage| sabotage.server(nth));
        let (asked, kind) = (name.clone(), kind.to_owned());
        let heard = self.call(CALL, move |world| Ok(world.dns(nth, &asked, &kind))).await;
        let heard = heard.unwrap_or(Err(NotHeard::Silent))?;
        match self.sabotage() {
            Some(sabotage) => Ok(sabotage.heard(&self.world.get(), nth, name, heard)),
            None => Ok(heard),
        }
    }
}

impl World {
    /// What a name server answers whoever asks now.
    ///
    /// # Errors
    /// If it is silent.
    pub fn dns(&self, server: usize, name: &Name, kind: &str) -> Result<Vec<String>, NotHeard> {
        let Some(switch) = &self.switch else {
            return Ok(self.published_values(Checks::WELL, name, kind).unwrap_or_default());
        };
        let server = switch.servers.get(server).filter(|server| !server.is_silent).ok_or(NotHeard::Silent)?;
        let checks = server.answers_by(self.now, self.is_stale);
        let word = |is_healthy: bool, healthy: &str, not: &str| {
            Ok(vec![if is_healthy { healthy.to_owned() } else { not.to_owned() }])
        };
        if *name == switch.pairs.latch {
            return word(checks.latch, "open", "committed");
        } else if *name == switch.pairs.again {
            return word(checks.again, "open", "committed");
        } else if *name == switch.pairs.switch {
            return word(checks.is_primary(), "primary", "dr");
        }
        let target = Target::Alias { zone: String::new(), name: name.to_string(), evaluate_health: false };
        if let Some(values) = behind_alias(&target, kind) {
            return Ok(values);
        }
        Ok(self.published_values(checks, name, kind).unwrap_or_default())
    }

    fn published_values(&self, checks: Checks, name: &Name, kind: &str) -> Option<Vec<String>> {
        let records = self.route53.published(zone_of(name))?;
        let wildcard: Option<Name> =
            name.as_str().split_once('.').and_then(|(_, parent)| format!("*.{parent}").parse().ok());
        let of = |wanted: &Name| {
            let sets: Vec<_> = records.iter().filter(|set| set.name == *wanted && set.kind == kind).collect();
            (!sets.is_empty()).then_some(sets)
        };
        let sets = of(name).or_else(|| of(&wildcard?))?;
        let primary = sets.iter().find(|set| plays(set, Role::Primary));
        let Some(primary) = primary else { return sets.first().map(|set| simple(set)) };
        let is_well = match &primary.health_check {
            check if check.is_some() && *check == self.switch_check => checks.is_primary(),
            _ => self.alarm.state != AlarmState::Alarm,
        };
        let wanted = if is_well { Role::Primary } else { Role::Secondary };
        let answered = sets.iter().find(|set| plays(set, wanted)).unwrap_or(primary);
        Some(behind_alias(&answered.target, kind).unwrap_or_else(|| simple(answered)))
    }
}

/// A register's text is given without quotation marks, its strings joined.
fn simple(set: &RecordSet) -> Vec<String> {
    let protected = set.name.protected_by_register();
    let reading = protected.map(|name| Reading::of_name(&name, std::slice::from_ref(set)));
    match (reading, &set.target) {
        (Some(Reading::Known { register, .. }), _) => vec![register.to_string()],
        (_, Target::Values { values, .. }) => values.clone(),
        (_, Target::Alias { .. }) => Vec::new(),
    }
}

/// The load balancers of `setup`, each with one address of its net.
fn behind_alias(target: &Target, kind: &str) -> Option<Vec<String>> {
    let Target::Alias { name, .. } = target else { return None };
    let net = name.trim_end_matches('.').strip_suffix(".elb.example.net")?;
    Some(vec![if kind == "AAAA" { format!("2001:db8::{}", net.replace('.', ":")) } else { format!("{net}.9") }])
}
