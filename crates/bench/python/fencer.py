"""The twin of fencer: the pin is in sync, so put the old writer's security groups on record, swap them, reboot it."""
import boto3

from holdfast_twin import CONFIG, PLAN, look, moment, outcome, read_register

ZONE = PLAN["zones"][0]
FENCE = PLAN["fence"]
CLUSTER = FENCE["aurora_clusters"][0]
PASSES_MAX = 4
route53 = boto3.client("route53", config=CONFIG)
rds = boto3.client("rds", region_name=FENCE["region"], config=CONFIG)


def note(cluster, incident, groups, stage):
    tags = {"holdfast:fenced-in": incident, "holdfast:fenced-from": groups, "holdfast:fence": stage}
    rds.add_tags_to_resource(
        ResourceName=cluster["DBClusterArn"], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


def handler(event, context):
    records = look(route53, ZONE)
    state, fields = read_register(records["register"])
    in_sync = state == "failed-over" or (state == "pinned" and "in-sync" in fields)
    if not in_sync or records["PRIMARY"]["ResourceRecords"] != records["SECONDARY"]["ResourceRecords"]:
        return outcome("Nothing", "X01", "not every name's pin is in sync", [CLUSTER], "none")
    for _ in range(PASSES_MAX):
        cluster = rds.describe_db_clusters(DBClusterIdentifier=CLUSTER)["DBClusters"][0]
        groups = sorted(group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"])
        tags = {tag["Key"]: tag["Value"] for tag in cluster["TagList"]}
        is_noted = tags.get("holdfast:fenced-in") == fields["incident"]
        is_closed = groups == [FENCE["security_group"]]
        if cluster["ClusterCreateTime"] > moment(fields["at"]):
            return outcome("Nothing", "X03", "it was created after the pin", [CLUSTER], "none")
        if is_noted and tags.get("holdfast:fence") == "lifted":
            return outcome("Nothing", "X04", "a person lifted the fence", [CLUSTER], "none")
        if is_closed and tags.get("holdfast:fence") == "rebooted":
            return outcome("Nothing", "X05", "it is fenced", [CLUSTER], "none")
        if not is_noted:
            note(cluster, fields["incident"], " ".join(groups), "begun")
        elif cluster["Status"] != "available":
            return outcome("Waiting", "X07", "it is not available", [CLUSTER], "none")
        elif not is_closed:
            rds.modify_db_cluster(
                DBClusterIdentifier=CLUSTER, VpcSecurityGroupIds=[FENCE["security_group"]], ApplyImmediately=True)
        else:
            for member in cluster["DBClusterMembers"]:
                if member["IsClusterWriter"]:
                    rds.reboot_db_instance(DBInstanceIdentifier=member["DBInstanceIdentifier"])
            note(cluster, fields["incident"], tags["holdfast:fenced-from"], "rebooted")
            return outcome("Fenced", "X09", "it lets nobody in", [CLUSTER], "notice")
    return outcome("Waiting", "X08", "it still takes connections", [CLUSTER], "none")
