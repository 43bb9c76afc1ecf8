//! `parameter_overrides` of a samconfig, as sam reads them: `A=b C="d e"`, a list of such texts, or the older
//! `ParameterKey=A,ParameterValue=b`.

/// Parameters of one text, in their order.
///
/// # Errors
/// What of it cannot be read.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut parameters = Vec::new();
    for word in words(text)? {
        let cannot = || format!("has {word:?}, which is not NAME=VALUE");
        let (name, value) = word.split_once('=').ok_or_else(cannot)?;
        let (name, value) = match name {
            "ParameterKey" => value.split_once(",ParameterValue=").ok_or_else(cannot)?,
            _ => (name, value),
        };
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(cannot());
        }
        parameters.push((name.to_owned(), value.to_owned()));
    }
    Ok(parameters)
}

/// Splits at spaces outside quotes; a backslash takes its meaning from what follows it. A single quote is one where a value begins, and a letter
/// anywhere else.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let is_at_value = word.as_ref().is_some_and(|word| word.ends_with('='));
        match letter {
            letter if quote == Some(letter) => quote = None,
            '"' | '\'' if quote.is_none() && (letter == '"' || is_at_value) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(letters.next().unwrap_or(letter)),
            letter if letter.is_whitespace() && quote.is_none() => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(format!("has a quote that does not end: {text}"));
    }
    words.extend(word);
    Ok(words)
}

/// The name before what is still to be filled in.
pub(super) fn to_fill_in(text: &str) -> Option<&str> {
    let (before, _) = text.split_once("FILL IN")?;
    let before = before.trim_end_matches(['=', '"']);
    Some(before.rsplit([' ', '=', ',']).next().unwrap_or(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_sam_reads_them() {
        for (text, expected) in [
            ("", vec![]),
            ("A=b", vec![("A", "b")]),
            ("  A=b   C=d ", vec![("A", "b"), ("C", "d")]),
            (r#"A="b c" D="""#, vec![("A", "b c"), ("D", "")]),
            (r#"A="say \"b\"""#, vec![("A", r#"say "b""#)]),
            ("Url=https://a.example.com/health?a=b", vec![("Url", "https://a.example.com/health?a=b")]),
            ("ParameterKey=A,ParameterValue=b ParameterKey=C,ParameterValue=\"d e\"", vec![("A", "b"), ("C", "d e")]),
            ("Names=a.example.com,*.example.com", vec![("Names", "a.example.com,*.example.com")]),
            (r"A=b\ c", vec![("A", "b c")]),
            (r#"Beats='[{"a":"b c"}]' D=it's"#, vec![("Beats", r#"[{"a":"b c"}]"#), ("D", "it's")]),
            (r#"ParameterKey=A,ParameterValue='b "c"'"#, vec![("A", r#"b "c""#)]),
        ] {
            let expected = expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(parse(text), Ok(expected.collect()), "{text}");
        }
        for text in ["A", "A=b c", "=b", "ParameterKey=A", r#"A="b"#, "A='b", "A B=c", "a-b=c"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_to_be_filled_in_is_named() {
        for (text, name) in [
            ("A=b", None),
            ("A=FILL IN", Some("A")),
            (r#"A=b C="FILL IN""#, Some("C")),
            ("A=b C=FILL IN D=e", Some("C")),
            ("FILL IN", Some("")),
        ] {
            assert_eq!(to_fill_in(text), name, "{text}");
        }
    }
}
