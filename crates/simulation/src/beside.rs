//! What goes otherwise with the switch, its metrics and the name servers while Route 53's API may be dark.

use jiff::SignedDuration;
use rand::Rng as _;

use crate::chance::{About, Chance};
use crate::fault::Fault;
use crate::outage::FAULTY_MINUTES;
use crate::switch::SERVERS;
use crate::world::World;

/// The darkness may outlast all other faults.
const DARK_MINUTES: u32 = 20;
const DEAF_MINUTES: u32 = 10;
const LAG_SECONDS: u32 = 240;
/// A metric that CloudWatch never has.
const LOST: u32 = 1_000;
const HEARD: SignedDuration = SignedDuration::from_secs(15);

/// In which minutes what is out of order beside the control plane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// From, until, and what becomes of calls meanwhile.
    dark: Option<(i64, i64, Fault)>,
    /// From and until.
    deaf: Option<(i64, i64)>,
    /// How late each name server learns, if later than usual.
    lags: [Option<SignedDuration>; SERVERS],
}

impl Beside {
    pub fn draw(chance: &Chance) -> Self {
        const HOWS: [Fault; 3] = [Fault::TimedOutBefore, Fault::Refused("ServiceUnavailable"), Fault::NeverSent];
        let span = |choice: u32, minutes: u32| {
            let from = i64::from(choice / minutes % 10);
            (from, from + 1 + i64::from(choice % minutes))
        };
        let dark = chance.one_of(About::Dark, 0.7, HOWS.len() as u32 * 10 * DARK_MINUTES).checked_sub(1);
        let deaf = chance.one_of(About::Deaf, 0.2, 10 * DEAF_MINUTES).checked_sub(1);
        let dark = dark.map(|choice| {
            let (from, until) = span(choice, DARK_MINUTES);
            (from, until, HOWS[(choice / (10 * DARK_MINUTES)) as usize % HOWS.len()])
        });
        Self { dark, deaf: deaf.map(|choice| span(choice, DEAF_MINUTES)), lags: [None; SERVERS] }
    }

    /// The minute from which on Route 53's API answers.
    pub fn dark_until(&self) -> i64 {
        self.dark.map_or(0, |(_, until, _)| until)
    }

    pub fn in_words(&self) -> String {
        let dark = self.dark.map(|(from, until, how)| {
            format!("Route 53's API is dark from minute {from} to {until}: each call {}", how.in_words())
        });
        let deaf = self.deaf.map(|(from, until)| format!("CloudWatch is deaf from minute {from} to {until}"));
        dark.into_iter().chain(deaf).collect::<Vec<_>>().join("; ")
    }

    /// A minute begins.
    pub fn befall(&mut self, chance: &Chance, world: &mut World, minute: i64) {
        let is_faulty = minute < FAULTY_MINUTES;
        let within = |(from, until)| (from..until).contains(&minute);
        world.dark = self.dark.filter(|(from, until, _)| within((*from, *until))).map(|(.., how)| how);
        let delay = chance.choose(About::Hearing, |rng| match rng.random_range(0..100) {
            0..5 if is_faulty => LOST,
            5..40 if is_faulty => rng.random_range(1..120),
            _ => 0,
        });
        let is_deaf = is_faulty && self.deaf.is_some_and(within);
        let server = if is_faulty { chance.one_of(About::Server, 0.15, SERVERS as u32 * LAG_SECONDS) } else { 0 };
        let silent = if is_faulty { chance.one_of(About::Silent, 0.1, SERVERS as u32) as usize } else { 0 };
        if let Some(choice) = server.checked_sub(1) {
            let lag = SignedDuration::from_secs(i64::from(choice % LAG_SECONDS));
            self.lags[(choice / LAG_SECONDS) as usize % SERVERS] = Some(lag);
        }
        let Some(switch) = &mut world.switch else { return };
        switch.delay = match delay {
            _ if is_deaf => None,
            LOST => None,
            0 => Some(HEARD),
            seconds => Some(SignedDuration::from_secs(seconds.into())),
        };
        for (nth, server) in switch.servers.iter_mut().enumerate() {
            server.is_silent = silent == nth + 1;
            let usual = SignedDuration::from_secs(10);
            server.lag = if is_faulty { self.lags[nth].unwrap_or(usual) } else { usual };
        }
    }
}
