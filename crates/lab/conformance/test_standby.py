"""What stands behind a load balancer, and what an application reads: groups of instances, certificates, keys, secrets."""


def test_a_group_says_its_sizes_its_instances_and_what_is_suspended(client):
    (group,) = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["AutoScalingGroupName"], group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == ("shop", 1, 4, 2)
    (instance,) = group["Instances"]
    assert (instance["LifecycleState"], instance["HealthStatus"]) == ("InService", "Healthy")
    assert [it["ProcessName"] for it in group["SuspendedProcesses"]] == ["AZRebalance"]
    assert group["TargetGroupARNs"][0].endswith(":targetgroup/shop/0123456789abcdef")
    assert client("autoscaling", "eu-west-1").describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_a_group_is_resized_and_tagged(client, refused):
    scaling = client("autoscaling")
    group = lambda: scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["shop"])["AutoScalingGroups"][0]
    sizes = lambda: tuple(group()[size] for size in ("MinSize", "DesiredCapacity", "MaxSize"))
    scaling.update_auto_scaling_group(AutoScalingGroupName="shop", MinSize=3)
    assert sizes() == (3, 3, 4), "the desired size follows the least"
    for wrong in ({"MinSize": 5}, {"DesiredCapacity": 5}):
        refused("ValidationError", 400, scaling.update_auto_scaling_group, AutoScalingGroupName="shop", **wrong)
    scaling.update_auto_scaling_group(AutoScalingGroupName="shop", MinSize=1, DesiredCapacity=2, MaxSize=4)
    assert sizes() == (1, 2, 4)
    refused("ValidationError", 400, scaling.update_auto_scaling_group, AutoScalingGroupName="other", MinSize=1)
    tag = {"ResourceId": "shop", "ResourceType": "auto-scaling-group", "Key": "team", "Value": "a", "PropagateAtLaunch": False}
    scaling.create_or_update_tags(Tags=[tag])
    scaling.create_or_update_tags(Tags=[tag | {"Value": "b"}])
    assert [(it["Key"], it["Value"]) for it in group()["Tags"]] == [("team", "b")]
    scaling.delete_tags(Tags=[{key: tag[key] for key in ("ResourceId", "ResourceType", "Key")}])
    assert group()["Tags"] == []
    assert scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["other"])["AutoScalingGroups"] == []


def test_a_service_is_counted_and_tagged_and_what_is_not_there_is_missing(client, refused):
    ecs = client("ecs")
    arn = "arn:aws:ecs:eu-central-1:123456789012:service/main/shop"

    def service():
        (found,) = ecs.describe_services(cluster="main", services=[arn], include=["TAGS"])["services"]
        return found

    assert (service()["desiredCount"], service()["runningCount"], service()["status"]) == (2, 2, "ACTIVE")
    assert ecs.update_service(cluster="main", service="shop", desiredCount=6)["service"]["desiredCount"] == 6
    assert (service()["desiredCount"], service()["runningCount"]) == (6, 2)
    for name, code in (("other", "ServiceNotFoundException"), ("old", "ServiceNotActiveException"), ("agent", "InvalidParameterException")):
        refused(code, 400, ecs.update_service, cluster="main", service=name, desiredCount=1)
    refused("ClusterNotFoundException", 400, ecs.update_service, cluster="other", service="shop", desiredCount=1)
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "a"}, {"key": "holdfast:step", "value": "set from=2"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["team", "absent"])
    assert service()["tags"] == [{"key": "holdfast:step", "value": "set from=2"}]
    refused("InvalidParameterException", 400, ecs.tag_resource, resourceArn=arn + "-absent", tags=[])
    missing = ecs.describe_services(cluster="main", services=["absent"])
    assert (missing["services"], missing["failures"][0]["reason"]) == ([], "MISSING")
    refused("ClusterNotFoundException", 400, ecs.describe_services, cluster="other", services=["shop"])


def test_a_groups_newest_activity_comes_first(client, refused):
    scaling = client("autoscaling")
    newest, oldest = scaling.describe_scaling_activities(AutoScalingGroupName="shop")["Activities"]
    assert (newest["StatusCode"], oldest["StatusCode"]) == ("Failed", "Successful")
    assert "does not exist" in newest["StatusMessage"]
    (newest,) = scaling.describe_scaling_activities(AutoScalingGroupName="shop", MaxRecords=1)["Activities"]
    assert newest["StatusCode"] == "Failed"
    refused("ValidationError", 400, scaling.describe_scaling_activities, AutoScalingGroupName="other")


def test_a_certificate_says_its_names_and_until_when_it_is_valid(client, refused):
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/shop"
    certificate = client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
    assert (certificate["SubjectAlternativeNames"], certificate["Status"]) == (["shop.example.com"], "ISSUED")
    assert certificate["NotAfter"].year == 2026
    refused("ResourceNotFoundException", 400, client("acm", "eu-west-1").describe_certificate, CertificateArn=arn)


def test_a_key_says_its_state(client, refused):
    kms = client("kms")
    by_id = kms.describe_key(KeyId="shop")["KeyMetadata"]
    assert (by_id["KeyState"], by_id["Enabled"]) == ("PendingDeletion", False)
    assert kms.describe_key(KeyId=by_id["Arn"])["KeyMetadata"] == by_id
    refused("NotFoundException", 400, kms.describe_key, KeyId="other")
    refused("NotFoundException", 400, client("kms", "eu-west-1").describe_key, KeyId=by_id["Arn"])


