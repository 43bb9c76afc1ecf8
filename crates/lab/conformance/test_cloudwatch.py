"""CloudWatch: metrics and alarms."""

import itertools
import json
from datetime import datetime, timedelta, timezone

import pytest

NUMBERS = itertools.count()
START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def alarm(client):
    """Puts an alarm on a metric of its own; gives the two names."""
    cloudwatch = client("cloudwatch")

    def put(**settings):
        name = f"alarm-{next(NUMBERS)}"
        defaults = {"Statistic": "Minimum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold"}
        cloudwatch.put_metric_alarm(AlarmName=name, Namespace="Site", MetricName=name, **{**defaults, **settings})
        return name

    return put


def state(cloudwatch, name):
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def test_metrics_go_in_and_come_out(client, until):
    cloudwatch, dimensions = client("cloudwatch"), [{"Name": "Zone", "Value": "one"}]
    data = [{"MetricName": "Load", "Dimensions": dimensions, "Value": value} for value in (2.0, 4.0)]
    cloudwatch.put_metric_data(Namespace="Test", MetricData=data)

    def statistics():
        return cloudwatch.get_metric_statistics(
            Namespace="Test", MetricName="Load", Dimensions=dimensions, StartTime=START, EndTime=START + timedelta(days=1),
            Period=86400, Statistics=["Average", "SampleCount"])["Datapoints"]

    found = until(statistics)[0]
    assert (found["Average"], found["SampleCount"]) == (3.0, 2.0)
    query = {"Id": "m", "MetricStat": {"Metric": {"Namespace": "Test", "MetricName": "Load", "Dimensions": dimensions}, "Period": 86400, "Stat": "Maximum"}}
    answer = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=START, EndTime=START + timedelta(days=1))
    assert answer["MetricDataResults"][0]["Values"] == [4.0]


def test_regions_do_not_know_each_others_metrics_and_alarms(client, alarm):
    name = alarm()
    assert client("cloudwatch", "us-east-1").describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


@pytest.mark.parametrize("treat, expected", [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")])
def test_missing_data_is_treated_as_documented(treat, expected, client, alarm, until):
    cloudwatch, name = client("cloudwatch"), alarm(TreatMissingData=treat)
    until(lambda: state(cloudwatch, name) == expected)


def test_an_alarm_follows_its_metric_and_says_why(client, alarm, until):
    cloudwatch, name = client("cloudwatch"), alarm(TreatMissingData="ignore")
    cloudwatch.put_metric_data(Namespace="Site", MetricData=[{"MetricName": name, "Value": 0.0}])
    until(lambda: state(cloudwatch, name) == "ALARM")
    found = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert "Threshold Crossed" in found["StateReason"]
    assert json.loads(found["StateReasonData"])["threshold"] == 1.0
    history = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert "to ALARM" in history[0]["HistorySummary"]


def test_an_alarm_is_found_by_prefix_and_state_and_in_pages(client, alarm):
    cloudwatch = client("cloudwatch")
    names = {alarm(TreatMissingData="ignore") for _ in range(3)}
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix="alarm-", PaginationConfig={"PageSize": 2})
    assert names <= {found["AlarmName"] for page in pages for found in page["MetricAlarms"]}
    for name in names:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    assert names <= {found["AlarmName"] for found in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]}
    cloudwatch.delete_alarms(AlarmNames=sorted(names))
    assert not names & {found["AlarmName"] for found in cloudwatch.describe_alarms()["MetricAlarms"]}


def test_actions_are_taken_on_a_change_of_state_and_only_if_enabled(client, alarm, until):
    cloudwatch, sns, sqs = client("cloudwatch"), client("sns"), client("sqs")
    topic = sns.create_topic(Name=f"alarms-{next(NUMBERS)}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"alarms-{next(NUMBERS)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    name = alarm(TreatMissingData="ignore", AlarmActions=[topic])

    def set_to(value):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=value, StateReason="a test")

    def received():
        return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])

    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    set_to("ALARM")
    set_to("OK")
    cloudwatch.enable_alarm_actions(AlarmNames=[name])
    set_to("ALARM")
    set_to("ALARM")
    messages = until(received)
    assert len(messages) == 1
    told = json.loads(json.loads(messages[0]["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"], told["Trigger"]["MetricName"]) == (name, "ALARM", name)


def test_refusals_are_told_in_cloudwatchs_codes_and_what_the_lab_lacks_in_none_of_them(client, alarm, refused):
    cloudwatch, name = client("cloudwatch"), alarm()
    why = refused("ValidationError", 400, cloudwatch.set_alarm_state, AlarmName=name, StateValue="INVALID", StateReason="a test")
    assert why.startswith("1 validation error detected: Value 'INVALID' at 'stateValue'")
    both = [{"MetricName": "m", "Value": 1.0, "Values": [1.0]}]
    refused("InvalidParameterCombination", 400, cloudwatch.put_metric_data, Namespace="Test", MetricData=both)
    span = {"StartTime": START, "EndTime": START + timedelta(days=2), "Period": 60}
    refused("InvalidParameterCombination", 400, cloudwatch.get_metric_statistics, Namespace="Test", MetricName="m", Statistics=["Sum"], **span)
    refused("NotImplemented", 501, cloudwatch.list_dashboards)
    refused("NotImplemented", 501, cloudwatch.put_composite_alarm, AlarmName="x", AlarmRule="TRUE", ActionsSuppressor=name)


def test_a_composite_alarm_follows_its_children_and_is_told_to_those_who_ask(client, alarm):
    cloudwatch, name = client("cloudwatch"), alarm(TreatMissingData="ignore")
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=f'ALARM("{name}") OR FALSE')

    def both(**kinds):
        return cloudwatch.describe_alarms(AlarmNames=["both"], **kinds)["CompositeAlarms"]

    assert both() == []
    assert both(AlarmTypes=["CompositeAlarm", "MetricAlarm"])[0]["StateValue"] == "OK"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    assert both(AlarmTypes=["CompositeAlarm"])[0]["StateValue"] == "ALARM"


def test_a_mute_rule_is_put_told_and_deleted(client, alarm, refused):
    cloudwatch, name = client("cloudwatch"), alarm()
    schedule = {"Expression": "cron(0 2 * * SUN)", "Duration": "PT4H"}
    cloudwatch.put_alarm_mute_rule(Name="sundays", Rule={"Schedule": schedule}, MuteTargets={"AlarmNames": [name]})
    assert cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName="sundays")["Rule"] == {"Schedule": schedule}
    rules = cloudwatch.list_alarm_mute_rules(AlarmName=name)["AlarmMuteRuleSummaries"]
    assert [(rule["MuteType"], rule["Status"] in ("SCHEDULED", "ACTIVE")) for rule in rules] == [("RECURRING", True)]
    cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName="sundays")
    assert cloudwatch.list_alarm_mute_rules(AlarmName=name)["AlarmMuteRuleSummaries"] == []


def test_the_command_line_describes_alarms(aws, alarm):
    name = alarm()
    assert aws("cloudwatch", "describe-alarms", "--alarm-names", name)["MetricAlarms"][0]["AlarmName"] == name
    with pytest.raises(Exception, match="ResourceNotFound"):
        aws("cloudwatch", "set-alarm-state", "--alarm-name", "absent", "--state-value", "OK", "--state-reason", "none")
