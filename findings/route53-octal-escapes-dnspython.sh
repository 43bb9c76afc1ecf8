#!/usr/bin/env bash
# Route 53 escapes in octal, DNS text in decimal: dnspython reads Route 53's wildcard as the name "4", without an error.
#
# Expected: the names and TXT values that Route 53's API lists are the text form of DNS (RFC 1035), so a DNS library that
#   reads the one reads the other.
# Seen (2026-11-28, dnspython 2.9.2 beside octodns-route53 1.3.1): Route 53 writes a byte as a backslash and three OCTAL
#   digits (its developer guide, "DNS domain name format"); octodns-route53 decodes names so. RFC 1035 and dnspython take
#   three DECIMAL digits:
#     - \052.example.com., the wildcard as Route 53 lists it, is 4.example.com. to dnspython;
#     - the TXT value "a\040b" (a, space, b) is "a(b" to dnspython;
#     - the TXT value "caf\303\251" (UTF-8) is refused by dnspython, as 303 is no byte.
#   octodns installs dnspython: both readings live in one process.
# Why it hurts: whoever compares a zone's listing with live DNS, or makes a zone file of it, moves the wildcard to a name
#   that nobody asked for, and sees no error.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. No network traffic but pip's. Takes about 20 s, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  dnspython==2.9.2 octodns==1.22.0 octodns-route53==1.3.1 boto3==1.44.8 botocore==1.44.8

"$dir/venv/bin/python" - <<'PYTHON'
import sys

import dns.exception
import dns.name
import dns.rdata
from octodns_route53.provider import _octal_replace


def text_of(value):
    try:
        return dns.rdata.from_text("IN", "TXT", value).strings[0].decode("latin-1")
    except dns.exception.SyntaxError:
        return "refused"


name = r"\052.example.com."
seen = [
    (name, _octal_replace(name), dns.name.from_text(name).to_text()),
    (r'"a\040b"', _octal_replace(r"a\040b"), text_of(r'"a\040b"')),
    (r'"caf\303\251"', _octal_replace(r"caf\303\251").encode("latin-1").decode(), text_of(r'"caf\303\251"')),
]
known = ["4.example.com.", "a(b", "refused"]
print("dnspython 2.9.2, octodns-route53 1.3.1. Expected: both read the same. Seen:")
for listed, octal, decimal in seen:
    print(f"  {listed}: octodns-route53 decodes {octal!r}, dnspython reads {decimal!r}")
if [decimal for _, _, decimal in seen] == known and seen[0][1] == "*.example.com.":
    print("As found: dnspython takes the octal escapes for decimal ones.")
else:
    print("CHANGED: no longer as found on 2026-11-28.")
    sys.exit(1)
PYTHON
