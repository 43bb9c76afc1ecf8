"""CloudWatch Logs: what the echo function printed."""

import os

import pytest

FUNCTION = os.environ["LAB_FUNCTION"]
GROUP = f"/aws/lambda/{FUNCTION}"


def invoke(client, word):
    client("lambda").invoke(FunctionName=FUNCTION, Payload=f'{{"word": "{word}"}}'.encode())


def test_what_a_function_prints_is_found_by_phrase_and_time(client, until):
    logs = client("logs")
    for word in ["plain", "quite plain", "other"]:
        invoke(client, word)

    def found(phrase, **times):
        return logs.filter_log_events(logGroupName=GROUP, filterPattern=f'"{phrase}"', **times)["events"]

    assert len(until(lambda: len(found("plain")) == 2 and found("plain"))) == 2
    only = until(lambda: found("quite plain"))
    assert "quite plain" in only[0]["message"]
    at = only[0]["timestamp"]
    assert found("quite plain", startTime=at, endTime=at) == only
    assert found("quite plain", startTime=at + 1) == []
    assert found("never said") == []


def test_pages_follow_one_another(client, until):
    logs = client("logs")
    for nth in range(5):
        invoke(client, f"page {nth}")
    until(lambda: len(logs.filter_log_events(logGroupName=GROUP, filterPattern='"page "')["events"]) == 5)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, filterPattern='"page "', PaginationConfig={"PageSize": 2})
    assert [len(page["events"]) for page in pages] == [2, 2, 1]


def test_an_absent_group_is_refused_and_so_is_what_the_lab_does_not_know(client, refused):
    refused("ResourceNotFoundException", 400, client("logs").filter_log_events, logGroupName="/aws/lambda/absent")
    refused("NotImplemented", 501, client("logs").filter_log_events, logGroupName=GROUP, filterPattern="{ $.a = 1 }")
    refused("NotImplemented", 501, client("logs").describe_log_groups)


def test_the_command_line_filters(aws, client, until):
    invoke(client, "from the shell")
    until(lambda: aws("logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", '"from the shell"')["events"])
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/absent")
