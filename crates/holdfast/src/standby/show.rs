//! Readiness on a screen: the verdict first, then what is not ready, what is not known, and how much is ready.

use anstyle::Style;
use failover::standby::{Finding, Verdict, counts, verdict};

use crate::terminal::{BAD, BOLD, DIM, GOOD, Terminal, WARNING};

/// How many rows have which verdict, in words.
pub fn tally(findings: &[Finding]) -> String {
    let counts = counts(findings);
    let words = [Verdict::NotReady, Verdict::NotKnown, Verdict::Ready].map(|it| format!("{} {it}", counts[&it]));
    words.join(", ")
}

pub fn show(terminal: &Terminal, findings: &[Finding], verbose: bool) {
    let (style, words) = match verdict(findings) {
        Verdict::NotReady => (BAD, "NOT READY"),
        Verdict::NotKnown => (WARNING, "NOT KNOWN"),
        Verdict::Ready => (GOOD, "READY"),
    };
    terminal.say(format!("{style}{words}{style:#}  {}", tally(findings)));
    for (verdict, style) in [(Verdict::NotReady, BAD), (Verdict::NotKnown, WARNING), (Verdict::Ready, GOOD)] {
        let of_it: Vec<_> = findings.iter().filter(|finding| finding.verdict == verdict).collect();
        if !of_it.is_empty() && (verbose || verdict != Verdict::Ready) {
            section(terminal, &of_it, verdict, style, verbose);
        }
    }
    if !verbose {
        terminal.say(format!("\n{DIM}--verbose shows what is ready too, and how each was looked at{DIM:#}"));
    }
}

/// Rows about one thing with one reason are told together: a load balancer that nobody knows has six.
fn section(terminal: &Terminal, findings: &[&Finding], verdict: Verdict, style: Style, verbose: bool) {
    terminal.say(format!("\n{style}{verdict}{style:#}"));
    let mut told: Vec<(&Finding, Vec<&str>)> = Vec::new();
    for finding in findings {
        let same = |(other, _): &&mut (&Finding, _)| {
            (&other.about, &other.seen, &other.remedy) == (&finding.about, &finding.seen, &finding.remedy)
        };
        match told.iter_mut().find(same) {
            Some((_, rows)) if verdict == Verdict::NotKnown && !verbose => rows.push(finding.row),
            _ => told.push((finding, vec![finding.row])),
        }
    }
    for (finding, rows) in told {
        terminal.say(format!("  {BOLD}{}{BOLD:#}  {}", rows.join(", "), finding.about));
        terminal.say(format!("    seen     {}", finding.seen));
        if verdict == Verdict::NotReady || verbose {
            terminal.say(format!("    must be  {}", finding.must_be));
        }
        if verbose {
            terminal.say(format!("    looked   {}", finding.how));
        }
        if !finding.remedy.is_empty() {
            terminal.say(format!("    do       {}", finding.remedy));
        }
    }
}
