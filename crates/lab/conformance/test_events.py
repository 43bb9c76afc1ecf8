"""EventBridge: buses, rules, targets, events."""

import itertools
import json

import pytest

NUMBERS = itertools.count()


@pytest.fixture
def queue(client):
    """A queue in a region: its ARN, and what it receives."""

    def create(region="eu-central-1"):
        sqs = client("sqs", region)
        url = sqs.create_queue(QueueName=f"events-{next(NUMBERS)}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return arn, lambda: [json.loads(message["Body"]) for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]

    return create


def put(events, bus, detail, kind="Thing Happened"):
    return events.put_events(Entries=[{"EventBusName": bus, "Source": "conformance", "DetailType": kind, "Detail": json.dumps(detail)}])


def test_an_event_reaches_the_targets_of_the_rules_that_match_it(client, queue, until):
    events, (arn, received) = client("events"), queue()
    rule = f"rule-{next(NUMBERS)}"
    pattern = {"source": ["conformance"], "detail": {"size": [{"numeric": [">", 3]}], "name": [{"prefix": "a"}]}}
    events.put_rule(Name=rule, EventPattern=json.dumps(pattern))
    assert events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])["FailedEntryCount"] == 0
    for detail in [{"size": 3, "name": "ab"}, {"size": 4, "name": "b"}, {"size": 5, "name": "abc"}]:
        assert put(events, "default", detail)["FailedEntryCount"] == 0
    event = until(received)[0]
    assert (event["detail"], event["detail-type"], event["region"]) == ({"size": 5, "name": "abc"}, "Thing Happened", "eu-central-1")
    assert {"version", "id", "source", "account", "time", "resources"} <= event.keys()
    assert received() == []


def test_a_bus_in_another_region_is_a_target(client, queue, until):
    here, there, (arn, received) = client("events", "us-east-1"), client("events"), queue()
    bus = there.create_event_bus(Name=f"bus-{next(NUMBERS)}")["EventBusArn"]
    name = bus.rsplit("/", 1)[-1]
    assert there.describe_event_bus(Name=name)["Arn"] == bus
    assert name in [found["Name"] for found in there.list_event_buses()["EventBuses"]]
    rule = f"rule-{next(NUMBERS)}"
    here.put_rule(Name=rule, EventPattern='{"source": ["conformance"]}')
    here.put_targets(Rule=rule, Targets=[{"Id": "bus", "Arn": bus, "RoleArn": "arn:aws:iam::123456789012:role/forward"}])
    there.put_rule(Name=rule, EventBusName=name, EventPattern='{"source": ["conformance"]}')
    there.put_targets(Rule=rule, EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
    put(here, "default", {"from": "afar"})
    assert until(received)[0]["region"] == "us-east-1"


def test_a_rule_is_described_disabled_enabled_and_emptied(client, queue, refused):
    events, (arn, _) = client("events"), queue()
    rule = f"rule-{next(NUMBERS)}"
    events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)", Description="a tick")
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    events.disable_rule(Name=rule)
    assert (events.describe_rule(Name=rule)["State"], events.describe_rule(Name=rule)["Description"]) == ("DISABLED", "a tick")
    events.enable_rule(Name=rule)
    assert [found["State"] for found in events.list_rules(NamePrefix=rule)["Rules"]] == ["ENABLED"]
    assert [target["Arn"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]] == [arn]
    refused("ValidationException", 400, events.delete_rule, Name=rule)
    events.remove_targets(Rule=rule, Ids=["queue"])
    assert events.list_targets_by_rule(Rule=rule)["Targets"] == []
    events.delete_rule(Name=rule)
    refused("ResourceNotFoundException", 400, events.describe_rule, Name="absent")
    refused("InvalidEventPatternException", 400, events.put_rule, Name="bad", EventPattern='{"source": "not a list"}')


