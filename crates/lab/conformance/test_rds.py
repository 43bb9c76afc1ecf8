"""RDS: clusters, instances, replicas, promotion."""

import itertools

import pytest

NUMBERS = itertools.count()
DR, PRIMARY = "eu-central-1", "eu-west-1"


@pytest.fixture
def pair(client, until):
    """A cluster in the primary region and its replica in DR, each with an instance, available."""
    nth = next(NUMBERS)
    source, replica = f"app-{nth}", f"app-{nth}-dr"
    login = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
    arn = client("rds", PRIMARY).create_db_cluster(DBClusterIdentifier=source, Engine="aurora-mysql", **login)["DBCluster"]["DBClusterArn"]
    client("rds", DR).create_db_cluster(DBClusterIdentifier=replica, Engine="aurora-mysql", ReplicationSourceIdentifier=arn)
    for region, cluster in [(PRIMARY, source), (DR, replica)]:
        until(lambda: describe(client("rds", region), cluster)["Status"] == "available")
        client("rds", region).create_db_instance(
            DBInstanceIdentifier=f"{cluster}-1", DBInstanceClass="db.r6g.large", Engine="aurora-mysql", DBClusterIdentifier=cluster)
        until(lambda: available(client("rds", region), cluster))
    return source, replica


def describe(rds, cluster):
    return rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]


def available(rds, cluster):
    instance = rds.describe_db_instances(DBInstanceIdentifier=f"{cluster}-1")["DBInstances"][0]
    return describe(rds, cluster)["Status"] == "available" and instance["DBInstanceStatus"] == "available"


def test_a_replica_names_its_source_and_the_source_its_replica(client, pair):
    source, replica = pair
    found = describe(client("rds"), replica)
    assert found["ReplicationSourceIdentifier"].endswith(f"{PRIMARY}:123456789012:cluster:{source}")
    assert [member["IsClusterWriter"] for member in found["DBClusterMembers"]] == [True]
    assert describe(client("rds", PRIMARY), source)["ReadReplicaIdentifiers"] == [found["DBClusterArn"]]


def test_a_promoted_cluster_reboots_and_then_stands_alone(client, pair, until, refused):
    rds, (_, replica) = client("rds"), pair
    assert rds.promote_read_replica_db_cluster(DBClusterIdentifier=replica)["DBCluster"]["Status"] == "promoting"
    refused("InvalidDBClusterStateFault", 400, rds.promote_read_replica_db_cluster, DBClusterIdentifier=replica)
    until(lambda: available(rds, replica))
    assert not describe(rds, replica).get("ReplicationSourceIdentifier")
    refused("InvalidDBClusterStateFault", 400, rds.promote_read_replica_db_cluster, DBClusterIdentifier=replica)


def test_an_instance_replica_is_made_and_promoted(client, until):
    primary, rds, name = client("rds", PRIMARY), client("rds"), f"orders-{next(NUMBERS)}"
    arn = primary.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.m6g.large", Engine="mysql", MasterUsername="admin",
        MasterUserPassword="not-a-secret", AllocatedStorage=20)["DBInstance"]["DBInstanceArn"]

    def status(rds, name):
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"]

    until(lambda: status(primary, name) == "available")
    rds.create_db_instance_read_replica(DBInstanceIdentifier=f"{name}-dr", SourceDBInstanceIdentifier=arn)
    until(lambda: status(rds, f"{name}-dr") == "available")
    rds.promote_read_replica(DBInstanceIdentifier=f"{name}-dr")
    until(lambda: status(rds, f"{name}-dr") == "available")
    found = rds.describe_db_instances(DBInstanceIdentifier=f"{name}-dr")["DBInstances"][0]
    assert not found.get("ReadReplicaSourceDBInstanceIdentifier")


