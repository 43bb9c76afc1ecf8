//! Whether a record's values fit its type ("Supported DNS record types", Developer Guide). The wording for A, AAAA, CNAME,
//! MX, SRV and TXT is Route 53's, as people have quoted it; for the others only the code, `InvalidChangeBatch`, is.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::name::DnsName;
use super::record::Kind;

/// Says what is wrong with a value, in Route 53's words.
pub(super) fn fault_of_value(kind: Kind, value: &str) -> Option<String> {
    let problem = match kind {
        Kind::A if value.parse::<Ipv4Addr>().is_err() => {
            "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)".to_owned()
        }
        Kind::Aaaa if value.parse::<Ipv6Addr>().is_err() => {
            "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)".to_owned()
        }
        Kind::A | Kind::Aaaa => return None,
        Kind::Cname | Kind::Ns | Kind::Ptr => {
            return DnsName::parse(value).err().map(|bad| fatal(&bad.to_string()));
        }
        Kind::Txt | Kind::Spf => strings_of_txt(value).err()?.to_owned(),
        _ => fault_of_fields(kind, value).err()?,
    };
    Some(fatal(&format!("{problem} encountered with '{value}'")))
}

fn fatal(problem: &str) -> String {
    format!("Invalid Resource Record: 'FATAL problem: {problem}'")
}

/// One field of a value.
struct Field {
    text: String,
    is_quoted: bool,
}

/// The fields of a value; what is in quotation marks is one.
fn fields(kind: Kind, value: &str) -> Result<Vec<Field>, String> {
    let mut fields = Vec::new();
    let mut rest = value.trim_start();
    while let Some(first) = rest.chars().next() {
        let (text, is_quoted, length) = if first == '"' {
            let open = || format!("{kind}RRDATAInvalidQuotation (Value has an open quotation mark)");
            let length = end_of_quotation(&rest[1..]).ok_or_else(open)?;
            (&rest[1..=length], true, length + 2)
        } else {
            let length = end_of_word(rest);
            (&rest[..length], false, length)
        };
        fields.push(Field { text: text.to_owned(), is_quoted });
        rest = rest[length..].trim_start();
    }
    Ok(fields)
}

/// Where a word ends: at white space that is in no quotation marks (`alpn="h3 h2"` is one word).
fn end_of_word(text: &str) -> usize {
    let mut in_quotes = false;
    for (at, character) in text.char_indices() {
        in_quotes ^= character == '"';
        if character.is_whitespace() && !in_quotes {
            return at;
        }
    }
    text.len()
}

fn end_of_quotation(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let ends = character == '"' && !is_escaped;
        is_escaped = character == '\\' && !is_escaped;
        ends.then_some(at)
    })
}

/// Reads the fields of one value, one after another.
struct Reader {
    kind: Kind,
    fields: std::vec::IntoIter<Field>,
}

impl Reader {
    /// A value of at least so many fields; of exactly so many, if `is_exact`.
    fn new(kind: Kind, value: &str, count: usize, is_exact: bool) -> Result<Self, String> {
        const COUNTS: [&str; 8] = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"];
        let fields = fields(kind, value)?;
        if fields.len() < count || (is_exact && fields.len() > count) {
            let counted = COUNTS.get(count).unwrap_or(&"Enough");
            return Err(format!("{kind}RRDATANot{counted}Fields ({kind} record doesn't have {count} fields)"));
        }
        Ok(Self { kind, fields: fields.into_iter() })
    }

    fn fault(&self, what: &str) -> String {
        format!("{}RRDATAInvalid{} (Value has no valid {})", self.kind, what.replace(' ', ""), what.to_lowercase())
    }

    fn word(&mut self, what: &str) -> Result<String, String> {
        let word = self.fields.next().filter(|field| !field.is_quoted).map(|field| field.text);
        word.ok_or_else(|| self.fault(what))
    }

    fn number<T: FromStr>(&mut self, what: &str) -> Result<(), String> {
        let word = self.word(what)?;
        // A plus sign is no digit.
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<T>().is_ok();
        if is_number { Ok(()) } else { Err(self.fault(what)) }
    }

    /// A domain name, or `.` where there is none.
    fn host(&mut self, what: &str) -> Result<(), String> {
        let word = self.word(what)?;
        if word == "." || DnsName::parse(&word).is_ok() { Ok(()) } else { Err(self.fault(what)) }
    }

    fn quoted(&mut self, what: &str) -> Result<(), String> {
        let field = self.fields.next().filter(|field| field.is_quoted);
        field.map(|_| ()).ok_or_else(|| self.fault(what))
    }

    /// Hexadecimal to the end; white space within it does not count.
    fn hexadecimal(self, what: &str) -> Result<(), String> {
        let fault = self.fault(what);
        let digits: String = self.fields.map(|field| field.text).collect();
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit()) && digits.len().is_multiple_of(2);
        if is_hexadecimal && !digits.is_empty() { Ok(()) } else { Err(fault) }
    }
}

