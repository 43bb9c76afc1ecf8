"""The twin of alarm-handler: look at the records and the alarm, decide, pin by DELETE and CREATE, put the change on record."""
import boto3
from urllib.parse import quote

from holdfast_twin import CONFIG, PLAN, look, moment, now, outcome, read_register, text

ZONE = PLAN["zones"][0]
ALARM = PLAN["alarms"][0].split(":")
route53 = boto3.client("route53", config=CONFIG)
cloudwatch = boto3.client("cloudwatch", region_name=ALARM[3], config=CONFIG)


def register(record_set, fields):
    value = '"v=1 pinned ' + " ".join(f"{key}={value}" for key, value in fields.items()) + '"'
    return {**record_set, "ResourceRecords": [{"Value": value}]}


def change(*pairs):
    changes = []
    for before, after in pairs:
        changes.append({"Action": "DELETE", "ResourceRecordSet": before})
        changes.append({"Action": "CREATE", "ResourceRecordSet": after})
    answer = route53.change_resource_record_sets(HostedZoneId=ZONE["id"], ChangeBatch={"Changes": changes})
    return answer["ChangeInfo"]["Id"].removeprefix("/change/")


def handler(event, context):
    records = look(route53, ZONE)
    alarm = cloudwatch.describe_alarms(AlarmNames=[ALARM[6]])["MetricAlarms"][0]
    primary, secondary, armed = records["PRIMARY"], records["SECONDARY"], records["register"]
    name = ZONE["names"]
    if not (primary and secondary):
        return outcome("Refused", "P07", "the records are not as they must be", name)
    if armed is None:
        return outcome("Waiting", "P04", "disarmed", name, "none")
    state, fields = read_register(armed)
    if state in ("pinned", "failed-over"):
        return outcome("StaysOnDr", "P02", "pinned", name, "notice")
    if state != "armed":
        return outcome("Held", "P05", "maintenance", name, "none")
    if alarm["StateValue"] != "ALARM":
        return outcome("Nothing", "P06", "the alarm does not say that failover has started", name, "none")
    began = alarm["StateTransitionedTimestamp"].replace(microsecond=0)
    if (began - moment(fields["since"])).total_seconds() < PLAN["limits"]["settle_seconds"]:
        return outcome("ApprovalNeeded", "P08", "armed too recently", name)
    if PLAN["mode"] != "automatic":
        return outcome("ApprovalNeeded", "P12", "approval mode", name)

    values = ",".join(record["Value"] for record in primary["ResourceRecords"])
    incident = quote(f"{alarm['AlarmName']}@{text(began)}", safe="-._:/@")
    at = text(now())
    pin = {"at": at, "written": at, "incident": incident, "repins": 0,
           "original": f"{primary['Type']},values,{primary['TTL']},{values}"}
    pinned = {**primary, "ResourceRecords": secondary["ResourceRecords"]}
    written = register(armed, pin)
    change_id = change((armed, written), (primary, pinned))
    spread = {("change" if key == "written" else key): (change_id if key == "written" else value) for key, value in pin.items()}
    change((written, register(armed, spread)))
    return outcome("Pinned", "P13", "failover has started, and nothing speaks against it", name, incident=incident)
