//! Faults by chance: a seed decides what befalls each call of a function and each delivery of an event.
//!
//! Each decision is drawn from the seed and from what it is about (who calls what for the how-manieth time), not from one
//! stream of random numbers: so the order in which concurrent calls happen to arrive changes nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use axum::http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::call::{CallEffect, Effect, Loss, Site};
use super::event::EventEffect;
use crate::wire::Refusal;

/// How much goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Chaos {
    /// Decides what.
    pub seed: u64,
    /// The share of functions' calls that go wrong, 0 to 1.
    pub calls: f64,
    /// The share of event deliveries that go wrong, 0 to 1.
    pub events: f64,
}

impl Chaos {
    /// What befalls a call. Only functions suffer: people and users are judges here.
    pub(super) fn call(&self, site: &Site<'_>) -> Option<CallEffect> {
        site.caller_region?;
        let mut draw = self.draw(("call", site.caller, site.service, site.action, site.nth));
        draw.random_bool(self.calls).then(|| any_call_effect(&mut draw))
    }

    /// What befalls the `nth` delivery to a target.
    pub(super) fn event(&self, target: &str, nth: u64) -> Option<EventEffect> {
        let mut draw = self.draw(("event", target, nth));
        draw.random_bool(self.events).then(|| match draw.random_range(0..3) {
            0 => EventEffect::Lose,
            1 => EventEffect::Deliver(draw.random_range(2..=3)),
            _ => EventEffect::Delay(Duration::from_secs(draw.random_range(1..=180))),
        })
    }

    fn draw(&self, about: impl Hash) -> StdRng {
        let mut hasher = DefaultHasher::new();
        (self.seed, about).hash(&mut hasher);
        StdRng::seed_from_u64(hasher.finish())
    }
}

fn any_call_effect(draw: &mut StdRng) -> CallEffect {
    let effect = if draw.random_bool(0.5) { Effect::With } else { Effect::Without };
    match draw.random_range(0..7) {
        0 => CallEffect::throttle(),
        1 => CallEffect::unavailable(),
        2 => CallEffect::Refuse(Refusal {
            status: StatusCode::FORBIDDEN,
            code: "AccessDenied".to_owned(),
            message: "not authorized, says the lab for once".to_owned(),
        }),
        3 => CallEffect::Slow(Duration::from_millis(draw.random_range(200..=2_500))),
        4 => CallEffect::Lose(Loss::NoAnswer, effect),
        5 => CallEffect::Lose(Loss::Cut, effect),
        _ => CallEffect::Lose(Loss::Kill, effect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAOS: Chaos = Chaos { seed: 7, calls: 0.2, events: 0.2 };

    fn site(nth: u64) -> Site<'static> {
        Site {
            caller: "holder",
            caller_region: Some("eu-central-1"),
            region: "us-east-1",
            service: "route53",
            action: "GetChange",
            nth,
        }
    }

    #[test]
    fn the_same_seed_does_the_same_to_the_same_call_whenever_it_comes() {
        let forwards: Vec<_> = (0..200).map(|nth| CHAOS.call(&site(nth))).collect();
        let backwards: Vec<_> = (0..200).rev().map(|nth| CHAOS.call(&site(nth))).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        let other = Chaos { seed: 8, ..CHAOS };
        assert!((0..200).any(|nth| other.call(&site(nth)) != forwards[usize::try_from(nth).unwrap()]));
    }

    #[test]
    fn about_the_share_asked_for_goes_wrong_and_in_every_way() {
        let effects: Vec<_> = (0..2_000).filter_map(|nth| CHAOS.call(&site(nth))).map(|e| e.to_string()).collect();
        assert!((300..=500).contains(&effects.len()), "{} of 2000", effects.len());
        for way in ["Throttling", "ServiceUnavailable", "AccessDenied", "slow", "timed out before", "timed out after"] {
            assert!(effects.iter().any(|effect| effect.contains(way)), "{way}");
        }
        for way in ["cut before", "cut after", "killed the caller before", "killed the caller after"] {
            assert!(effects.iter().any(|effect| effect.contains(way)), "{way}");
        }
    }

    #[test]
    fn people_are_spared() {
        assert!((0..500).all(|nth| CHAOS.call(&Site { caller_region: None, ..site(nth) }).is_none()));
    }
}
