//! Questions at a terminal, and what is answered where nobody can be asked.

use std::io::{BufRead, Write};

use crate::failure::Failure;

/// Asks, or takes what would be offered.
pub struct Dialogue<'a> {
    /// Where answers come from, and questions go to; none where nobody is asked.
    pub with: Option<(&'a mut dyn BufRead, &'a mut dyn Write)>,
}

impl Dialogue<'_> {
    /// Whether somebody is asked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.with.is_some()
    }

    /// Says something to whoever is asked.
    pub fn say(&mut self, line: &str) {
        if let Some((_, output)) = &mut self.with {
            // Who sees no question gives no answer, and is told then.
            let _ = writeln!(output, "{line}");
        }
    }

    /// An answer; nothing typed means `offered`. Where nobody is asked, `offered`.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn ask(&mut self, question: &str, offered: Option<&str>) -> Result<Option<String>, Failure> {
        let offered_again = || offered.map(str::to_owned);
        let Some((input, output)) = &mut self.with else { return Ok(offered_again()) };
        let shown =
            offered.map_or_else(|| " [not known: Enter leaves it]".to_owned(), |offered| format!(" [{offered}]"));
        let gone = |_| Failure::NotConfirmed(": the terminal is gone");
        write!(output, "{question}{shown} ").and_then(|()| output.flush()).map_err(gone)?;
        let mut answer = String::new();
        if input.read_line(&mut answer).map_err(gone)? == 0 {
            return Err(Failure::NotConfirmed(": there was no answer"));
        }
        Ok(match answer.trim() {
            "" => offered_again(),
            answer => Some(answer.to_owned()),
        })
    }

    /// The same until `read` can make something of it.
    ///
    /// # Errors
    /// If the terminal is gone; where nobody is asked, what is wrong with what was offered.
    pub fn ask_for<T>(
        &mut self,
        question: &str,
        offered: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        loop {
            let Some(answer) = self.ask(question, offered)? else { return Ok(None) };
            match read(&answer) {
                Ok(value) => return Ok(Some(value)),
                Err(wrong) if self.is_open() => self.say(&wrong),
                Err(wrong) => return Err(Failure::Usage(wrong)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.parse().map_err(|_| format!("{text} is no number"))
    }

    #[test]
    fn an_answer_is_taken_enter_takes_what_is_offered_and_nonsense_is_asked_again() {
        for (typed, offered, answer) in
            [("7\n", Some("3"), Some(7)), ("\n", Some("3"), Some(3)), ("\n", None, None), ("x\n8\n", None, Some(8))]
        {
            let (mut input, mut output) = (typed.as_bytes(), Vec::new());
            let mut dialogue = Dialogue { with: Some((&mut input, &mut output)) };
            assert_eq!(dialogue.ask_for("How many?", offered, number).unwrap(), answer, "{typed:?}");
        }
        let (mut input, mut output) = (&b""[..], Vec::new());
        let mut dialogue = Dialogue { with: Some((&mut input, &mut output)) };
        assert!(matches!(dialogue.ask("Well?", Some("yes")), Err(Failure::NotConfirmed(_))), "the end is no yes");
        let mut nobody = Dialogue { with: None };
        assert_eq!(nobody.ask_for("How many?", Some("3"), number).unwrap(), Some(3));
        assert!(matches!(nobody.ask_for("How many?", Some("x"), number), Err(Failure::Usage(_))));
    }
}
