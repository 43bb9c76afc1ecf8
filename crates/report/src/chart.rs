//! The picture: stages one under the other, each from where the one before ended; below them what happened, a lane each.
//!
//! It is laid out in parts of its own width, so that the same picture fits a phone and a sheet of paper.

use jiff::Timestamp;

use crate::{Lane, Moment, Page, Stage, span, time};

/// What of the picture's width a wait gets that is drawn short.
const BREAK_WIDTH: f64 = 0.1;
/// A shorter wait is drawn as it is.
const BREAK_SECONDS_MIN: i64 = 300;
const BREAKS_MAX: usize = 2;

/// How far apart two labels of the axis are at least, and how near to the right end the last may be: on a phone a label takes a sixth.
const TICK_WIDTH: f64 = 0.19;
const TICK_END: f64 = 0.91;

/// A part of the width, as styles take it.
fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// A row with a bar: a stage, or what was so for a while.
pub struct Bar<'a> {
    pub name: &'a str,
    pub cause: &'a str,
    pub class: &'static str,
    pub x: String,
    pub width: String,
    /// How long the bar itself is.
    pub took: String,
    /// How long after the first stage it ends.
    pub after: String,
}

/// Something that happened.
pub struct Dot<'a> {
    pub x: String,
    pub what: &'a str,
    pub when: String,
}

/// A row of dots.
pub struct Row<'a> {
    pub name: &'static str,
    pub dots: Vec<Dot<'a>>,
}

impl Row<'_> {
    pub fn count(&self) -> String {
        if self.dots.len() == 1 { "1 event".to_owned() } else { format!("{} events", self.dots.len()) }
    }
}

/// A wait that is drawn short.
pub struct Break {
    pub x: String,
    pub width: String,
    pub took: String,
    pub what: String,
}

/// Everything in the picture.
pub struct Chart<'a> {
    pub bars: Vec<Bar<'a>>,
    pub rows: Vec<Row<'a>>,
    pub breaks: Vec<Break>,
    pub ticks: Vec<(String, String)>,
}

/// A stretch of time, and of the width.
struct Piece {
    from: i64,
    seconds: i64,
    x: f64,
    width: f64,
    is_broken: bool,
}

/// Time from left to right, with a little on either side for what came before and after.
struct Scale {
    pieces: Vec<Piece>,
}

/// Which steps between stages are drawn short: waits beside which nothing else could be read.
fn broken(stages: &[Stage]) -> Vec<usize> {
    let seconds: Vec<i64> = stages.windows(2).map(|it| it[1].at.as_second() - it[0].at.as_second()).collect();
    let mut broken: Vec<usize> = Vec::new();
    while broken.len() < BREAKS_MAX {
        let left = || (0..seconds.len()).filter(|nth| !broken.contains(nth));
        let rest: i64 = left().map(|nth| seconds[nth]).sum();
        let is_wait = |nth: &usize| stages[nth + 1].cause.is_some_and(crate::Cause::is_wait);
        match left().filter(is_wait).max_by_key(|nth| seconds[*nth]) {
            Some(nth) if seconds[nth] >= BREAK_SECONDS_MIN && 2 * seconds[nth] > rest && seconds[nth] < rest => {
                broken.push(nth);
            }
            _ => break,
        }
    }
    broken
}

#[expect(clippy::cast_precision_loss, reason = "an incident lasts hours, and a picture is a few thousand dots wide")]
fn part(seconds: i64, of: i64) -> f64 {
    seconds as f64 / of.max(1) as f64
}

impl Scale {
    fn of(stages: &[Stage]) -> Option<Self> {
        let (first, last) = (stages.first()?.at.as_second(), stages.last()?.at.as_second());
        let broken = broken(stages);
        let step = |nth: usize| stages[nth + 1].at.as_second() - stages[nth].at.as_second();
        let drawn = last - first - broken.iter().map(|nth| step(*nth)).sum::<i64>();
        let margin = drawn / 20 + 1;
        let width = 1.0 - part(i64::try_from(broken.len()).ok()?, 1) * BREAK_WIDTH;
        let mut pieces = Vec::new();
        let (mut from, mut x) = (first - margin, 0.0);
        let mut add = |seconds: i64, is_broken: bool| {
            let width = if is_broken { BREAK_WIDTH } else { part(seconds, drawn + 2 * margin) * width };
            pieces.push(Piece { from, seconds, x, width, is_broken });
            (from, x) = (from + seconds, x + width);
        };
        add(margin, false);
        (0..stages.len() - 1).filter(|nth| step(*nth) > 0).for_each(|nth| add(step(nth), broken.contains(&nth)));
        add(margin, false);
        Some(Self { pieces })
    }

    fn x(&self, at: Timestamp) -> Option<f64> {
        let at = at.as_second();
        let piece = self.pieces.iter().find(|piece| (piece.from..=piece.from + piece.seconds).contains(&at))?;
        Some(piece.x + part(at - piece.from, piece.seconds) * piece.width)
    }

    /// Whole minutes, as many as can be read. What is drawn short has none.
    fn ticks(&self, zero: Timestamp) -> Vec<(String, String)> {
        let drawn = || self.pieces.iter().filter(|piece| !piece.is_broken);
        let (seconds, width): (i64, f64) =
            drawn().fold((0, 0.0), |(seconds, width), piece| (seconds + piece.seconds, width + piece.width));
        let step = [1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1_440]
            .into_iter()
            .find(|minutes| part(minutes * 60, seconds) * width >= TICK_WIDTH)
            .unwrap_or(10_080);
        let mut ticks: Vec<(f64, i64)> = Vec::new();
        for piece in drawn() {
            let zero = zero.as_second();
            let first = (piece.from - zero + step * 60 - 1).div_euclid(step * 60).max(0);
            let minutes = (first..).map(|nth| nth * step).take_while(|it| zero + it * 60 <= piece.from + piece.seconds);
            for minute in minutes {
                let x = piece.x + part(zero + minute * 60 - piece.from, piece.seconds) * piece.width;
                if x <= TICK_END && ticks.last().is_none_or(|(last, _)| x - last >= TICK_WIDTH) {
                    ticks.push((x, minute));
                }
            }
        }
        let label = |minutes| if minutes == 0 { "0".to_owned() } else { format!("+{minutes} min") };
        ticks.into_iter().map(|(x, minutes)| (percent(x), label(minutes))).collect()
    }

