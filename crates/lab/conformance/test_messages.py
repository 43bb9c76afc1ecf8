"""SNS, SQS and STS: as far as messages and dead letters need them."""

import json

import pytest


@pytest.fixture
def queue(client):
    """A queue: its client, URL and ARN."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="letters")["QueueUrl"]
    return sqs, url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def test_a_message_is_received_hidden_and_deleted(queue):
    sqs, url, _ = queue
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    message = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1)["Messages"][0]
    assert message["Body"] == "hello"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert not {"Attributes", "MessageAttributes"} & message.keys(), "nobody asked for them"
    for _ in range(2):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (left["ApproximateNumberOfMessages"], left["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_a_queue_is_found_by_name_and_an_absent_one_is_not(queue, refused):
    sqs, url, _ = queue
    refused("ReceiptHandleIsInvalid", 400, sqs.delete_message, QueueUrl=url, ReceiptHandle="none")
    refused("QueueAlreadyExists", 400, sqs.create_queue, QueueName="letters", Attributes={"VisibilityTimeout": "7"})
    refused("InvalidParameterValue", 400, sqs.create_queue, QueueName="not a name")
    refused("InvalidParameterValue", 400, sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577)
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    assert sqs.get_queue_url(QueueName="letters")["QueueUrl"] == url
    refused("AWS.SimpleQueueService.NonExistentQueue", 400, sqs.get_queue_url, QueueName="absent")


def test_a_topic_tells_its_subscribers(client, queue, until, refused):
    sns, (sqs, url, arn) = client("sns"), queue
    topic = sns.create_topic(Name="news")["TopicArn"]
    assert topic in [found["TopicArn"] for found in sns.list_topics()["Topics"]]
    assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"].startswith(topic)
    refused("InvalidParameter", 400, sns.subscribe, TopicArn=topic, Protocol="pigeon", Endpoint=arn)
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"]) == ("1", "0")
    refused("NotFound", 404, sns.get_topic_attributes, TopicArn=f"{topic}-absent")
    sns.publish(TopicArn=topic, Subject="news", Message="it happened")
    body = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))[0]["Body"]
    told = json.loads(body)
    assert (told["Type"], told["Subject"], told["Message"], told["TopicArn"]) == ("Notification", "news", "it happened", topic)
    refused("NotFound", 404, sns.publish, TopicArn=f"{topic}-absent", Message="lost")


def test_the_caller_is_known(client, aws):
    sts = client("sts")
    assert sts.get_caller_identity()["Account"] == "123456789012"
    role = "arn:aws:iam::210987654321:role/zones"
    assumed = sts.assume_role(RoleArn=role, RoleSessionName="tester")
    assert assumed["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210987654321:assumed-role/zones/tester"
    given = assumed["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    as_role = client("sts", **keys, aws_session_token=given["SessionToken"])
    assert as_role.get_caller_identity()["Account"] == "210987654321"
    assert aws("sts", "get-caller-identity")["Arn"].startswith("arn:aws:iam::123456789012:user/")


def test_the_command_line_publishes(aws):
    topic = aws("sns", "create-topic", "--name", "cli")["TopicArn"]
    assert aws("sns", "publish", "--topic-arn", topic, "--message", "hello")["MessageId"]
    with pytest.raises(Exception, match="NotFound"):
        aws("sns", "publish", "--topic-arn", f"{topic}-absent", "--message", "lost")
