"""The twin of notifier: word what a function returned, and publish it."""
import os

import boto3

from holdfast_twin import CONFIG

TOPIC = os.environ["HOLDFAST_TOPIC_ARN"]
HEADLINES = {"Pinned": "pinned to DR", "FailedOver": "FAILED OVER to DR", "Held": "HELD"}
sns = boto3.client("sns", config=CONFIG)


def section(title, lines):
    return title + "\n" + "".join(f"  {line}\n" for line in lines) if lines else ""


def handler(event, context):
    told = event["detail"]["responsePayload"]
    if told["attention"] == "none":
        return None
    subjects = ", ".join(told["subjects"])
    sections = [
        section("WHAT HAPPENED", [f"{HEADLINES.get(told['outcome'], told['outcome'])}: {subjects}"]),
        section("WHY", [f"{told['rule']}: {told['because']}."] + [f"{fact['about']}: {fact['seen']}" for fact in told["facts"]]),
        section("WHAT HAPPENS NEXT", [told["next"]]),
        section("ALSO", told.get("also", [])),
        section("INCIDENT", [told["incident"]] if "incident" in told else []),
    ]
    subject = f"Holdfast: {HEADLINES.get(told['outcome'], told['outcome'])}: {told['subjects'][0]}"
    sns.publish(TopicArn=TOPIC, Subject=subject[:99], Message="\n".join(filter(None, sections)))
    return None
