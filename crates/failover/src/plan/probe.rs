//! Probe URLs, read by the parser of the client that will ask them: what passes here can be asked.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::PlanError;

/// Reads a probe URL; an empty text is none.
pub(super) fn parse(field: &'static str, url: String) -> Result<Option<String>, PlanError> {
    if url.is_empty() {
        return Ok(None);
    }
    match fault(&url) {
        None => Ok(Some(url)),
        Some(fault) => Err(PlanError::Probe { field, url, fault }),
    }
}

fn fault(url: &str) -> Option<&'static str> {
    let Ok(uri) = url.parse::<Uri>() else { return Some("it is not written as a URL") };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Some("it does not begin with https:// or http://");
    }
    let Some(authority) = uri.authority() else { return Some("it has no host") };
    if authority.as_str().contains('@') {
        return Some("it holds a user name, which is never sent");
    }
    // "http://host:/" and "http://host:99999/" have a port in their text that is none.
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let is_signed = port.contains(['+', '-']);
    if !port.is_empty() && (is_signed || authority.port_u16().is_none_or(|port| port == 0)) {
        return Some("its port is not from 1 to 65535");
    }
    if url.contains('#') {
        return Some("it has a fragment (#…), which is never sent");
    }
    (!is_host(authority.host())).then_some("its host is neither a name nor an address")
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        (1..=63).contains(&label.len()) && label.chars().all(is_letter)
    };
    // What ends in a number is an address and no name: resolvers read "10.1" as 10.0.0.1, and "0x7f000001" as 127.0.0.1.
    let is_number = |label: &str| {
        let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
        label.chars().all(|c| c.is_ascii_digit())
            || hexadecimal.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
    };
    match name.rsplit('.').next() {
        Some(last) if is_number(last) => host.parse::<Ipv4Addr>().is_ok(),
        _ => name.len() <= 253 && name.split('.').all(is_label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_can_be_asked_is_taken_as_it_is() {
        for url in [
            "https://p.example.com/health",
            "http://p.example.com",
            "HTTPS://P.Example.com:8443/health?deep=1&x=%20",
            "http://127.0.0.1:31901/health",
            "http://[2001:db8::1]:80/",
            "http://primary/",
            "https://my_app-1.elb.amazonaws.com./",
            "http://p.example.com:65535/",
        ] {
            assert_eq!(parse("probes.dr", url.to_owned()), Ok(Some(url.to_owned())), "{url}");
        }
        assert_eq!(parse("probes.dr", String::new()), Ok(None));
    }

    #[test]
    fn a_url_that_cannot_be_asked_is_refused_with_its_fault() {
        for (url, said) in [
            ("p.example.com", "https://"),
            ("p.example.com/health", "URL"),
            ("/health", "https://"),
            ("ftp://p.example.com/", "https://"),
            ("https://", "URL"),
            ("https:///health", "URL"),
            ("https:p.example.com", "https://"),
            ("http://127.0.0.1:99999/", "port"),
            ("http://127.0.0.1:0/", "port"),
            ("http://p.example.com:/", "port"),
            ("http://p.example.com:http/", ""),
            ("http://h/a<b>", "URL"),
            ("http://h/a b", "URL"),
            ("http://[bad/", "URL"),
            ("http://[bad]/", ""),
            ("http://[::1/", "URL"),
            ("http://user:secret@p.example.com/", "user name"),
            ("http://p.example.com/#top", "fragment"),
            ("http://p..example.com/", "host"),
            ("http://.example.com/", "host"),
            ("http://10.1/", "host"),
            ("http://0x7f000001/", "host"),
            ("http://p.0x1/", "host"),
            ("http://p.example.com:+80/", "port"),
            ("http://256.1.1.1/", "host"),
            ("http://p,example.com/", "host"),
            ("http://b\u{fc}cher.example/", "URL"),
        ] {
            match parse("probes.primary", url.to_owned()) {
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains("probes.primary") && error.contains(said), "{url}: {error}");
                }
                Ok(taken) => panic!("{url} is taken as {taken:?}"),
            }
        }
    }
}