fn fault_of_fields(kind: Kind, value: &str) -> Result<(), String> {
    let read = |count, is_exact| Reader::new(kind, value, count, is_exact);
    match kind {
        Kind::Mx => {
            let mut fields = read(2, true)?;
            fields.number::<u16>("Priority")?;
            fields.host("Host")
        }
        Kind::Srv => {
            let mut fields = read(4, true)?;
            ["Priority", "Weight", "Port"].iter().try_for_each(|what| fields.number::<u16>(what))?;
            fields.host("Target")
        }
        Kind::Soa => {
            let mut fields = read(7, true)?;
            ["Name Server", "Mailbox"].iter().try_for_each(|what| fields.host(what))?;
            ["Serial", "Refresh", "Retry", "Expire", "Minimum"].iter().try_for_each(|what| fields.number::<u32>(what))
        }
        Kind::Caa => {
            let mut fields = read(3, true)?;
            fields.number::<u8>("Flags")?;
            let tag = fields.word("Tag")?;
            if tag.is_empty() || !tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(fields.fault("Tag"));
            }
            fields.quoted("Value In Quotation Marks")
        }
        Kind::Ds => {
            let mut fields = read(4, false)?;
            fields.number::<u16>("Key Tag")?;
            ["Algorithm", "Digest Type"].iter().try_for_each(|what| fields.number::<u8>(what))?;
            fields.hexadecimal("Digest")
        }
        Kind::Tlsa => {
            let mut fields = read(4, false)?;
            ["Certificate Usage", "Selector", "Matching Type"].iter().try_for_each(|what| fields.number::<u8>(what))?;
            fields.hexadecimal("Certificate Association Data")
        }
        Kind::Sshfp => {
            let mut fields = read(3, false)?;
            ["Algorithm", "Type"].iter().try_for_each(|what| fields.number::<u8>(what))?;
            fields.hexadecimal("Fingerprint")
        }
        Kind::Naptr => {
            let mut fields = read(6, true)?;
            ["Order", "Preference"].iter().try_for_each(|what| fields.number::<u16>(what))?;
            ["Flags", "Service", "Regexp"].iter().try_for_each(|what| fields.quoted(what))?;
            fields.host("Replacement")
        }
        Kind::Https | Kind::Svcb => service(read(2, false)?),
        Kind::A | Kind::Aaaa | Kind::Cname | Kind::Ns | Kind::Ptr | Kind::Spf | Kind::Txt => Ok(()),
    }
}

/// `SvcPriority TargetName SvcParams`, each parameter once (RFC 9460, section 2.1).
fn service(mut fields: Reader) -> Result<(), String> {
    fields.number::<u16>("Priority")?;
    fields.host("Target Name")?;
    let mut seen = BTreeSet::new();
    while let Some(parameter) = fields.fields.next() {
        let (key, value) = match parameter.text.split_once('=') {
            Some((key, value)) => (key, Some(value.trim_matches('"'))),
            None => (parameter.text.as_str(), None),
        };
        if parameter.is_quoted || !seen.insert(key.to_owned()) || !fits(key, value) {
            return Err(fields.fault("Parameter"));
        }
    }
    Ok(())
}

fn fits(key: &str, value: Option<&str>) -> bool {
    let every = |fits: fn(&str) -> bool| value.is_some_and(|value| value.split(',').all(fits));
    match key {
        "no-default-alpn" | "ohttp" => value.is_none(),
        "port" => every(|port| port.parse::<u16>().is_ok()),
        "ipv4hint" => every(|address| address.parse::<Ipv4Addr>().is_ok()),
        "ipv6hint" => every(|address| address.parse::<Ipv6Addr>().is_ok()),
        "mandatory" | "alpn" | "ech" | "dohpath" => value.is_some_and(|value| !value.is_empty()),
        _ => key.strip_prefix("key").is_some_and(|number| number.parse::<u16>().is_ok()),
    }
}