    fn breaks(&self, stages: &[Stage]) -> Vec<Break> {
        let of = |piece: &Piece| {
            let stage = stages.iter().find(|stage| stage.at.as_second() == piece.from + piece.seconds);
            let what = stage.map_or_else(String::new, |stage| format!("to {}", stage.name));
            Break { x: percent(piece.x), width: percent(piece.width), took: span(piece.seconds), what }
        };
        self.pieces.iter().filter(|piece| piece.is_broken).map(of).collect()
    }
}

impl<'a> Chart<'a> {
    /// The picture of a page; none if it went through fewer than two stages.
    pub fn of(page: &'a Page) -> Option<Self> {
        let [first, .., last] = page.stages.as_slice() else { return None };
        let scale = Scale::of(&page.stages)?;
        let bar = |name: &'a str, (cause, class): (&'a str, &'static str), from, to, took| {
            let (from, to) = (scale.x(from)?, scale.x(to)?);
            let (x, width) = (percent(from), percent(to - from));
            Some(Bar { name, cause, class, x, width, took, after: String::new() })
        };
        let mut bars = Vec::new();
        let mut before = first.at;
        for (stage, took) in page.steps() {
            let cause = stage.cause.map_or(("", "first"), |cause| (cause.name(), cause.class()));
            bars.push(Bar { after: page.after(&stage.at), ..bar(&stage.name, cause, before, stage.at, took)? });
            before = stage.at;
        }
        for spell in &page.spells {
            let from = spell.from.clamp(first.at, last.at);
            let to = spell.to.unwrap_or(last.at).clamp(from, last.at);
            let after = spell.to.map_or_else(String::new, |to| page.after(&to));
            bars.push(Bar { after, ..bar(&spell.name, (&spell.how, "spell"), from, to, spell.took())? });
        }
        let dot = |moment: &'a Moment| {
            Some(Dot { x: percent(scale.x(moment.at)?), what: &moment.what, when: time(&moment.at) })
        };
        let row = |lane: Lane| {
            let of_lane = page.moments.iter().filter(|moment| moment.lane == lane);
            Row { name: lane.name(), dots: of_lane.filter_map(dot).collect() }
        };
        let rows = Lane::ALL.into_iter().map(row).filter(|row| !row.dots.is_empty()).collect();
        Some(Self { bars, rows, breaks: scale.breaks(&page.stages), ticks: scale.ticks(first.at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cause;

    fn stages(steps: &[(i64, Cause)]) -> Vec<Stage> {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let (mut stages, mut now) = (vec![Stage::new("first", at(0), None, "")], 0);
        for (seconds, cause) in steps {
            now += seconds;
            stages.push(Stage::new("next", at(now), Some(*cause), ""));
        }
        stages
    }

    #[test]
    fn only_a_wait_beside_which_nothing_could_be_read_is_drawn_short() {
        let of = |steps: &[(i64, Cause)]| broken(&stages(steps));
        assert_eq!(of(&[(1_800, Cause::Choice), (60, Cause::Dns), (300, Cause::Rds)]), [0]);
        assert_eq!(of(&[(1_800, Cause::Rds), (60, Cause::Dns)]), [0; 0], "work is shown as long as it took");
        assert_eq!(of(&[(200, Cause::Choice), (60, Cause::Dns)]), [0; 0]);
        assert_eq!(of(&[(1_800, Cause::Choice), (1_900, Cause::Rds)]), [0; 0]);
        assert_eq!(of(&[(1_800, Cause::Choice)]), [0; 0], "nothing is beside it");
        assert_eq!(of(&[(1_800, Cause::Choice), (60, Cause::Dns), (3_600, Cause::Person)]), [2, 0]);
    }

    #[test]
    fn the_whole_width_is_used_in_order_and_the_break_is_as_wide_as_it_says() {
        let stages = stages(&[(1_800, Cause::Choice), (0, Cause::Holdfast), (60, Cause::Dns), (300, Cause::Rds)]);
        let scale = Scale::of(&stages).unwrap();
        let x: Vec<_> = stages.iter().map(|stage| scale.x(stage.at).unwrap()).collect();
        assert!(x.is_sorted() && x[0] > 0.0 && x[4] < 1.0, "{x:?}");
        assert!((x[1] - x[0] - BREAK_WIDTH).abs() < 1e-9, "{x:?}");
        assert!((5.0 * (x[3] - x[2]) - (x[4] - x[3])).abs() < 1e-9, "the rest is to scale: {x:?}");
        assert!(scale.x(Timestamp::from_second(-1_000).unwrap()).is_none());
        let [it] = scale.breaks(&stages).try_into().ok().unwrap();
        assert_eq!((it.took.as_str(), it.what.as_str()), ("30 min", "to next"));
        let ticks = scale.ticks(stages[0].at);
        assert_eq!(ticks[0].1, "0");
        assert!(ticks.iter().all(|(_, label)| !["+10 min", "+20 min"].contains(&label.as_str())), "{ticks:?}");
    }
}
