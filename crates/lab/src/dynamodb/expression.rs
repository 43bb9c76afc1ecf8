//! What a condition expression says, before its placeholders are filled in: the grammar of "Condition and filter expressions,
//! operators, and functions", as far as the lab knows it.

use super::refusal::validation;
use crate::wire::Refusal;

/// How deep NOTs and parentheses go in the lab; AWS says only "the maximum number of operators or functions is 300".
const DEPTH_MAX: usize = 100;
/// "The maximum length of any expression string is 4 KB" (Constraints).
const BYTES_MAX: usize = 4 * 1024;

/// A condition as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// A function of operands.
    Function { name: &'a str, operands: Vec<&'a str> },
    /// `=` or `<>`.
    Compared { operator: &'a str, operands: [&'a str; 2] },
    /// `NOT`
    Not(Box<Written<'a>>),
    /// `AND`
    And(Box<Written<'a>>, Box<Written<'a>>),
    /// `OR`
    Or(Box<Written<'a>>, Box<Written<'a>>),
    /// In parentheses.
    Group(Box<Written<'a>>),
}

/// Refuses with what is wrong with the expression.
pub fn invalid(why: &str) -> Refusal {
    validation(format!("Invalid ConditionExpression: {why}"))
}

/// Reads an expression.
pub fn parse(text: &str) -> Result<Written<'_>, Refusal> {
    if text.trim().is_empty() {
        // With the envelope since 2026 (recorded from AWS by nubo-db/dynamodb-conformance); without it before.
        let why = "1 validation error detected: Invalid ConditionExpression: The expression can not be empty;";
        return Err(validation(why));
    }
    if text.len() > BYTES_MAX {
        return Err(invalid("Expression size has exceeded the maximum allowed size;"));
    }
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, depth: 0 };
    let written = parser.either()?;
    match parser.peek() {
        "" => Ok(written),
        _ => Err(parser.unexpected()),
    }
}

/// The tokens of a text, and where each begins: names, placeholders, and signs of one or two characters. The last is empty,
/// and the end.
fn tokens(text: &str) -> Result<Vec<(usize, &str)>, Refusal> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let word = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let length = match first {
            '#' | ':' if word > 0 => 1 + word,
            'a'..='z' | 'A'..='Z' => 1 + word,
            '<' if after.starts_with(['>', '=']) => 2,
            '>' if after.starts_with('=') => 2,
            '<' | '>' | '=' | '(' | ')' | ',' => 1,
            '.' | '[' => return Err(Refusal::unsupported("paths into an attribute's value")),
            _ => {
                let before = tokens.last().map(|(_, last)| format!("{last} ")).unwrap_or_default();
                return Err(invalid(&format!("Syntax error; token: \"{first}\", near: \"{before}{first}\"")));
            }
        };
        tokens.push((text.len() - rest.len(), &rest[..length]));
        rest = rest[length..].trim_start();
    }
    tokens.push((text.len(), ""));
    Ok(tokens)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(usize, &'a str)>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.peek_at(0)
    }

    fn peek_at(&self, offset: usize) -> &'a str {
        self.tokens.get(self.at + offset).map(|(_, token)| *token).unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Takes a keyword or a sign, if it comes next.
    fn takes(&mut self, wanted: &str) -> bool {
        let is_next = self.peek().eq_ignore_ascii_case(wanted);
        self.at += usize::from(is_next);
        is_next
    }

    /// "NOT, AND, OR" are evaluated in this order ("Precedence in conditions").
    fn either(&mut self) -> Result<Written<'a>, Refusal> {
        let mut left = self.both()?;
        while self.takes("OR") {
            left = Written::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Written<'a>, Refusal> {
        let mut left = self.one()?;
        while self.takes("AND") {
            left = Written::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Written<'a>, Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refusal::unsupported(format!("conditions nested more than {DEPTH_MAX} deep")));
        }
        let read = match self.peek() {
            "(" => self.group(),
            _ if self.takes("NOT") => self.one().map(|inner| Written::Not(Box::new(inner))),
            _ => self.plain(),
        };
        self.depth -= 1;
        read
    }

    fn group(&mut self) -> Result<Written<'a>, Refusal> {
        self.at += 1;
        if self.peek_at(1) == ")" {
            return Err(Refusal::unsupported("an operand in parentheses"));
        }
        let inner = self.either()?;
        if !self.takes(")") {
            return Err(self.unexpected());
        }
        match inner {
            Written::Group(_) => Err(invalid("The expression has redundant parentheses;")),
            inner => Ok(Written::Group(Box::new(inner))),
        }
    }

    fn plain(&mut self) -> Result<Written<'a>, Refusal> {
        let first = self.operand()?;
        if self.peek() == "(" && !first.starts_with([':', '#']) {
            return self.function(first);
        }
        match self.peek() {
            operator @ ("=" | "<>") => {
                self.at += 1;
                Ok(Written::Compared { operator, operands: [first, self.operand()?] })
            }
            operator @ ("<" | "<=" | ">" | ">=") => Err(unknown(operator)),
            operator if ["BETWEEN", "IN"].iter().any(|known| operator.eq_ignore_ascii_case(known)) => {
                Err(unknown(operator))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn function(&mut self, name: &'a str) -> Result<Written<'a>, Refusal> {
        self.at += 1;
        let mut operands = vec![self.operand()?];
        while self.takes(",") {
            operands.push(self.operand()?);
        }
        match self.takes(")") {
            true => Ok(Written::Function { name, operands }),
            false => Err(self.unexpected()),
        }
    }

    fn operand(&mut self) -> Result<&'a str, Refusal> {
        let is_keyword = |token: &str| ["AND", "OR", "NOT"].iter().any(|known| token.eq_ignore_ascii_case(known));
        if (self.peek(), self.peek_at(1)) == ("size", "(") {
            return Err(Refusal::unsupported("the function size of condition expressions"));
        }
        match self.peek() {
            token if token.starts_with(|c: char| c.is_ascii_alphabetic() || c == ':' || c == '#') => {
                match is_keyword(token) {
                    true => Err(self.unexpected()),
                    false => Ok(self.next()),
                }
            }
            _ => Err(self.unexpected()),
        }
    }

    /// The token that does not belong here, and the text from the token before it to the one after it.
    fn unexpected(&self) -> Refusal {
        let token = if self.peek().is_empty() { "<EOF>" } else { self.peek() };
        let from = self.tokens.get(self.at.saturating_sub(1)).map_or(0, |(start, _)| *start);
        let to = self.tokens.get(self.at + 1).map_or(self.text.len(), |(start, after)| start + after.len());
        let near = self.text.get(from..to).unwrap_or_default();
        invalid(&format!("Syntax error; token: \"{token}\", near: \"{near}\""))
    }
}

fn unknown(operator: &str) -> Refusal {
    Refusal::unsupported(format!("the operator {operator} of condition expressions"))
}