def test_what_does_not_exist_or_exists_already_is_refused(client, pair, refused):
    rds, (_, replica) = client("rds"), pair
    refused("DBClusterNotFoundFault", 404, rds.describe_db_clusters, DBClusterIdentifier="absent")
    refused("DBClusterNotFoundFault", 404, rds.promote_read_replica_db_cluster, DBClusterIdentifier="absent")
    refused("DBInstanceNotFound", 404, rds.describe_db_instances, DBInstanceIdentifier="absent")
    refused("DBInstanceNotFound", 404, rds.promote_read_replica, DBInstanceIdentifier="absent")
    refused("DBClusterAlreadyExistsFault", 400, rds.create_db_cluster, DBClusterIdentifier=replica, Engine="aurora-mysql",
            MasterUsername="admin", MasterUserPassword="not-a-secret")


def test_events_tell_what_happened(client, pair):
    _, replica = pair
    events = client("rds").describe_events(SourceIdentifier=replica, SourceType="db-cluster", Duration=1440)["Events"]
    assert all(event["SourceIdentifier"] == replica for event in events)
    none = client("rds").describe_events(SourceIdentifier=replica, SourceType="db-cluster", StartTime="2020-01-01T00:00:00Z", EndTime="2020-01-02T00:00:00Z")
    assert none["Events"] == []


def test_the_command_line_describes_and_promotes(aws, pair):
    _, replica = pair
    assert aws("rds", "describe-db-clusters", "--db-cluster-identifier", replica)["DBClusters"][0]["Status"] == "available"
    assert aws("rds", "promote-read-replica-db-cluster", "--db-cluster-identifier", replica)["DBCluster"]["Status"] == "promoting"
    with pytest.raises(Exception, match="DBClusterNotFoundFault"):
        aws("rds", "describe-db-clusters", "--db-cluster-identifier", "absent")


def test_a_cluster_is_renamed_with_all_that_speaks_of_it(client, pair, until, refused):
    rds, (_, replica) = client("rds"), pair
    refused("DBClusterAlreadyExistsFault", 400, rds.modify_db_cluster, DBClusterIdentifier=replica, NewDBClusterIdentifier=replica, ApplyImmediately=True)
    new = f"{replica}-old"
    assert rds.modify_db_cluster(DBClusterIdentifier=replica, NewDBClusterIdentifier=new, ApplyImmediately=True)["DBCluster"]["Status"] == "renaming"
    until(lambda: any(cluster["DBClusterIdentifier"] == new for cluster in rds.describe_db_clusters()["DBClusters"]))
    found = describe(rds, new)
    assert found["Status"] == "available" and found["DBClusterArn"].endswith(f"cluster:{new}")
    assert found["ReplicationSourceIdentifier"]
    assert rds.describe_db_instances(DBInstanceIdentifier=f"{replica}-1")["DBInstances"][0]["DBClusterIdentifier"] == new
    refused("DBClusterNotFoundFault", 404, rds.describe_db_clusters, DBClusterIdentifier=replica)


def test_a_member_is_rebooted_renamed_and_deleted_and_then_its_cluster(client, pair, until, refused):
    rds, (_, cluster) = client("rds"), pair
    member = f"{cluster}-1"

    def status(name):
        found = [one for one in rds.describe_db_instances()["DBInstances"] if one["DBInstanceIdentifier"] == name]
        return found[0]["DBInstanceStatus"] if found else None

    assert rds.reboot_db_instance(DBInstanceIdentifier=member)["DBInstance"]["DBInstanceStatus"] == "rebooting"
    refused("InvalidDBInstanceState", 400, rds.reboot_db_instance, DBInstanceIdentifier=member)
    until(lambda: status(member) == "available")
    rds.modify_db_instance(DBInstanceIdentifier=member, NewDBInstanceIdentifier=f"{member}-new", ApplyImmediately=True)
    until(lambda: status(f"{member}-new") == "available")
    assert [one["DBInstanceIdentifier"] for one in describe(rds, cluster)["DBClusterMembers"]] == [f"{member}-new"]
    refused("InvalidDBClusterStateFault", 400, rds.delete_db_cluster, DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    rds.delete_db_instance(DBInstanceIdentifier=f"{member}-new")
    rds.modify_db_cluster(DBClusterIdentifier=cluster, DeletionProtection=True)
    refused("InvalidParameterCombination", 400, rds.delete_db_cluster, DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
    rds.modify_db_cluster(DBClusterIdentifier=cluster, DeletionProtection=False)
    refused("InvalidParameterCombination", 400, rds.delete_db_cluster, DBClusterIdentifier=cluster)
    assert rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)["DBCluster"]["Status"] == "deleting"
    until(lambda: status(f"{member}-new") is None)
    until(lambda: cluster not in [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]])


