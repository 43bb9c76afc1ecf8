//! Medians, and how far the middle eight of ten lie apart.

use std::time::Duration;

use serde::Serialize;

/// What many measurements of one thing came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// One of ten is below.
    pub tenth: f64,
    /// Half are below.
    pub median: f64,
    /// Nine of ten are below.
    pub ninetieth: f64,
}

impl Spread {
    /// Of at least one value; `None` of none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |tenths: usize| values[(last * tenths + 5) / 10];
        Some(Self { tenth: at(1), median: at(5), ninetieth: at(9) })
    }

    /// Of durations, in milliseconds.
    #[must_use]
    pub fn of_durations(values: impl IntoIterator<Item = Duration>) -> Option<Self> {
        Self::of(values.into_iter().map(|value| value.as_secs_f64() * 1_000.0).collect())
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}–{})", figure(self.median), figure(self.tenth), figure(self.ninetieth))
    }
}

/// Three significant figures, as far as they are before the point.
#[must_use]
pub fn figure(value: f64) -> String {
    match value {
        small if small < 10.0 => format!("{small:.2}"),
        middling if middling < 100.0 => format!("{middling:.1}"),
        large => format!("{large:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { tenth: 1.0, median: 3.0, ninetieth: 5.0 });
        assert_eq!(Spread::of(Vec::new()), None);
        assert_eq!(spread.to_string(), "3.00 (1.00–5.00)");
    }
}
