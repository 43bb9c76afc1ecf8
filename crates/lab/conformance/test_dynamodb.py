"""DynamoDB: a table of one text key, and a register in it that is changed by compare-and-swap."""

import pytest

KEY = {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]}


@pytest.fixture
def table(client, until):
    """A table that is ready, and its client; deleted when the test is over."""
    dynamodb = client("dynamodb")
    made = dynamodb.create_table(TableName="register", BillingMode="PAY_PER_REQUEST", **KEY)["TableDescription"]
    assert (made["TableStatus"], made["KeySchema"]) == ("CREATING", KEY["KeySchema"])
    dynamodb.get_waiter("table_exists").wait(TableName="register", WaiterConfig={"Delay": 1})
    yield dynamodb
    dynamodb.delete_table(TableName="register")
    dynamodb.get_waiter("table_not_exists").wait(TableName="register", WaiterConfig={"Delay": 1})


def test_an_item_is_put_read_and_deleted(table):
    item = {"pk": {"S": "app"}, "n": {"N": "7"}, "on": {"BOOL": True}, "no": {"NULL": True}, "m": {"M": {"l": {"L": [{"S": ""}]}}}}
    assert "Attributes" not in table.put_item(TableName="register", Item=item, ReturnValues="ALL_OLD")
    assert table.get_item(TableName="register", Key={"pk": {"S": "app"}}, ConsistentRead=True)["Item"] == item
    assert table.delete_item(TableName="register", Key={"pk": {"S": "app"}}, ReturnValues="ALL_OLD")["Attributes"] == item
    assert "Item" not in table.get_item(TableName="register", Key={"pk": {"S": "app"}}, ConsistentRead=True)


def test_an_older_copy_is_found_for_a_while_at_most(table, until):
    for version in ("1", "2"):
        table.put_item(TableName="register", Item={"pk": {"S": "app"}, "v": {"N": version}})
    found = lambda: table.get_item(TableName="register", Key={"pk": {"S": "app"}}).get("Item", {}).get("v")
    until(lambda: found() == {"N": "2"})


def test_a_condition_that_does_not_hold_changes_nothing_and_tells_what_stands(table):
    table.put_item(TableName="register", Item={"pk": {"S": "app"}, "v": {"N": "1"}})
    swap = {
        "TableName": "register",
        "Item": {"pk": {"S": "app"}, "v": {"N": "3"}},
        "ConditionExpression": "attribute_not_exists(pk) OR (NOT #v <> :v AND attribute_exists(pk))",
        "ExpressionAttributeNames": {"#v": "v"},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(table.exceptions.ConditionalCheckFailedException) as failed:
        table.put_item(**swap, ExpressionAttributeValues={":v": {"N": "2"}})
    assert failed.value.response["Error"]["Message"] == "The conditional request failed"
    assert failed.value.response["Item"]["v"] == {"N": "1"}
    table.put_item(**swap, ExpressionAttributeValues={":v": {"N": "1.0"}})
    assert table.get_item(TableName="register", Key={"pk": {"S": "app"}}, ConsistentRead=True)["Item"]["v"] == {"N": "3"}


def test_what_is_wrong_is_refused_as_aws_does(table, refused):
    invalid = lambda call, **parameters: refused("ValidationException", 400, call, TableName="register", **parameters)
    assert "empty string value. Key: pk" in invalid(table.get_item, Key={"pk": {"S": ""}})
    assert invalid(table.delete_item, Key={"sk": {"S": "x"}}) == "The provided key element does not match the schema"
    reserved = invalid(table.put_item, Item={"pk": {"S": "x"}}, ConditionExpression="attribute_exists(status)")
    assert reserved.endswith("Attribute name is a reserved keyword; reserved keyword: status")
    refused("ResourceInUseException", 400, table.create_table, TableName="register", BillingMode="PAY_PER_REQUEST", **KEY)
    refused("ResourceNotFoundException", 400, table.get_item, TableName="absent", Key={"pk": {"S": "x"}})
    short = refused("ValidationException", 400, table.create_table, TableName="ab", BillingMode="PAY_PER_REQUEST", **KEY)
    assert short.endswith("Member must have length greater than or equal to 3")
    refused("NotImplemented", 501, table.create_table, TableName="other", **KEY)
    refused("NotImplemented", 501, table.scan, TableName="register")


def test_a_protected_table_is_not_deleted(client, refused):
    dynamodb = client("dynamodb")
    dynamodb.create_table(TableName="kept", BillingMode="PAY_PER_REQUEST", DeletionProtectionEnabled=True, **KEY)
    dynamodb.get_waiter("table_exists").wait(TableName="kept", WaiterConfig={"Delay": 1})
    why = refused("ValidationException", 400, dynamodb.delete_table, TableName="kept")
    assert why.startswith("Resource cannot be deleted as it is currently protected against deletion.")


def test_the_command_line_swaps(table, aws):
    item = '{"pk": {"S": "app"}, "v": {"N": "1"}}'
    put = ["dynamodb", "put-item", "--table-name", "register", "--item", item, "--condition-expression", "attribute_not_exists(pk)"]
    aws(*put)
    with pytest.raises(Exception, match="ConditionalCheckFailedException"):
        aws(*put)
    read = aws("dynamodb", "get-item", "--table-name", "register", "--key", '{"pk": {"S": "app"}}', "--consistent-read")
    assert read["Item"]["v"] == {"N": "1"}
