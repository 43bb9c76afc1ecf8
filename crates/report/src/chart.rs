//! The picture: stages one under the other, each from where the one before ended; below them what happened, a lane each.

use jiff::Timestamp;

use crate::{Lane, Page, span};

const LABEL_WIDTH: i64 = 190;
const LABEL_CHARACTERS_MAX: usize = 25;
const PLOT_WIDTH: i64 = 640;
const ROW_HEIGHT: i64 = 22;
/// Room for a label right of a bar that ends at the right edge.
const MARGIN: i64 = 90;

/// A stage's bar.
pub struct Bar<'a> {
    pub name: &'a str,
    pub label: String,
    pub y: i64,
    pub x: i64,
    pub width: i64,
    pub after: String,
    pub label_x: i64,
}

/// Something that happened.
pub struct Dot<'a> {
    pub x: i64,
    pub what: &'a str,
    pub when: String,
}

/// A row of dots.
pub struct Row<'a> {
    pub name: &'static str,
    pub y: i64,
    pub dots: Vec<Dot<'a>>,
}

/// Where everything is, in the picture's own units.
pub struct Chart<'a> {
    pub width: i64,
    pub height: i64,
    pub plot_x: i64,
    pub plot_end: i64,
    pub bars: Vec<Bar<'a>>,
    pub rows: Vec<Row<'a>>,
    pub rows_y: i64,
    pub ticks: Vec<(i64, String)>,
}

/// What fits left of the plot; the table has the whole of it.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(LABEL_CHARACTERS_MAX) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// Time from left to right: the incident, with a tenth of it on either side for what came before and after.
struct Scale {
    from: i64,
    seconds: i64,
}

impl Scale {
    fn of(first: Timestamp, last: Timestamp) -> Self {
        let length = (last.as_second() - first.as_second()).max(1);
        let margin = length / 10 + 1;
        Self { from: first.as_second() - margin, seconds: length + 2 * margin }
    }

    fn x(&self, at: Timestamp) -> Option<i64> {
        let after = at.as_second() - self.from;
        (0..=self.seconds).contains(&after).then(|| LABEL_WIDTH + after * PLOT_WIDTH / self.seconds)
    }

    /// Whole minutes, some eight of them.
    fn ticks(&self, zero: Timestamp) -> Vec<(i64, String)> {
        let step = [1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1_440]
            .into_iter()
            .find(|minutes| self.seconds / (minutes * 60) <= 8)
            .unwrap_or(10_080);
        let minutes = (0..).map(|nth| nth * step).take_while(|minutes| minutes * 60 <= self.seconds);
        let label = |minutes| if minutes == 0 { "0".to_owned() } else { format!("+{minutes} min") };
        let tick =
            |minutes| Some((self.x(Timestamp::from_second(zero.as_second() + minutes * 60).ok()?)?, label(minutes)));
        minutes.filter_map(tick).collect()
    }
}

impl<'a> Chart<'a> {
    /// The picture of a page; none if it went through fewer than two stages.
    pub fn of(page: &'a Page) -> Option<Self> {
        let [first, .., last] = page.stages.as_slice() else { return None };
        let scale = Scale::of(first.at, last.at);
        let mut bars = Vec::new();
        let (mut before, mut y) = (first.at, ROW_HEIGHT);
        for stage in &page.stages {
            let (from, to) = (scale.x(before)?, scale.x(stage.at)?);
            let after = span(stage.at.duration_since(first.at).as_secs());
            let (width, label_x) = ((to - from).max(2), to + 6);
            bars.push(Bar { name: &stage.name, label: shortened(&stage.name), y, x: from, width, after, label_x });
            (before, y) = (stage.at, y + ROW_HEIGHT);
        }
        let rows_y = y + ROW_HEIGHT / 2;
        let mut rows: Vec<Row<'a>> = Vec::new();
        for lane in Lane::ALL {
            let of_lane = page.moments.iter().filter(|moment| moment.lane == lane);
            let dot = |moment: &'a crate::Moment| {
                Some(Dot { x: scale.x(moment.at)?, what: &moment.what, when: crate::time(&moment.at) })
            };
            let dots: Vec<_> = of_lane.filter_map(dot).collect();
            if !dots.is_empty() {
                let y = rows_y + i64::try_from(rows.len()).unwrap_or_default() * ROW_HEIGHT;
                rows.push(Row { name: lane.name(), y, dots });
            }
        }
        let height = rows_y + i64::try_from(rows.len()).unwrap_or_default() * ROW_HEIGHT + 8;
        let (plot_end, width) = (LABEL_WIDTH + PLOT_WIDTH, LABEL_WIDTH + PLOT_WIDTH + MARGIN);
        let ticks = scale.ticks(first.at);
        Some(Self { width, height, plot_x: LABEL_WIDTH, plot_end, bars, rows, rows_y, ticks })
    }
}
