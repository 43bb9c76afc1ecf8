#!/usr/bin/env bash
# moto's CloudWatch makes an alarm OK whenever it is created or updated: an alarm that rings stops ringing by a new description.
#
# Expected: botocore's model of CloudWatch says that PutMetricAlarm sets the state of a new alarm to INSUFFICIENT_DATA, and that an
#   update leaves the state as it is.
# Seen (2026-11-30, moto 5.2.5, boto3 1.44.8): a new alarm is OK ("Unchecked: Initial alarm creation"). Set to ALARM and then updated
#   with the same settings but its description, it is OK again, with that very reason, and StateUpdatedTimestamp is that of
#   the update.
# Why it hurts: a failover that is decided by alarms has to know "not known yet" from "well", and must not take a deployment in
#   the middle of an outage for its end. On moto the first state never occurs by itself, and the second test fails for a program
#   that does it right, and is green for one that sets its alarms back by accident.
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
from moto import mock_aws

mock_aws().start()
cloudwatch = boto3.client("cloudwatch")


def put(description):
    cloudwatch.put_metric_alarm(
        AlarmName="home-is-down", AlarmDescription=description, Namespace="Shop", MetricName="Failures", Statistic="Sum",
        Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )


def state():
    alarm = cloudwatch.describe_alarms(AlarmNames=["home-is-down"])["MetricAlarms"][0]
    return alarm["StateValue"], alarm["StateReason"], alarm["StateUpdatedTimestamp"]


put("ask the team")
new = state()
cloudwatch.set_alarm_state(AlarmName="home-is-down", StateValue="ALARM", StateReason="3 failures")
ringing = state()
put("ask the other team")
updated = state()
print("moto 5.2.5. Expected: INSUFFICIENT_DATA when new, ALARM before and after the update. Seen:")
for when, (value, reason, _) in {"new": new, "set to ALARM": ringing, "description updated": updated}.items():
    print(f"  {when}: {value} ({reason})")
reason = "Unchecked: Initial alarm creation"
known = [("OK", reason), ("ALARM", "3 failures"), ("OK", reason)]
if [seen[:2] for seen in (new, ringing, updated)] == known and updated[2] > ringing[2]:
    print("As found: an update sets the state to OK.")
else:
    print("CHANGED: no longer as found on 2026-11-30.")
    sys.exit(1)
PYTHON
