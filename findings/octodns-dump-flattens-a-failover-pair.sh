#!/usr/bin/env bash
# octodns-route53 dumps a failover pair as one plain record, without a word, and then sees no difference to the zone.
#
# Expected: octoDNS skips records of a routing policy that it cannot express, warns, or refuses; TrafficPolicyInstanceId
#   records it does skip with a warning.
# Seen (2026-11-28, octodns 1.22.0, octodns-route53 1.3.1, moto 5.2.5 as Route 53): a zone with a failover pair
#   (PRIMARY 192.0.2.1 with a health check, SECONDARY 192.0.2.2) and a weighted pair. The dump has one plain A record for
#   each name, with the value of the set that Route 53 lists first: SECONDARY, health check, weights and 192.0.2.2 are
#   gone, nothing is logged at WARNING. A sync of that file against the same zone plans no change.
# Why it hurts: after somebody pins the PRIMARY to DR by hand, the dump holds the DR address as the only one; and the file
#   that "agrees" with the zone, once applied anywhere else, has no failover at all.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. moto answers inside the process: no traffic but pip's. Takes about
#   40 s on an idle machine, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
  moto==5.2.5 octodns==1.22.0 octodns-route53==1.3.1 boto3==1.44.8 botocore==1.44.8

mkdir "$dir/zones"
cat >"$dir/octodns.yaml" <<YAML
providers:
  files:
    class: octodns.provider.yaml.YamlProvider
    directory: $dir/zones
  route53:
    class: octodns_route53.Route53Provider
    access_key_id: example
    secret_access_key: example
zones:
  example.com.:
    sources: [files]
    targets: [route53]
YAML
export AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - "$dir" <<'PYTHON'
import io
import logging
import pathlib
import sys

import boto3
import yaml
from moto import mock_aws
from octodns.manager import Manager

folder = pathlib.Path(sys.argv[1])
log = io.StringIO()
logging.basicConfig(level=logging.WARNING, stream=log)
mock_aws().start()
route53 = boto3.client("route53")
zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
endpoint = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, "ResourcePath": "/"}
check = route53.create_health_check(CallerReference="2", HealthCheckConfig=endpoint)["HealthCheck"]["Id"]


def create(name, value, **routing):
    record = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value}], **routing}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


create("app.example.com", "192.0.2.1", SetIdentifier="a", Failover="PRIMARY", HealthCheckId=check)
create("app.example.com", "192.0.2.2", SetIdentifier="b", Failover="SECONDARY")
create("shop.example.com", "192.0.2.1", SetIdentifier="a", Weight=90)
create("shop.example.com", "192.0.2.2", SetIdentifier="b", Weight=10)

Manager(str(folder / "octodns.yaml")).dump("example.com.", str(folder / "zones"), sources=["route53"])
dump = yaml.safe_load((folder / "zones" / "example.com.yaml").read_text())
planned = Manager(str(folder / "octodns.yaml")).sync(dry_run=True, plan_output_fh=io.StringIO())
listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]

print("octodns 1.22.0, octodns-route53 1.3.1, moto 5.2.5. Expected: pairs kept, skipped or warned of. Seen:")
for record in listed:
    if record["Type"] == "A":
        routing = record.get("Failover") or f"weight {record['Weight']}"
        print(f"  in the zone: {record['Name']} {routing} {record['ResourceRecords'][0]['Value']}")
for name in ("app", "shop"):
    print(f"  in the dump: {name} {dump[name]}")
warnings = [line for line in log.getvalue().splitlines() if "app" in line or "shop" in line]
print(f"  warnings that name them: {len(warnings)}; changes that a sync of the dump plans: {planned}")
plain = {"ttl": 60, "type": "A", "value": "192.0.2.1"}
if dump["app"] == plain and dump["shop"] == plain and not warnings and planned == 0:
    print("As found: the pair is dumped as a plain record of its first set, and the two are held to be equal.")
else:
    print("CHANGED: no longer as found on 2026-11-28.")
    sys.exit(1)
PYTHON
