//! How times, spans and long texts are written.

use jiff::Timestamp;

/// What is longer than this is folded away on the page, and cut in Markdown.
pub(crate) const LINE_CHARACTERS_MAX: usize = 100;

/// A time of day, in UTC.
pub(crate) fn time(at: &Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// The same with its day.
pub(crate) fn day_and_time(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A day as people say it.
pub(crate) fn day(at: &Timestamp) -> String {
    at.strftime("%a %-d %b %Y").to_string()
}

/// A span as people say it: `42 s`, `7 min 5 s`, `30 min`, `1 h 2 min 3 s`. A colon would leave open whether it is hours.
#[must_use]
pub fn span(seconds: i64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let written = parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count} {unit}"));
    let written: Vec<_> = written.collect();
    if written.is_empty() { "0 s".to_owned() } else { written.join(" ") }
}

/// One line of a Markdown table may hold neither bars nor breaks.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// The beginning of what is too long for a line.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARACTERS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