def test_a_rule_is_tagged(client, refused):
    events = client("events")
    rule = f"rule-{next(NUMBERS)}"
    arn = events.put_rule(Name=rule, ScheduleExpression="rate(1 day)")["RuleArn"]
    events.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "b"}])
    events.put_rule(Name=rule, ScheduleExpression="rate(2 days)")
    assert sorted(tag["Key"] for tag in events.list_tags_for_resource(ResourceARN=arn)["Tags"]) == ["stage", "team"]
    events.untag_resource(ResourceARN=arn, TagKeys=["team", "absent"])
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "b"}]
    refused("ResourceNotFoundException", 400, events.list_tags_for_resource, ResourceARN=arn + "-absent")
    events.delete_rule(Name=rule)


def test_a_schedule_ticks(client, queue, until):
    events, (arn, received) = client("events"), queue()
    rule = f"rule-{next(NUMBERS)}"
    events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    assert until(received)[0]["detail-type"] == "Scheduled Event"
    events.disable_rule(Name=rule)


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(client, queue, until):
    events, (arn, received) = client("events"), queue()
    rule = f"rule-{next(NUMBERS)}"
    events.put_rule(Name=rule, EventPattern='{"detail-type": ["Undeliverable"]}')
    absent = "arn:aws:lambda:eu-central-1:123456789012:function:absent"
    events.put_targets(Rule=rule, Targets=[{"Id": "absent", "Arn": absent, "DeadLetterConfig": {"Arn": arn}}])
    put(events, "default", {"lost": False}, kind="Undeliverable")
    assert until(received)[0]["detail"] == {"lost": False}


def test_an_alarms_change_of_state_is_an_event_in_its_full_shape(client, queue, until):
    events, cloudwatch, (arn, received) = client("events"), client("cloudwatch"), queue()
    rule = f"rule-{next(NUMBERS)}"
    events.put_rule(Name=rule, EventPattern='{"source": ["aws.cloudwatch"], "detail": {"alarmName": ["watched"]}}')
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    cloudwatch.put_metric_alarm(
        AlarmName="watched", Namespace="Site", MetricName="Up", Statistic="Minimum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="LessThanThreshold", TreatMissingData="ignore")
    cloudwatch.put_metric_data(Namespace="Site", MetricData=[{"MetricName": "Up", "Value": 0.0}])
    event = until(received)[0]
    detail = event["detail"]
    assert (event["detail-type"], event["resources"][0].rsplit(":", 1)[-1]) == ("CloudWatch Alarm State Change", "watched")
    assert (detail["state"]["value"], detail["state"]["timestamp"][-5:]) == ("ALARM", "+0000")
    assert json.loads(detail["state"]["reasonData"])["threshold"] == 1.0
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert detail["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "Up"


def test_a_bus_that_is_not_there_takes_events_and_is_not_described(client, refused):
    events = client("events")
    answer = put(events, "absent", {})
    assert (answer["FailedEntryCount"], "EventId" in answer["Entries"][0]) == (0, True)
    refused("ResourceNotFoundException", 400, events.describe_event_bus, Name="absent")


def test_patterns_are_tried_and_refused(client, refused):
    events, event = client("events"), json.dumps({"source": "s", "detail": {"a": "x"}})
    for pattern, expected in [
        ({"$or": [{"source": ["t"]}, {"detail": {"a": [{"anything-but": {"suffix": ["y", "z"]}}]}}]}, True),
        ({"detail": {"b": [{"exists": False}, "x"]}}, True),
        ({"detail": {"a": [{"wildcard": "y*"}]}}, False),
    ]:
        assert events.test_event_pattern(EventPattern=json.dumps(pattern), Event=event)["Result"] is expected, pattern
    why = refused("InvalidEventPatternException", 400, events.test_event_pattern, EventPattern='{"source": []}', Event=event)
    assert why == "Event pattern is not valid. Reason: Empty arrays are not allowed"


def test_the_command_line_puts_events(aws, client):
    entries = '[{"Source": "holdfast.operator", "DetailType": "Test", "Detail": "{}", "EventBusName": "default"}]'
    assert aws("events", "put-events", "--entries", entries)["FailedEntryCount"] == 0
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        aws("events", "describe-rule", "--name", "absent")