def test_a_cluster_that_is_being_created_takes_no_instance(client, pair, refused, until):
    rds, name = client("rds", PRIMARY), f"fresh-{next(NUMBERS)}"
    rds.create_db_cluster(DBClusterIdentifier=name, Engine="aurora-mysql", MasterUsername="admin", MasterUserPassword="not-a-secret")
    member = {"DBInstanceIdentifier": f"{name}-1", "Engine": "aurora-mysql", "DBClusterIdentifier": name}
    refused("InvalidDBClusterStateFault", 400, rds.create_db_instance, DBInstanceClass="db.r6g.large", **member)
    until(lambda: describe(rds, name)["Status"] == "available")
    refused("InvalidParameterValue", 400, rds.create_db_instance, DBInstanceClass="db.serverless", **member)
    found = describe(rds, name)
    assert (found["Port"], found["DeletionProtection"], found["BackupRetentionPeriod"]) == (3306, False, 1)
    assert (found["IAMDatabaseAuthenticationEnabled"], found["StorageEncrypted"], found["EngineMode"]) == (False, False, "provisioned")


def test_security_groups_and_tags_are_set_and_told(client, pair, refused, until):
    rds, (_, replica) = client("rds"), pair
    found = describe(rds, replica)
    assert [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]] == ["sg-default"] and found["TagList"] == []
    asked = rds.modify_db_cluster(DBClusterIdentifier=replica, VpcSecurityGroupIds=["sg-1", "sg-2"], ApplyImmediately=True)["DBCluster"]
    told = {group["VpcSecurityGroupId"]: group["Status"] for group in asked["VpcSecurityGroups"]}
    assert told == {"sg-default": "removing", "sg-1": "adding", "sg-2": "adding"}
    rds.add_tags_to_resource(ResourceName=found["DBClusterArn"], Tags=[{"Key": "a:b", "Value": "sg-1 sg-2"}])
    until(lambda: {group["Status"] for group in describe(rds, replica)["VpcSecurityGroups"]} == {"active"})
    found = describe(rds, replica)
    assert [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]] == ["sg-1", "sg-2"]
    assert found["TagList"] == [{"Key": "a:b", "Value": "sg-1 sg-2"}]
    refused("InvalidParameterValue", 400, rds.add_tags_to_resource, ResourceName=found["DBClusterArn"], Tags=[{"Key": "a", "Value": "{}"}])


@pytest.fixture
def world(client, until):
    """A global database with a primary and a secondary cluster, each with an instance, available."""
    nth = next(NUMBERS)
    name, primary, secondary = f"world-{nth}", f"home-{nth}", f"home-{nth}-dr"
    login = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
    arn = client("rds", PRIMARY).create_db_cluster(DBClusterIdentifier=primary, Engine="aurora-postgresql", **login)["DBCluster"]["DBClusterArn"]
    until(lambda: describe(client("rds", PRIMARY), primary)["Status"] == "available")
    client("rds", PRIMARY).create_global_cluster(GlobalClusterIdentifier=name, SourceDBClusterIdentifier=arn)
    client("rds", DR).create_db_cluster(DBClusterIdentifier=secondary, Engine="aurora-postgresql", GlobalClusterIdentifier=name)
    for region, cluster in [(PRIMARY, primary), (DR, secondary)]:
        until(lambda: describe(client("rds", region), cluster)["Status"] == "available")
        client("rds", region).create_db_instance(
            DBInstanceIdentifier=f"{cluster}-1", DBInstanceClass="db.r6g.large", Engine="aurora-postgresql", DBClusterIdentifier=cluster)
        until(lambda: available(client("rds", region), cluster))
    return name, primary, secondary


