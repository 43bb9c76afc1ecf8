//! Numbers: "up to 38 significant digits. Leading and trailing zeroes are trimmed" (DynamoDB item sizes and formats).

use std::fmt;

/// "Positive range: 1E-130 to 9.9999999999999999999999999999999999999E+125" (Supported data types).
const MAGNITUDE_MAX: i64 = 125;
const MAGNITUDE_MIN: i64 = -130;
const DIGITS_MAX: usize = 38;

/// A number in the one form it has however it was written, so that equal numbers are equal: 0.DIGITS × 10^POINT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    is_negative: bool,
    /// Without zeroes at either end; none for zero.
    digits: String,
    point: i64,
}

impl Number {
    /// Reads a number; AWS's words for what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (is_negative, digits, point) =
            taken_apart(text).ok_or_else(|| format!("The parameter cannot be converted to a numeric value: {text}"))?;
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let digits = digits.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Ok(Self { is_negative: false, digits, point: 0 });
        }
        let point = point.saturating_sub(leading as i64);
        if digits.len() > DIGITS_MAX {
            return Err("Attempting to store more than 38 significant digits in a Number".to_owned());
        }
        let out_of_range = |what: &str| {
            Err(format!(
                "Number {what}. Attempting to store a number with magnitude {} than supported range",
                match what {
                    "overflow" => "larger",
                    _ => "smaller",
                }
            ))
        };
        match point - 1 {
            magnitude if magnitude > MAGNITUDE_MAX => out_of_range("overflow"),
            magnitude if magnitude < MAGNITUDE_MIN => out_of_range("underflow"),
            _ => Ok(Self { is_negative, digits, point }),
        }
    }

    /// "Approximately … (1 byte per two significant digits) + (1 byte)".
    pub fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1
    }
}

/// Sign, digits and the place of the point among them.
fn taken_apart(text: &str) -> Option<(bool, String, i64)> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (is_negative, digits, whole.len() as i64 + i64::from(exponent)))
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zeroes = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        if self.is_negative {
            formatter.write_str("-")?;
        }
        match usize::try_from(self.point) {
            _ if self.digits.is_empty() => formatter.write_str("0"),
            Ok(point) if point >= self.digits.len() => {
                write!(formatter, "{}{}", self.digits, zeroes(self.point - self.digits.len() as i64))
            }
            Ok(point @ 1..) => write!(formatter, "{}.{}", &self.digits[..point], &self.digits[point..]),
            _ => write!(formatter, "0.{}{}", zeroes(-self.point), self.digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_told_in_one_form_however_it_was_written() {
        let table = [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("1.500", "1.5"),
            ("-12.5", "-12.5"),
            ("1E2", "100"),
            ("+100", "100"),
            (".5", "0.5"),
            ("125e-4", "0.0125"),
            ("9.9e3", "9900"),
        ];
        for (written, told) in table {
            assert_eq!(Number::parse(written).unwrap().to_string(), told, "{written}");
        }
        assert_eq!(Number::parse("1e1"), Number::parse("10.0"));
        assert_eq!(Number::parse("12345").unwrap().size(), 4);
    }

    #[test]
    fn what_is_no_number_or_does_not_fit_is_refused() {
        let long = "1".repeat(39);
        let table = [
            ("", "cannot be converted to a numeric value: "),
            ("1x", "cannot be converted to a numeric value: 1x"),
            (" 1", "cannot be converted"),
            ("e5", "cannot be converted"),
            (long.as_str(), "more than 38 significant digits"),
            ("1e126", "Number overflow"),
            ("1e-131", "Number underflow"),
        ];
        for (written, why) in table {
            let refused = Number::parse(written).unwrap_err();
            assert!(refused.contains(why), "{written}: {refused}");
        }
        assert!(Number::parse(&format!("{}e87", "9".repeat(38))).is_ok());
        assert!(Number::parse("1e-130").is_ok());
    }
}
