//! The operator `wildcard`: `*` stands for any text, `\*` and `\\` for themselves.

use std::collections::BTreeSet;

/// How many beginnings of a wildcard one text may match at once. AWS takes `/Users/*/dir/dir/dir/dir/dir/doc.txt` (8) and
/// refuses `*:*:*:*:*:event-bus/*` (11); where between them its limit lies is not recorded.
const BEGINNINGS_MAX: usize = 10;
/// How many sets of beginnings are looked at: what people write has far fewer.
const SETS_MAX: usize = 2_000;

/// The characters, and nothing for each `*`.
#[derive(Clone, Debug)]
pub(super) struct Wildcard(Vec<Option<char>>);

/// How many characters of a wildcard a text has matched so far: several counts at once, since a star may go on or end.
type Beginnings = BTreeSet<usize>;

impl Wildcard {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut characters = text.chars().enumerate();
        while let Some((at, character)) = characters.next() {
            tokens.push(match character {
                '*' if tokens.last() == Some(&None) => {
                    return Err(format!("Consecutive wildcard characters at pos {at}"));
                }
                '*' => None,
                '\\' => match characters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => Some(escaped),
                    _ => return Err(format!("Invalid escape character at pos {at}")),
                },
                other => Some(other),
            });
        }
        let wildcard = Self(tokens);
        if wildcard.most_beginnings() > BEGINNINGS_MAX {
            return Err("Rule is too complex - try using fewer wildcard characters or fewer repeating character \
                        sequences after a wildcard character"
                .to_owned());
        }
        Ok(wildcard)
    }

    pub(super) fn takes(&self, text: &str) -> bool {
        let end = text.chars().fold(self.opened([0].into()), |now, character| self.after(&now, character));
        end.contains(&self.0.len())
    }

    /// A star may stand for nothing.
    fn opened(&self, mut now: Beginnings) -> Beginnings {
        let stars: Vec<usize> = now.iter().copied().filter(|at| self.0.get(*at) == Some(&None)).collect();
        // No star follows another, so one step is enough.
        now.extend(stars.into_iter().map(|at| at + 1));
        now
    }

    fn after(&self, now: &Beginnings, character: char) -> Beginnings {
        let next = now.iter().filter_map(|at| match self.0.get(*at)? {
            None => Some(*at),
            Some(wanted) => (*wanted == character).then_some(at + 1),
        });
        self.opened(next.collect())
    }

    /// The most beginnings that any text matches at once.
    fn most_beginnings(&self) -> usize {
        // NUL stands for every character that is not in the wildcard.
        let alphabet: BTreeSet<char> = self.0.iter().flatten().copied().chain(['\0']).collect();
        let mut seen = BTreeSet::from([self.opened([0].into())]);
        let mut open: Vec<Beginnings> = seen.iter().cloned().collect();
        while let Some(now) = open.pop().filter(|_| seen.len() < SETS_MAX) {
            for character in &alphabet {
                let next = self.after(&now, *character);
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        seen.iter().map(BTreeSet::len).max().unwrap_or_default()
    }
}
