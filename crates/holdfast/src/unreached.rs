//! What to do where AWS gave no answer: the likeliest cause by what was heard instead, and its remedy, in one line.

/// What a cause says of itself, and what to do about it. The first that is heard decides.
const CAUSES: [(&[&str], &str); 6] = [
    (
        &["dns error", "failed to lookup address"],
        "This machine finds no address for that name: it has no network, or its name server knows no public names, as in a VPC without a NAT \
         gateway or an endpoint with private DNS",
    ),
    (
        &["invalid peer certificate", "UnknownIssuer", "self-signed"],
        "Something in between answers with a certificate of its own, as a proxy does that reads TLS: put its authority among this machine's \
         certificates (SSL_CERT_FILE names a file), or let amazonaws.com pass unread",
    ),
    (
        &["HTTP 403", "HTTP 407", "tunnel error"],
        "What answered is not AWS but a proxy or a firewall in between: it must let this machine pass to amazonaws.com; HTTPS_PROXY names the \
         proxy, with its user where it asks for one, and NO_PROXY what goes past it",
    ),
    (
        &["HTTP 5"],
        "AWS answered and is in trouble (see the AWS Health Dashboard), or a proxy in between did (502, 504): run it again",
    ),
    (
        &["refused", "unreachable", "reset"],
        "Something turns the connection away: a firewall, or nobody listens there. Let this machine through to port 443 of it, or name your \
         proxy in HTTPS_PROXY",
    ),
    (
        &["timed out", "timeout", "in time"],
        "A firewall that drops what it does not allow looks so, a proxy that is not named (HTTPS_PROXY), or a region that is down: if `aws sts \
         get-caller-identity` answers for another region, it is the region",
    ),
];

/// The likeliest cause and its remedy.
pub fn remedy(heard: &str) -> &'static str {
    let is_it = |(signs, _): &&(&[&str], _)| signs.iter().any(|sign| heard.contains(sign));
    CAUSES.iter().find(is_it).map_or("See whether this machine reaches that", |(_, remedy)| remedy)
}

/// Policies that AWS names where the caller's own would have allowed it, and who changes them.
const OTHER_POLICIES: [(&str, &str); 4] = [
    ("service control policy", "your organization's service control policy must allow it too"),
    ("VPC endpoint policy", "the policy of the VPC endpoint that this machine goes through must allow it too"),
    ("permissions boundary", "your role's permissions boundary must allow it too"),
    ("session policy", "the session policy that your role was assumed with must allow it too"),
];

/// What must allow it besides the operators' policy, if AWS says so.
pub fn other_policy(said: &str) -> Option<&'static str> {
    OTHER_POLICIES.iter().find(|(policy, _)| said.contains(policy)).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_silence_has_its_own_remedy() {
        for (heard, told) in [
            (
                "dispatch failure: other: client error (Connect): dns error: failed to lookup address",
                "finds no address",
            ),
            (
                "dispatch failure: other: client error (Connect): invalid peer certificate: UnknownIssuer",
                "SSL_CERT_FILE",
            ),
            ("HTTP 403 ", "not AWS but a proxy"),
            ("HTTP 503 ServiceUnavailable", "Health Dashboard"),
            (
                "dispatch failure: other: client error (Connect): tunnel error: proxy authorization required",
                "not AWS but a proxy",
            ),
            ("dispatch failure: other: client error (Connect): tcp connect error: Connection refused", "port 443"),
            ("no answer came in time", "it is the region"),
            ("something else", "See whether"),
        ] {
            assert!(remedy(heard).contains(told), "{heard}: {}", remedy(heard));
        }
    }

    #[test]
    fn a_policy_that_is_not_the_operators_is_named() {
        let said = "User: kim is not authorized to perform: rds:DescribeDBClusters with an explicit deny in a service control policy";
        assert!(other_policy(said).is_some_and(|remedy| remedy.contains("organization")));
        assert!(other_policy("because no VPC endpoint policy allows the action").is_some());
        assert_eq!(other_policy("because no identity-based policy allows the action"), None);
    }
}
