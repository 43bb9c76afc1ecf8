"""Lambda: the echo function of the lab's tests, invoked."""

import json
import os

import pytest

FUNCTION = os.environ["LAB_FUNCTION"]


def test_a_function_is_invoked_and_answers(client):
    answer = client("lambda").invoke(FunctionName=FUNCTION, Payload=b'{"hello": "world"}')
    assert answer["StatusCode"] == 200
    said = json.loads(answer["Payload"].read())
    assert said["event"] == {"hello": "world"}
    assert said["environment"]["AWS_LAMBDA_FUNCTION_NAME"] == FUNCTION


def test_a_functions_own_error_is_an_answer(client):
    answer = client("lambda").invoke(FunctionName=FUNCTION, Payload=b'{"fail": true}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorType"] == "Asked"


def test_a_dead_process_is_a_function_error_too(client):
    answer = client("lambda").invoke(FunctionName=FUNCTION, Payload=b'{"die": true}')
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.ExitError"


def test_an_event_is_accepted_at_once(client):
    assert client("lambda").invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b"{}")["StatusCode"] == 202


def test_its_configuration_is_told(client):
    config = client("lambda").get_function_configuration(FunctionName=FUNCTION)
    assert (config["FunctionName"], config["Runtime"]) == (FUNCTION, "provided.al2023")


def test_a_function_is_tagged(client, refused):
    functions = client("lambda")
    arn = functions.get_function_configuration(FunctionName=FUNCTION)["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"team": "a", "stage": "set from=1"})
    functions.tag_resource(Resource=arn, Tags={"team": "b"})
    assert functions.list_tags(Resource=arn)["Tags"] == {"team": "b", "stage": "set from=1"}
    functions.untag_resource(Resource=arn, TagKeys=["team", "stage", "absent"])
    assert functions.list_tags(Resource=arn)["Tags"] == {}
    refused("ResourceNotFoundException", 404, functions.list_tags, Resource=arn + "-absent")


def test_a_function_of_another_region_is_not_found(client, refused):
    refused("ResourceNotFoundException", 404, client("lambda", "us-east-1").invoke, FunctionName=FUNCTION, Payload=b"{}")


def test_the_command_line_invokes(aws, tmp_path):
    out = tmp_path / "answer.json"
    told = aws("lambda", "invoke", "--function-name", FUNCTION, "--payload", '{"from": "cli"}', str(out))
    assert told["StatusCode"] == 200
    assert json.loads(out.read_text())["event"] == {"from": "cli"}
    with pytest.raises(Exception, match="ResourceNotFoundException"):
        aws("lambda", "invoke", "--function-name", "absent", str(out))


def test_a_mapping_is_switched_in_lambdas_own_time_and_tagged(client, refused, until):
    functions = client("lambda")
    state = lambda: functions.get_event_source_mapping(UUID="0a1b2c3d-0000-4000-8000-000000000001")["State"]
    assert state() == "Disabled"
    switched = functions.update_event_source_mapping(UUID="0a1b2c3d-0000-4000-8000-000000000001", Enabled=True)
    assert switched["State"] == "Enabling"
    refused("ResourceInUseException", 400, functions.update_event_source_mapping, UUID="0a1b2c3d-0000-4000-8000-000000000001", Enabled=False)
    until(lambda: state() == "Enabled")
    arn = switched["EventSourceMappingArn"]
    functions.tag_resource(Resource=arn, Tags={"team": "a"})
    assert functions.list_tags(Resource=arn)["Tags"] == {"team": "a"}
    functions.untag_resource(Resource=arn, TagKeys=["team"])
    assert functions.list_tags(Resource=arn)["Tags"] == {}
    refused("ResourceNotFoundException", 404, functions.get_event_source_mapping, UUID="0a1b2c3d-0000-4000-8000-000000000002")
    refused("ResourceNotFoundException", 404, functions.update_event_source_mapping, UUID="0a1b2c3d-0000-4000-8000-000000000002", Enabled=True)
