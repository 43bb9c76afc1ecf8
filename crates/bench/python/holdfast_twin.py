"""What the twins share: the plan, the settings of the clients, a name's records, an outcome."""
import json
import os
from datetime import datetime, timezone

from botocore.config import Config

PLAN = json.loads(os.environ.get("HOLDFAST_PLAN", "{}"))
CONFIG = Config(connect_timeout=1, read_timeout=4, retries={"mode": "standard", "max_attempts": 8})


def now():
    return datetime.now(timezone.utc).replace(microsecond=0)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(written):
    return datetime.fromisoformat(written)


def look(route53, zone):
    """The PRIMARY and SECONDARY record sets of the one protected name, and its register."""
    name = zone["names"][0]
    page = route53.list_resource_record_sets(HostedZoneId=zone["id"], StartRecordName=name)
    records = {"PRIMARY": None, "SECONDARY": None, "register": None}
    for record_set in page["ResourceRecordSets"]:
        if record_set["Name"] == f"{name}." and "Failover" in record_set:
            records[record_set["Failover"]] = record_set
        elif record_set["Name"] == f"_holdfast.{name}." and record_set["Type"] == "TXT":
            records["register"] = record_set
    return records


def read_register(record_set):
    """`v=1 STATE key=value …` as a state and its fields."""
    words = record_set["ResourceRecords"][0]["Value"].replace('" "', "").strip('"').split(" ")
    return words[1], dict(word.split("=", 1) for word in words[2:])


def outcome(what, rule, because, subjects, attention="page", **more):
    result = {"outcome": what, "rule": rule, "because": because, "subjects": subjects, "attention": attention, **more}
    print(json.dumps({"level": "INFO", "message": "returning", **result}))
    return result
