#!/usr/bin/env bash
# moto's Route 53 takes a CREATE of a record that exists with another value, and then lists the record twice.
#
# Expected: botocore's model of Route 53 says that CREATE "creates a resource record set" and that the service "makes all or
#   none of the changes". AWS answers InvalidChangeBatch, "but it already exists", if name, type and set identifier are
#   there; programs that change records in competition with others (DELETE what was seen, CREATE the new) build on it.
# Seen (2026-11-28, moto 5.2.5, boto3 1.44.8): moto compares the values as well. The same record again is refused, in the
#   very words above; the same name with another value is taken. The zone then lists two A sets of one name without routing,
#   and two PRIMARY sets with one set identifier, which Route 53 cannot hold.
# Why it hurts: a test of such a program is green on moto when the program has just overwritten somebody's record.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. moto answers inside the process: no traffic but pip's. Takes about
#   30 s on an idle machine, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check moto==5.2.5 boto3==1.44.8 botocore==1.44.8

export AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import sys

import boto3
from moto import mock_aws

mock_aws().start()
route53 = boto3.client("route53")
zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]


def create(name, value, **routing):
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}], **routing}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    try:
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
        answer = "accepted"
    except route53.exceptions.InvalidChangeBatch:
        answer = "InvalidChangeBatch"
    print(f"  CREATE {name} {routing.get('Failover', '')} {value}: {answer}")
    return answer


print("moto 5.2.5. Expected: only the first CREATE of each record is accepted. Seen:")
primary = {"SetIdentifier": "primary", "Failover": "PRIMARY"}
answers = [
    create("www.example.com", "192.0.2.1"),
    create("www.example.com", "192.0.2.1"),
    create("www.example.com", "192.0.2.2"),
    create("app.example.com", "192.0.2.1", **primary),
    create("app.example.com", "192.0.2.2", **primary),
]
listed = [
    (record["Name"], record.get("SetIdentifier"), record["ResourceRecords"][0]["Value"])
    for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    if record["Type"] == "A"
]
for name, identifier, value in listed:
    print(f"  listed: {name} {identifier or ''} {value}")
known_answers = ["accepted", "InvalidChangeBatch", "accepted", "accepted", "accepted"]
known = [
    ("app.example.com.", "primary", "192.0.2.1"), ("app.example.com.", "primary", "192.0.2.2"),
    ("www.example.com.", None, "192.0.2.1"), ("www.example.com.", None, "192.0.2.2"),
]
if answers == known_answers and sorted(listed, key=str) == sorted(known, key=str):
    print("As found: a CREATE with another value is accepted beside the record that it should have met.")
else:
    print("CHANGED: no longer as found on 2026-11-28.")
    sys.exit(1)
PYTHON
