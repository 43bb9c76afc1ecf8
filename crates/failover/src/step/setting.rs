//! What a step changes of a resource.

use std::fmt;
use std::str::FromStr;

use super::Target;

/// What a resource is, as far as a step may change it. In a tag `1/2/4`, `6`, `on`, `off` or `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// An Auto Scaling group's sizes.
    Sizes(Sizes),
    /// How many tasks an ECS service is to have.
    Count(u32),
    /// Whether a rule or an event source mapping is on.
    On(bool),
    /// A function has nothing that a call changes.
    Nothing,
}

/// How many instances an Auto Scaling group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// At least.
    pub min: u32,
    /// Is to have now.
    pub desired: u32,
    /// At most.
    pub max: u32,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sizes(Sizes { min, desired, max }) => write!(f, "{min}/{desired}/{max}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::On(true) => f.write_str("on"),
            Self::On(false) => f.write_str("off"),
            Self::Nothing => f.write_str("-"),
        }
    }
}

/// A text that is no setting.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSetting;

impl FromStr for Setting {
    type Err = NoSetting;

    fn from_str(text: &str) -> Result<Self, NoSetting> {
        match text {
            "on" => return Ok(Self::On(true)),
            "off" => return Ok(Self::On(false)),
            "-" => return Ok(Self::Nothing),
            _ => {}
        }
        let parts: Vec<u32> = text.split('/').map(str::parse).collect::<Result<_, _>>().map_err(|_| NoSetting)?;
        match parts[..] {
            [count] => Ok(Self::Count(count)),
            [min, desired, max] => Ok(Self::Sizes(Sizes { min, desired, max })),
            _ => Err(NoSetting),
        }
    }
}

impl Setting {
    /// In words that follow "is".
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Sizes(Sizes { min, desired, max }) => format!("min {min}, desired {desired}, max {max}"),
            Self::Count(count) => format!("desired {count}"),
            Self::On(true) => "on".to_owned(),
            Self::On(false) => "off".to_owned(),
            Self::Nothing => "there".to_owned(),
        }
    }

    /// What it is to be: a count that is already higher stays.
    #[must_use]
    pub fn reaching(self, target: &Target) -> Self {
        match (self, target) {
            (Self::Sizes(now), Target::Group { size, .. }) => {
                Self::Sizes(Sizes { min: now.min.max(*size), desired: now.desired.max(*size), max: now.max.max(*size) })
            }
            (Self::Count(now), Target::Service { count, .. }) => Self::Count(now.max(*count)),
            (Self::On(_), Target::Rule { on, .. } | Target::Mapping { on, .. }) => Self::On(*on),
            (now, _) => now,
        }
    }

    /// What it is to be again that was raised from `from` to `to`: each part that still is what Holdfast made of it is what it was;
    /// somebody else's later change stays, and the sizes stay in order.
    #[must_use]
    pub fn undone(self, from: Self, to: Self) -> Self {
        match (self, from, to) {
            (Self::Sizes(now), Self::Sizes(from), Self::Sizes(to)) => {
                let back = |now: u32, from: u32, to: u32| if now == to { from } else { now };
                let min = back(now.min, from.min, to.min);
                let desired = back(now.desired, from.desired, to.desired).max(min);
                let max = back(now.max, from.max, to.max).max(desired);
                Self::Sizes(Sizes { min, desired, max })
            }
            (Self::Count(now), Self::Count(from), Self::Count(to)) if now == to => Self::Count(from),
            (Self::On(now), Self::On(from), Self::On(to)) if now == to => Self::On(from),
            (now, ..) => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(text: &str) -> Setting {
        text.parse().unwrap()
    }

    #[test]
    fn a_setting_survives_its_tag() {
        for text in ["1/2/4", "0/0/0", "0", "6", "on", "off", "-"] {
            assert_eq!(sizes(text).to_string(), text);
        }
        for bad in ["", "1/2", "1/2/3/4", "a/b/c", "-1/2/3", "-1", "1.5", "6/", "ON"] {
            assert_eq!(bad.parse::<Setting>(), Err(NoSetting), "{bad}");
        }
    }

    #[test]
    fn sizes_are_raised_and_never_lowered() {
        let target = Target::Group { name: "shop".to_owned(), size: 6 };
        for (now, then) in [("0/0/4", "6/6/6"), ("1/2/10", "6/6/10"), ("1/8/10", "6/8/10"), ("7/8/9", "7/8/9")] {
            assert_eq!(sizes(now).reaching(&target), sizes(then), "{now}");
        }
        let target = Target::Service { cluster: "main".to_owned(), name: "shop".to_owned(), count: 6 };
        for (now, then) in [("0", "6"), ("6", "6"), ("8", "8")] {
            assert_eq!(sizes(now).reaching(&target), sizes(then), "{now}");
        }
    }

    #[test]
    fn what_somebody_else_changed_later_stays() {
        for (now, then, story) in [
            ("6/6/6", "1/2/4", "as Holdfast left it"),
            ("6/8/10", "1/8/10", "a policy scaled it out, and a person gave it room"),
            ("6/6/9", "1/2/9", "a person gave it room"),
            ("4/6/6", "4/4/4", "a person lowered the least of it"),
            ("3/5/6", "3/5/5", "a person lowered both, and room is left for what runs"),
            ("1/2/4", "1/2/4", "it is what it was"),
        ] {
            assert_eq!(sizes(now).undone(sizes("1/2/4"), sizes("6/6/6")), sizes(then), "{story}");
        }
        for (now, then, story) in
            [("6", "2", "as Holdfast left it"), ("4", "4", "a policy's"), ("8", "8", "a person's")]
        {
            assert_eq!(sizes(now).undone(sizes("2"), sizes("6")), sizes(then), "{story}");
        }
        let [on, off] = [true, false].map(Setting::On);
        assert_eq!((on.undone(off, on), off.undone(off, on), off.undone(on, off)), (off, off, on));
    }
}
