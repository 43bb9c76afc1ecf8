#!/usr/bin/env bash
# moto's RDS promotes a cross-region read replica, and goes on describing it as a replica of its source.
#
# Expected: botocore's model of RDS says that PromoteReadReplica "promotes a read replica DB instance to a standalone DB
#   instance". A standalone instance names no source.
# Seen (2026-11-30, moto 5.2.5, boto3 1.44.8): the call is answered with the instance, status available. Afterwards
#   DescribeDBInstances still gives ReadReplicaSourceDBInstanceIdentifier, the source's ARN, and a second PromoteReadReplica is
#   taken as well, of an instance that was promoted already.
# Why it hurts: a program that waits until its database is no replica any more waits for ever on moto; one that does not look
#   is green there though it promotes twice.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. moto answers inside the process: no traffic but pip's. Takes about
#   30 s on an idle machine, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check moto==5.2.5 boto3==1.44.8 botocore==1.44.8

export AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example
"$dir/venv/bin/python" - <<'PYTHON'
import sys

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

mock_aws().start()
home, away = boto3.client("rds", region_name="eu-west-1"), boto3.client("rds", region_name="eu-central-1")
source = home.create_db_instance(
    DBInstanceIdentifier="orders", Engine="mysql", DBInstanceClass="db.t3.micro", AllocatedStorage=20,
    MasterUsername="example", MasterUserPassword="example-only",
)["DBInstance"]["DBInstanceArn"]
away.create_db_instance_read_replica(DBInstanceIdentifier="orders-dr", SourceDBInstanceIdentifier=source, SourceRegion="eu-west-1")


def described():
    return away.describe_db_instances(DBInstanceIdentifier="orders-dr")["DBInstances"][0].get("ReadReplicaSourceDBInstanceIdentifier")


def promote():
    try:
        return away.promote_read_replica(DBInstanceIdentifier="orders-dr")["DBInstance"]["DBInstanceStatus"]
    except ClientError as error:
        return error.response["Error"]["Code"]


print("moto 5.2.5. Expected: a source before the promotion, none after it, and no second promotion. Seen:")
before, first = described(), promote()
after, second = described(), promote()
print(f"  source before: {before}")
print(f"  PromoteReadReplica: {first}")
print(f"  source after:  {after}")
print(f"  PromoteReadReplica again: {second}")
if (before, first, after, second) == (source, "available", source, "available"):
    print("As found: a promoted replica still names its source, and is promoted again.")
else:
    print("CHANGED: no longer as found on 2026-11-30.")
    sys.exit(1)
PYTHON