/// The strings a TXT value is made of: "one or more strings that are enclosed in double quotation marks", each "up to
/// 255 characters", the whole at most 4,000 (Developer Guide, "TXT record type"); specials as `\ooo`, and `\"`.
pub(crate) fn strings_of_txt(value: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    if value.chars().count() > 4000 {
        return Err("TXTRDATATooLong (Value length exceeds 4000 characters)");
    }
    let mut strings = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        rest = rest.strip_prefix('"').ok_or("InvalidCharacterString (Value should be enclosed in quotation marks)")?;
        let mut string = Vec::new();
        loop {
            let mut characters = rest.chars();
            match characters.next() {
                None => return Err("InvalidCharacterString (Value should be enclosed in quotation marks)"),
                Some('"') => break,
                Some('\\') => {
                    let code = rest.get(1..4).filter(|code| code.bytes().all(|digit| digit.is_ascii_digit()));
                    if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
                        string.push(byte);
                        rest = &rest[4..];
                        continue;
                    }
                    let escaped = characters.next().ok_or("InvalidCharacterString (Value ends in an escape)")?;
                    string.extend(escaped.to_string().bytes());
                }
                Some(plain) => string.extend(plain.to_string().bytes()),
            }
            rest = characters.as_str();
        }
        if string.len() > 255 {
            return Err("CharacterStringTooLong (Value is too long)");
        }
        strings.push(string);
        rest = rest[1..].trim_start();
    }
    if strings.is_empty() { Err("CharacterStringEmpty (Value is empty)") } else { Ok(strings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_by_family() {
        assert_eq!(fault_of_value(Kind::A, "192.0.2.1"), None);
        assert_eq!(fault_of_value(Kind::Aaaa, "2001:db8::1"), None);
        assert!(fault_of_value(Kind::A, "2001:db8::1").unwrap().contains("ARRDATAIllegalIPv4Address"));
        assert!(fault_of_value(Kind::Aaaa, "192.0.2.1").unwrap().contains("AAAARRDATAIllegalIPv6Address"));
    }

    #[test]
    fn a_txt_value_is_quoted_strings_of_at_most_255_characters() {
        assert_eq!(strings_of_txt(r#""v=1" "a \"b\" \052""#).unwrap(), [b"v=1".to_vec(), b"a \"b\" *".to_vec()]);
        let longest = format!("\"{}\"", "x".repeat(255));
        assert!(strings_of_txt(&longest).is_ok());
        let too_long = format!("\"{}\"", "x".repeat(256));
        assert!(strings_of_txt(&too_long).unwrap_err().starts_with("CharacterStringTooLong"));
        for bad in ["bare", "\"open", "\"a\"b", "\"a\\"] {
            assert!(strings_of_txt(bad).unwrap_err().starts_with("InvalidCharacterString"), "{bad}");
        }
        assert!(strings_of_txt(&vec![longest; 16].join(" ")).unwrap_err().starts_with("TXTRDATATooLong"));
    }

    #[test]
    fn values_fit_their_type_or_are_refused() {
        let good = [
            (Kind::Mx, "10 mail.example.com"),
            (Kind::Mx, "0 ."),
            (Kind::Srv, "10 60 5060 sip.example.com."),
            (Kind::Caa, "0 issue \"letsencrypt.org; validationmethods=dns-01\""),
            (Kind::Caa, "128 iodef \"mailto:sec@example.com\""),
            (Kind::Tlsa, "3 1 1 0c72ac70 b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b566 64c5d3d6"),
            (Kind::Sshfp, "1 1 09F6A01D2175742B257C6B98B7C72C44C4040683"),
            (Kind::Ds, "12345 3 1 123456789abcdef67890123456789abcdef67890"),
            (Kind::Naptr, "100 50 \"u\" \"E2U+sip\" \"!^(\\\\+441632960083)$!sip:\\\\1@example.com!\" ."),
            (Kind::Https, "1 . alpn=\"h3,h2\" ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 key65400=x"),
            (Kind::Https, "0 other.example.com."),
            (Kind::Svcb, "16 foo.example.org port=53 no-default-alpn"),
            (Kind::Ptr, "host.example.com"),
            (Kind::Spf, "\"v=spf1 -all\""),
            (Kind::Soa, "ns-1.awsdns-1.com. hostmaster.example.com. 1 7200 900 1209600 86400"),
        ];
        for (kind, value) in good {
            assert_eq!(fault_of_value(kind, value), None, "{kind} {value}");
        }
        let bad = [
            (Kind::Mx, "mail.example.com"),
            (Kind::Mx, "10"),
            (Kind::Mx, "65536 mail.example.com"),
            (Kind::Mx, "+1 mail.example.com"),
            (Kind::Mx, "10 mail..example.com"),
            (Kind::Srv, "10 60 sip.example.com."),
            (Kind::Srv, "10 60 70000 sip.example.com."),
            (Kind::Caa, "0 issue letsencrypt.org"),
            (Kind::Caa, "256 issue \"letsencrypt.org\""),
            (Kind::Caa, "0 issue \"open"),
            (Kind::Tlsa, "3 1 1 xyz"),
            (Kind::Tlsa, "3 1 0c72"),
            (Kind::Sshfp, "1 1"),
            (Kind::Ds, "12345 3 1 123"),
            (Kind::Naptr, "100 50 u \"E2U+sip\" \"\" ."),
            (Kind::Https, "1"),
            (Kind::Https, "alpn=h2"),
            (Kind::Https, "1 . ipv4hint=2001:db8::1"),
            (Kind::Svcb, "1 . port=53 port=54"),
            (Kind::Svcb, "1 . colour=red"),
            (Kind::Ptr, ""),
            (Kind::Spf, "v=spf1 -all"),
            (Kind::Soa, "ns-1.awsdns-1.com. hostmaster.example.com. 1 7200"),
        ];
        for (kind, value) in bad {
            assert!(fault_of_value(kind, value).is_some_and(|fault| fault.contains("FATAL problem")), "{kind} {value}");
        }
    }
}