def test_a_secret_says_how_far_its_replicas_have_come_and_whether_it_was_deleted(client, refused):
    secrets = client("secretsmanager")
    secret = secrets.describe_secret(SecretId="shop/app")
    assert secret["ReplicationStatus"] == [{"Region": "eu-west-1", "Status": "Failed", "StatusMessage": "no key"}]
    assert "DeletedDate" not in secret
    assert "DeletedDate" in secrets.describe_secret(SecretId="shop/deleted")
    refused("ResourceNotFoundException", 400, secrets.describe_secret, SecretId="shop/other")


def test_a_secret_gives_its_value_unless_it_has_none_or_was_deleted(client, refused):
    secrets = client("secretsmanager")
    by_name = secrets.get_secret_value(SecretId="shop/app")
    assert (by_name["Name"], by_name["SecretString"]) == ("shop/app", '{"username": "app"}')
    assert secrets.get_secret_value(SecretId=by_name["ARN"])["SecretString"] == by_name["SecretString"]
    refused("ResourceNotFoundException", 400, client("secretsmanager", "eu-west-1").get_secret_value, SecretId=by_name["ARN"])
    refused("ResourceNotFoundException", 400, secrets.get_secret_value, SecretId="shop/empty")
    refused("InvalidRequestException", 400, secrets.get_secret_value, SecretId="shop/deleted")


def test_a_secret_is_made_once_in_its_region_and_listed_there(client, refused):
    secrets = client("secretsmanager")
    made = secrets.create_secret(Name="shop/new", SecretString='{"username": "new"}')
    assert secrets.get_secret_value(SecretId=made["ARN"])["SecretString"] == '{"username": "new"}'
    refused("ResourceExistsException", 400, secrets.create_secret, Name="shop/new", SecretString="again")
    refused("InvalidRequestException", 400, secrets.create_secret, Name="shop/deleted", SecretString="again")
    refused("ValidationException", 400, secrets.create_secret, Name="shop new", SecretString="x")
    pages = secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2})
    pages = [[secret["Name"] for secret in page["SecretList"]] for page in pages]
    assert pages == [["shop/app", "shop/empty"], ["shop/new"]]
    everything = secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [secret["Name"] for secret in everything if "DeletedDate" in secret] == ["shop/deleted"]
    assert client("secretsmanager", "eu-west-1").list_secrets()["SecretList"] == []


def test_parameters_are_found_by_name_and_an_empty_page_is_not_the_last(client, refused):
    parameters = client("ssm")
    by_name = {it["Name"]: it for it in parameters.describe_parameters()["Parameters"]}
    assert {name: it["Type"] for name, it in by_name.items()} == {
        "/shop/bucket": "String",
        "/shop/hosts": "StringList",
        "/shop/image": "String",
        "plain": "SecureString",
    }
    assert by_name["/shop/bucket"]["ARN"] == "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/bucket"
    assert (by_name["plain"]["DataType"], by_name["/shop/image"]["DataType"]) == ("text", "aws:ec2:image")
    assert by_name["/shop/image"]["LastModifiedDate"].year >= 2026
    wanted = [{"Key": "Name", "Option": "Equals", "Values": ["plain", "absent"]}]
    assert [it["Name"] for it in parameters.describe_parameters(ParameterFilters=wanted)["Parameters"]] == ["plain"]
    pages = list(parameters.get_paginator("describe_parameters").paginate(PaginationConfig={"PageSize": 2}))
    assert [[it["Name"] for it in page["Parameters"]] for page in pages] == [[], ["/shop/bucket", "/shop/hosts"], ["/shop/image", "plain"]]
    refused("ValidationException", 400, parameters.describe_parameters, MaxResults=50, ParameterFilters=[{"Key": "Name", "Values": ["x"] * 51}])
    assert client("ssm", "eu-west-1").describe_parameters()["Parameters"] == []


def test_a_quota_is_aws_default_until_another_is_applied_and_names_the_metric_of_its_use(client, refused):
    quotas, elsewhere = client("service-quotas"), client("service-quotas", "eu-west-1")
    of = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
    applied, default = quotas.get_service_quota(**of)["Quota"], quotas.get_aws_default_service_quota(**of)["Quota"]
    assert (applied["Value"], default["Value"]) == (64.0, 5.0)
    metric = applied["UsageMetric"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == ("AWS/Usage", "ResourceCount") and metric == default["UsageMetric"]
    assert metric["MetricDimensions"] == {"Service": "EC2", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    refused("NoSuchResourceException", 400, elsewhere.get_service_quota, **of)
    refused("NoSuchResourceException", 400, quotas.get_aws_default_service_quota, ServiceCode="ec2", QuotaCode="L-00000000")


def test_a_pipelines_newest_execution_comes_first(client, refused):
    pipelines = client("codepipeline")
    newest, oldest = pipelines.list_pipeline_executions(pipelineName="shop")["pipelineExecutionSummaries"]
    assert (newest["status"], oldest["status"]) == ("Succeeded", "Failed")
    assert newest["sourceRevisions"] == [{"actionName": "Source", "revisionId": "Lv1", "revisionSummary": "the commit"}]
    assert "revisionSummary" not in oldest["sourceRevisions"][0] and newest["lastUpdateTime"].year >= 2026
    pages = pipelines.get_paginator("list_pipeline_executions").paginate(pipelineName="shop", PaginationConfig={"PageSize": 1})
    assert [page["pipelineExecutionSummaries"][0]["status"] for page in pages] == ["Succeeded", "Failed"]
    refused("PipelineNotFoundException", 400, pipelines.list_pipeline_executions, pipelineName="other")
    refused("InvalidNextTokenException", 400, pipelines.list_pipeline_executions, pipelineName="shop", nextToken="x")
