//! The lab at a glance: what is so now, drawn from plain data.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Good,
    /// Neither.
    Plain,
    /// Not as it should be.
    Bad,
}

/// One line: what, how it is, and how well that is.
#[derive(Clone, Debug)]
pub struct Item {
    /// What.
    pub what: String,
    /// How it is.
    pub is: String,
    /// How well that is.
    pub mood: Mood,
}

impl Item {
    /// A line.
    pub fn new(what: impl Into<String>, is: impl Into<String>, mood: Mood) -> Self {
        Self { what: what.into(), is: is.into(), mood }
    }
}

/// Everything that is shown.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Lab time.
    pub now: Timestamp,
    /// What is broken, in words.
    pub broken: Vec<String>,
    /// Names: their registers, and where DNS sends users.
    pub names: Vec<Item>,
    /// Health checks by name.
    pub checks: BTreeMap<String, bool>,
    /// Alarms by name.
    pub alarms: BTreeMap<String, String>,
    /// Databases of both regions.
    pub databases: Vec<Item>,
    /// What happened, newest last.
    pub events: Vec<String>,
}

/// Draws the board.
pub fn draw(frame: &mut Frame<'_>, board: &Board) {
    let height = |lines: usize| Constraint::Length(u16::try_from(lines + 2).unwrap_or(u16::MAX));
    let watched = board.checks.len().max(board.alarms.len());
    let [top, names, middle, databases, events] = Layout::vertical([
        Constraint::Length(1),
        height(board.names.len()),
        height(watched),
        height(board.databases.len()),
        Constraint::Min(3),
    ])
    .areas(frame.area());
    frame.render_widget(headline(board), top);
    list(frame, names, "names: register, DNS", &board.names);
    let [checks, alarms] = Layout::horizontal([Constraint::Percentage(50); 2]).areas(middle);
    let health = |(name, healthy): (&String, &bool)| match healthy {
        true => Item::new(name, "healthy", Mood::Good),
        false => Item::new(name, "UNHEALTHY", Mood::Bad),
    };
    list(frame, checks, "health checks", &board.checks.iter().map(health).collect::<Vec<_>>());
    let alarm = |(name, state): (&String, &String)| {
        let mood = match state.as_str() {
            "OK" => Mood::Good,
            "ALARM" => Mood::Bad,
            _ => Mood::Plain,
        };
        Item::new(name, state, mood)
    };
    list(frame, alarms, "alarms", &board.alarms.iter().map(alarm).collect::<Vec<_>>());
    list(frame, databases, "databases", &board.databases);
    let room = usize::from(events.height.saturating_sub(2));
    let newest = &board.events[board.events.len().saturating_sub(room)..];
    let lines: Vec<_> = newest.iter().map(|line| Line::raw(line.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("what happens")), events);
}

fn headline(board: &Board) -> Line<'_> {
    let now = Span::raw(format!("lab time {}  ", board.now.strftime("%Y-%m-%d %H:%M:%S")));
    let health = match board.broken.as_slice() {
        [] => Span::raw("all is whole").green(),
        broken => Span::raw(broken.join("; ")).red().bold(),
    };
    Line::from(vec![now, health, Span::raw("  (cargo lab fail primary, heal; Ctrl-C ends)").dim()])
}

fn list(frame: &mut Frame<'_>, area: Rect, title: &str, items: &[Item]) {
    let width = items.iter().map(|item| item.what.chars().count()).max().unwrap_or_default();
    let line = |item: &Item| {
        let style = match item.mood {
            Mood::Good => Style::new().fg(Color::Green),
            Mood::Plain => Style::new(),
            Mood::Bad => Style::new().fg(Color::Red).bold(),
        };
        Line::from(vec![Span::raw(format!("{:width$}  ", item.what)), Span::styled(item.is.clone(), style)])
    };
    let lines: Vec<_> = items.iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title.to_owned())), area);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    fn drawn(board: &Board, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, board)).unwrap();
        terminal.backend().to_string()
    }

    fn board() -> Board {
        Board {
            now: "2026-01-05T10:12:23Z".parse().unwrap(),
            broken: vec!["eu-west-1 is down".to_owned()],
            names: vec![Item::new("app.example.com", "pinned, DNS 127.0.20.1", Mood::Bad)],
            checks: [("endpoint".to_owned(), false)].into(),
            alarms: [("site-down".to_owned(), "ALARM".to_owned())].into(),
            databases: vec![Item::new("app-dr in eu-central-1", "promoting", Mood::Plain)],
            events: (1..=50).map(|nth| format!("event {nth}")).collect(),
        }
    }

    #[test]
    fn everything_that_is_so_now_is_on_one_screen_with_the_newest_events() {
        let screen = drawn(&board(), 100, 24);
        for said in [
            "lab time 2026-01-05 10:12:23  eu-west-1 is down",
            "app.example.com  pinned, DNS 127.0.20.1",
            "endpoint  UNHEALTHY",
            "site-down  ALARM",
            "app-dr in eu-central-1  promoting",
            "event 50",
        ] {
            assert!(screen.contains(said), "{said:?} is not on\n{screen}");
        }
        assert!(!screen.contains("event 1│"), "old events make room for new ones");
    }

    #[test]
    fn a_terminal_too_small_for_it_shows_what_fits() {
        for (width, height) in [(1, 1), (20, 5), (300, 3)] {
            drawn(&board(), width, height);
        }
        assert!(drawn(&Board::default(), 80, 24).contains("all is whole"));
    }
}
