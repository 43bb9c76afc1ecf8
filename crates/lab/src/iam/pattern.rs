//! Wildcards: "an asterisk represents any combination of characters, a question mark any single character".

/// True if a text is as a pattern says.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where the last asterisk stood, and how much of the text it has taken so far.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[seen] => (at, seen) = (at + 1, seen + 1),
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, seen) = (star_at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// Actions are "not case-sensitive".
pub(super) fn like_ignoring_case(pattern: &str, text: &str) -> bool {
    like(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// "Each of the six colon-delimited components of the ARN is checked separately."
pub(super) fn like_arn(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (pattern, arn) = (parts(pattern), parts(arn));
    pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| like(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_what_iam_documents() {
        let table = [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("**", "x", true),
            ("", "x", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_wildcard_in_an_arn_ends_at_its_component_but_in_the_last() {
        let cluster = "arn:aws:rds:eu-central-1:123456789012:cluster:app-dr";
        assert!(like_arn("arn:*:rds:*:*:cluster:app-dr", cluster));
        assert!(like_arn("arn:aws:rds:eu-central-1:123456789012:*", cluster));
        assert!(!like_arn("arn:aws:rds:*:cluster:app-dr", cluster));
        assert!(!like_arn("arn:*:rds:*:*:db:app-dr", cluster));
        assert!(like_arn("*", cluster) && like_arn("*", "*"));
        assert!(!like_arn("arn:aws:rds:*:*:*", "*"));
    }
}
