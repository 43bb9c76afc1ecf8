"""The twin of replica-promoter: the pin is in sync and clients have drained, so promote the replica, if its lag allows."""
from datetime import timedelta

import boto3

from holdfast_twin import CONFIG, PLAN, look, moment, now, outcome, read_register

ZONE = PLAN["zones"][0]
CLUSTER = PLAN["aurora_clusters"][0]
LIMITS = PLAN["limits"]
route53 = boto3.client("route53", config=CONFIG)
rds = boto3.client("rds", config=CONFIG)
cloudwatch = boto3.client("cloudwatch", config=CONFIG)


def last_good_lag(since, until):
    metric = {
        "Namespace": "AWS/RDS",
        "MetricName": "AuroraBinlogReplicaLag",
        "Dimensions": [{"Name": "DBClusterIdentifier", "Value": CLUSTER}, {"Name": "Role", "Value": "WRITER"}],
    }
    query = {"Id": "lag", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=since, EndTime=until, ScanBy="TimestampDescending")
    values = [value for result in answer["MetricDataResults"] for value in result["Values"] if value >= 0]
    return values[0] if values else None


def handler(event, context):
    records = look(route53, ZONE)
    state, fields = read_register(records["register"])
    if state != "pinned":
        return outcome("Nothing", "R01", "no name is pinned", ["the workload"], "none")
    if records["PRIMARY"]["ResourceRecords"] != records["SECONDARY"]["ResourceRecords"]:
        return outcome("Waiting", "R01", "somebody changed the pinned records", ["the workload"], "none")
    ttl = int(fields["original"].split(",")[2])
    drained = timedelta(seconds=ttl + LIMITS["drain_seconds"])
    if "in-sync" not in fields or now() < moment(fields["in-sync"]) + drained:
        return outcome("Waiting", "R02", "clients may still hold the primary's address", ["the workload"], "none")

    cluster = rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
    writers = {member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"] if member["IsClusterWriter"]}
    instances = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [CLUSTER]}])["DBInstances"]
    available = any(instance["DBInstanceStatus"] == "available" and instance["DBInstanceIdentifier"] in writers
                    for instance in instances)
    began = moment(fields["incident"].rsplit("@", 1)[1])
    lag = last_good_lag(began - timedelta(seconds=LIMITS["detection_seconds_max"]) - timedelta(hours=3), now())
    if not cluster.get("ReplicationSourceIdentifier"):
        what = "Nothing" if available else "Waiting"
        return outcome(what, "R04", "already a writer", [CLUSTER], "none")
    if cluster["Status"] != "available":
        return outcome("Waiting", "R05", "the database is busy", [CLUSTER], "none")
    if lag is None or lag > LIMITS["lag_seconds_max"]:
        return outcome("ApprovalNeeded", "R07", "more data might be lost than the plan allows", [CLUSTER])
    rds.promote_read_replica_db_cluster(DBClusterIdentifier=CLUSTER)
    return outcome("PromotionRequested", "R08", "the pin is in sync and the replica is close behind", [CLUSTER])
