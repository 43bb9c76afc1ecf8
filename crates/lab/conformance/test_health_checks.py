"""Route 53's health checks, and the tags by which people know them."""

import itertools
import os

import pytest
from conftest import PATIENT

NUMBERS = itertools.count()
PORT = int(os.environ["LAB_SITE_PORT"])
SITE = {"IPAddress": "127.0.0.1", "Port": PORT, "Type": "HTTP", "ResourcePath": "/health", "FailureThreshold": 1, "RequestInterval": 10}
ABSENT = {**SITE, "Port": 9}


@pytest.fixture
def check(client):
    """Creates a health check."""
    r53 = client("route53", config=PATIENT)

    def create(**config):
        created = r53.create_health_check(CallerReference=f"check-{next(NUMBERS)}", HealthCheckConfig=config)
        assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
        return created["HealthCheck"]["Id"]

    return create


def says(client, check_id):
    """What most checkers say of an endpoint."""
    seen = client("route53", config=PATIENT).get_health_check_status(HealthCheckId=check_id)["HealthCheckObservations"]
    return sum(one["StatusReport"]["Status"].startswith("Success") for one in seen) > len(seen) / 2 if seen else None


def regions(client, check_id):
    seen = client("route53", config=PATIENT).get_health_check_status(HealthCheckId=check_id)["HealthCheckObservations"]
    return {one["Region"] for one in seen}


def test_an_endpoint_is_probed_from_several_places(client, check, until):
    well, unwell = check(**SITE), check(**ABSENT)
    tcp = check(IPAddress="127.0.0.1", Port=PORT, Type="TCP", FailureThreshold=1, RequestInterval=10)
    until(lambda: says(client, well) is True)
    until(lambda: says(client, tcp) is True)
    until(lambda: says(client, unwell) is False)
    until(lambda: len(regions(client, well)) >= 3)


def test_its_metric_lands_in_us_east_1_and_nowhere_else(client, check, until):
    well, unwell = check(**SITE), check(**ABSENT)

    def minimum(check_id, region="us-east-1"):
        query = {"Namespace": "AWS/Route53", "MetricName": "HealthCheckStatus", "Dimensions": [{"Name": "HealthCheckId", "Value": check_id}]}
        from datetime import datetime, timedelta, timezone
        now = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
        points = client("cloudwatch", region).get_metric_statistics(
            **query, StartTime=now, EndTime=now + timedelta(days=1), Period=60, Statistics=["Minimum"])["Datapoints"]
        return [point["Minimum"] for point in points]

    until(lambda: 1.0 in minimum(well))
    until(lambda: 0.0 in minimum(unwell))
    assert minimum(well, "eu-central-1") == []


def test_a_check_is_updated_by_version_and_deleted(client, check, refused):
    r53, check_id = client("route53", config=PATIENT), check(**SITE)
    version = r53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckVersion"]
    updated = r53.update_health_check(HealthCheckId=check_id, HealthCheckVersion=version, Disabled=True)["HealthCheck"]
    assert (updated["HealthCheckVersion"], updated["HealthCheckConfig"]["Disabled"]) == (version + 1, True)
    refused("HealthCheckVersionMismatch", 409, r53.update_health_check, HealthCheckId=check_id, HealthCheckVersion=version, Disabled=False)
    assert check_id in [found["Id"] for page in r53.get_paginator("list_health_checks").paginate() for found in page["HealthChecks"]]
    r53.delete_health_check(HealthCheckId=check_id)
    refused("NoSuchHealthCheck", 404, r53.get_health_check_status, HealthCheckId=check_id)


def test_an_address_is_changed_but_never_added(client, check, refused):
    r53 = client("route53", config=PATIENT)
    named = {key: value for key, value in SITE.items() if key != "IPAddress"}
    r53.update_health_check(HealthCheckId=check(**SITE), IPAddress="127.0.0.2")
    by_name = check(**named, FullyQualifiedDomainName="site.example.com")
    refused("InvalidInput", 400, r53.update_health_check, HealthCheckId=by_name, IPAddress="127.0.0.1")


def test_what_the_lab_does_not_check_it_says(client, refused):
    r53 = client("route53", config=PATIENT)
    for nth, more in enumerate([{"Type": "HTTP_STR_MATCH", "SearchString": "ok"}, {"Regions": ["us-east-1", "us-west-1", "eu-west-1"]}, {"MeasureLatency": True}]):
        refused("NotImplemented", 501, r53.create_health_check, CallerReference=f"lacking-{nth}", HealthCheckConfig={**SITE, **more})


def test_a_check_on_an_alarm_keeps_a_copy_of_its_settings(client, check):
    r53, cloudwatch = client("route53", config=PATIENT), client("cloudwatch", "us-east-1")
    alarm = {"AlarmName": "copied", "Namespace": "Site", "MetricName": "Up", "Statistic": "Minimum", "Period": 60, "ComparisonOperator": "LessThanThreshold"}
    cloudwatch.put_metric_alarm(**alarm, EvaluationPeriods=3, Threshold=1)
    check_id = check(Type="CLOUDWATCH_METRIC", AlarmIdentifier={"Region": "us-east-1", "Name": "copied"}, InsufficientDataHealthStatus="LastKnownStatus")

    def copy():
        return r53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["CloudWatchAlarmConfiguration"]

    assert (copy()["EvaluationPeriods"], copy()["Threshold"]) == (3, 1.0)
    cloudwatch.put_metric_alarm(**alarm, EvaluationPeriods=5, Threshold=1)
    assert copy()["EvaluationPeriods"] == 3
    r53.update_health_check(HealthCheckId=check_id, AlarmIdentifier={"Region": "us-east-1", "Name": "copied"})
    assert copy()["EvaluationPeriods"] == 5


def test_a_calculated_check_counts_its_children(client, check):
    child = check(**SITE)
    check_id = check(Type="CALCULATED", ChildHealthChecks=[child], HealthThreshold=1, Inverted=True)
    config = client("route53", config=PATIENT).get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    assert (config["ChildHealthChecks"], config["HealthThreshold"], config["Inverted"]) == ([child], 1, True)


def test_checks_and_zones_carry_tags(client, check):
    r53, check_id = client("route53", config=PATIENT), check(**SITE)
    r53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id, AddTags=[{"Key": "Name", "Value": "site"}, {"Key": "Team", "Value": "ops"}])
    r53.change_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id, RemoveTagKeys=["Team"])
    tags = r53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id)["ResourceTagSet"]
    assert (tags["ResourceId"], tags["Tags"]) == (check_id, [{"Key": "Name", "Value": "site"}])
    zone_id = r53.create_hosted_zone(Name="tagged.example.com", CallerReference="tagged")["HostedZone"]["Id"]
    with pytest.raises(Exception, match="NoSuchHostedZone"):
        r53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=[{"Key": "a", "Value": "b"}])


def test_https_asks_over_tls_and_tells_the_name_unless_told_not_to(client, check, until):
    r53, site = client("route53", config=PATIENT), {**SITE, "Type": "HTTPS", "FullyQualifiedDomainName": "app.example.com"}
    told, untold = check(**site), check(**site, EnableSNI=False)
    config = lambda check_id: r53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    assert (config(told)["EnableSNI"], config(untold)["EnableSNI"]) == (True, False)
    # The site speaks no TLS.
    until(lambda: says(client, told) is False)
