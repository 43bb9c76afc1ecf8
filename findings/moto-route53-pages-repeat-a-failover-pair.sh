#!/usr/bin/env bash
# moto's Route 53 lists a set of a failover pair twice where a page ends inside the pair; with pages of one it never gets on.
#
# Expected: botocore's model of Route 53 says of NextRecordIdentifier that it holds the set identifier of the next set if the
#   sets of one name and type do not all fit on the page, and of StartRecordIdentifier that the listing goes on there. boto3's
#   paginator uses both, and lists each set once.
# Seen (2026-11-30, moto 5.2.5, boto3 1.44.8): moto answers no NextRecordIdentifier, and begins the next page at the first set of
#   the name. Of two pairs, with pages of 3 the paginator gives 6 sets; with pages of 1 it stops with PaginationError, "The
#   same next token was received twice" (a program with a loop of its own goes round for ever); with pages of 2, which end
#   between the pairs, 4. It is so without a page size too: of a zone of 151 pairs and one plain record, more than fit on
#   a page of 300, 304 sets are listed instead of 303. Asked for StartRecordIdentifier by name, moto begins with the first set all
#   the same.
# Why it hurts: what counts, copies or compares a zone's failover pairs sees ghosts on moto, and a test of a program's own
#   paging, the part that is easy to get wrong with pairs, tests something that Route 53 does not do.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. moto answers inside the process: no traffic but pip's. Takes about
#   30 s on an idle machine, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check moto==5.2.5 boto3==1.44.8 botocore==1.44.8 || exit 2

export AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import sys

import boto3
from botocore.exceptions import PaginationError
from moto import mock_aws

mock_aws().start()
route53 = boto3.client("route53")


def zone(pairs, plain):
    """A zone of so many failover pairs, p000.example.com and so on, and so many plain records before them."""
    name = f"zone{pairs}.example.com"
    id = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
    common = {"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    sets = [common | {"Name": f"a{n}.{name}"} for n in range(plain)]
    for n in range(pairs):
        for identifier, role in (("home", "PRIMARY"), ("dr", "SECONDARY")):
            sets.append(common | {"Name": f"p{n:03}.{name}", "SetIdentifier": identifier, "Failover": role})
    changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in sets]
    for start in range(0, len(changes), 50):
        route53.change_resource_record_sets(HostedZoneId=id, ChangeBatch={"Changes": changes[start:start + 50]})
    return id


def key(record):
    return record["Name"], record.get("SetIdentifier")


def listed(id, size):
    paging = {"PageSize": size} if size else {}
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=id, PaginationConfig=paging)
    try:
        found = [key(record) for page in pages for record in page["ResourceRecordSets"] if record["Type"] == "A"]
    except PaginationError:
        return "PaginationError"
    return len(found), len(set(found))


print("moto 5.2.5. Expected: each set once, whatever the page size. Seen:")
small, large = zone(2, 0), zone(151, 1)
seen = {size: listed(small, size) for size in (1, 2, 3)}
for size, found in seen.items():
    print(f"  4 sets in pages of {size}: {found if isinstance(found, str) else f'{found[0]} listed, {found[1]} different'}")
seen["none"] = listed(large, None)
print(f"  303 sets without a page size: {seen['none'][0]} listed, {seen['none'][1]} different")
start = {"StartRecordName": "p000.zone2.example.com", "StartRecordType": "A"}
page = route53.list_resource_record_sets(HostedZoneId=small, MaxItems="1", **start)
first = key(page["ResourceRecordSets"][0])
name, identifier = first
other = {"home": "dr", "dr": "home"}[identifier]
start["StartRecordIdentifier"] = other
second = key(route53.list_resource_record_sets(HostedZoneId=small, MaxItems="1", **start)["ResourceRecordSets"][0])
print(f"  a page of one ends with {identifier} of {name}, NextRecordIdentifier: {page.get('NextRecordIdentifier')}")
print(f"  the page from StartRecordIdentifier={other} on begins with {second[1]}")
known = {1: "PaginationError", 2: (4, 4), 3: (6, 4), "none": (304, 303)}
if seen == known and "NextRecordIdentifier" not in page and second == first:
    print("As found: a page that ends inside a pair is followed by one that begins with the pair.")
else:
    print("CHANGED: no longer as found on 2026-11-30.")
    sys.exit(1)
PYTHON
