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

/// Rows about one thing that are unknown for one reason are told together: a load balancer that nobody knows has six.
fn section(terminal: &Terminal, findings: &[&Finding], verdict: Verdict, style: Style, verbose: bool) {
    terminal.say(format!("\n{style}{verdict}{style:#}"));
    let is_joined = verdict == Verdict::NotKnown && !verbose;
    let mut told: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let same = |others: &&mut Vec<&Finding>| (&others[0].about, &others[0].seen) == (&finding.about, &finding.seen);
        match told.iter_mut().find(same) {
            Some(others) if is_joined => others.push(finding),
            _ => told.push(vec![finding]),
        }
    }
    for of_one in told {
        let first = of_one[0];
        let rows: Vec<_> = of_one.iter().map(|finding| finding.row).collect();
        terminal.say(format!("  {BOLD}{}{BOLD:#}  {}", rows.join(", "), first.about));
        terminal.say(format!("    seen     {}", first.seen));
        if !is_joined {
            terminal.say(format!("    must be  {}", first.must_be));
        }
        if verbose {
            terminal.say(format!("    looked   {}", first.how));
        }
        let mut remedies: Vec<_> = of_one.iter().map(|finding| &finding.remedy).filter(|it| !it.is_empty()).collect();
        remedies.dedup();
        remedies.iter().for_each(|remedy| terminal.say(format!("    do       {remedy}")));
    }
}