def told(rds, name):
    """The writer's identifier, the status, and that of the failover state."""
    found = rds.describe_global_clusters(GlobalClusterIdentifier=name)["GlobalClusters"][0]
    writers = [member["DBClusterArn"].split(":")[-1] for member in found["GlobalClusterMembers"] if member["IsWriter"]]
    return writers, found["Status"], found.get("FailoverState", {}).get("Status")


def test_a_global_database_fails_over_and_switches_back(client, world, refused, until):
    rds, (name, primary, secondary) = client("rds"), world
    assert told(rds, name) == ([primary], "available", None)
    assert describe(rds, secondary)["GlobalClusterIdentifier"] == name
    there, here = describe(client("rds", PRIMARY), primary)["DBClusterArn"], describe(rds, secondary)["DBClusterArn"]
    both = {"GlobalClusterIdentifier": name, "TargetDbClusterIdentifier": here}
    refused("InvalidParameterCombination", 400, rds.failover_global_cluster, AllowDataLoss=True, Switchover=True, **both)
    refused("GlobalClusterNotFoundFault", 404, rds.failover_global_cluster, AllowDataLoss=True, **{**both, "GlobalClusterIdentifier": "nowhere"})
    refused("DBClusterNotFoundFault", 404, rds.failover_global_cluster, AllowDataLoss=True, **{**both, "TargetDbClusterIdentifier": secondary})
    begun = rds.failover_global_cluster(AllowDataLoss=True, **both)["GlobalCluster"]
    assert (begun["Status"], begun["FailoverState"]["IsDataLossAllowed"]) == ("failing-over", True)
    assert begun["FailoverState"]["ToDbClusterArn"] == here
    refused("InvalidGlobalClusterStateFault", 400, rds.failover_global_cluster, AllowDataLoss=True, **both)
    until(lambda: told(rds, name) == ([secondary], "available", None))
    refused("InvalidDBClusterStateFault", 400, rds.failover_global_cluster, AllowDataLoss=True, **both)
    until(lambda: available(client("rds", PRIMARY), primary))
    home = {"GlobalClusterIdentifier": name, "TargetDbClusterIdentifier": there}
    begun = rds.switchover_global_cluster(**home)["GlobalCluster"]
    assert (begun["Status"], begun["FailoverState"]["Status"]) == ("switching-over", "switching-over")
    refused("InvalidGlobalClusterStateFault", 400, rds.switchover_global_cluster, **home)
    until(lambda: told(rds, name) == ([primary], "available", None))
    gone = rds.remove_from_global_cluster(GlobalClusterIdentifier=name, DbClusterIdentifier=here)["GlobalCluster"]
    assert [member["DBClusterArn"] for member in gone["GlobalClusterMembers"]] == [there]
    assert "GlobalClusterIdentifier" not in describe(rds, secondary)
    refused("GlobalClusterNotFoundFault", 404, rds.describe_global_clusters, GlobalClusterIdentifier="nowhere")


def test_a_parameter_group_says_what_people_set(client, refused):
    rds = client("rds")
    set_by_people = [{"ParameterName": "binlog_format", "ParameterValue": "ROW", "Source": "user"}]
    assert rds.describe_db_cluster_parameters(DBClusterParameterGroupName="shop", Source="user")["Parameters"] == set_by_people
    assert rds.describe_db_parameters(DBParameterGroupName="shop", Source="user")["Parameters"] == set_by_people
    refused("DBParameterGroupNotFound", 404, rds.describe_db_parameters, DBParameterGroupName="other", Source="user")
    refused("NotImplemented", 501, rds.describe_db_parameters, DBParameterGroupName="shop", Source="engine-default")
