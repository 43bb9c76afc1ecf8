"""Route 53: zones, records and changes."""

import itertools
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

NUMBERS = itertools.count()


@pytest.fixture
def zone(client):
    """A hosted zone of the test's own: its client, its id, its name."""
    r53 = client("route53")
    name = f"z{next(NUMBERS)}.example.com"
    created = r53.create_hosted_zone(Name=name, CallerReference=name)
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert len(created["DelegationSet"]["NameServers"]) == 4
    return r53, created["HostedZone"]["Id"], name


@pytest.fixture
def check(client):
    """A health check's id, as every non-alias PRIMARY record must have."""
    config = {"IPAddress": "127.0.0.1", "Port": 9, "Type": "TCP"}
    created = client("route53").create_health_check(CallerReference=f"r{next(NUMBERS)}", HealthCheckConfig=config)
    return created["HealthCheck"]["Id"]


def a(name, value="192.0.2.1", ttl=60, **more):
    return {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": value}], **more}


def half(role, name, value="192.0.2.1", identifier=None, **more):
    return a(name, value, Failover=role, SetIdentifier=identifier or role.lower(), **more)


def change(zone, *changes):
    r53, zone_id, _ = zone
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    return r53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)["ChangeInfo"]


def records(zone, **parameters):
    r53, zone_id, _ = zone
    return r53.list_resource_record_sets(HostedZoneId=zone_id, **parameters)["ResourceRecordSets"]


def test_a_zone_is_found_by_id_by_name_and_in_the_list(zone, client):
    r53, zone_id, name = zone
    assert r53.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"] == f"{name}."
    assert r53.list_hosted_zones_by_name(DNSName=name, MaxItems="1")["HostedZones"][0]["Id"] == zone_id
    assert zone_id in [found["Id"] for found in r53.list_hosted_zones()["HostedZones"]]


def test_a_change_is_pending_and_then_in_sync(zone, until):
    r53, _, name = zone
    made = change(zone, ("CREATE", a(f"www.{name}")))
    assert made["Status"] == "PENDING"
    until(lambda: r53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC")


def test_a_batch_is_applied_whole_or_not_at_all(zone, refused):
    r53, zone_id, name = zone
    batch = {"Changes": [
        {"Action": "CREATE", "ResourceRecordSet": a(f"good.{name}")},
        {"Action": "DELETE", "ResourceRecordSet": a(f"absent.{name}")},
    ]}
    message = refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    assert "but it was not found" in message
    assert [record["Type"] for record in records(zone)] == ["NS", "SOA"]


def of(kind, name, value, **more):
    return {**a(name, value, **more), "Type": kind}


def refusals(name):
    """Changes that AWS refuses, after a simple record `www`, a failover pair `app` have been made."""
    alias = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": f"nowhere.{name}", "EvaluateTargetHealth": False}
    return {
        "CREATE of what exists": ("CREATE", a(f"www.{name}")),
        "DELETE with another value": ("DELETE", a(f"www.{name}", "192.0.2.9")),
        "DELETE with another TTL": ("DELETE", a(f"www.{name}", ttl=61)),
        "DELETE of what is not there": ("DELETE", a(f"absent.{name}")),
        "a second PRIMARY": ("CREATE", half("PRIMARY", f"app.{name}", identifier="other")),
        "a simple record beside a failover one": ("CREATE", a(f"app.{name}")),
        "a CNAME at the apex": ("CREATE", {**a(name, "target.example.net"), "Type": "CNAME"}),
        "a name outside the zone": ("CREATE", a("www.example.net")),
        "a bad address": ("CREATE", a(f"bad.{name}", "not-an-address")),
        "an unknown health check": ("CREATE", half("PRIMARY", f"hc.{name}", HealthCheckId="00000000-0000-4000-8000-000000000000")),
        "a CNAME beside another record": ("CREATE", {**a(f"www.{name}", "target.example.net"), "Type": "CNAME"}),
        "a plain PRIMARY without a health check": ("CREATE", half("PRIMARY", f"hc.{name}")),
        "an MX without a priority": ("CREATE", of("MX", f"mx.{name}", "mail.example.net")),
        "an SRV of three fields": ("CREATE", of("SRV", f"srv.{name}", "1 10 sip.example.net")),
        "a CAA without quotation marks": ("CREATE", of("CAA", f"caa.{name}", "0 issue letsencrypt.org")),
        "a TLSA that is not hexadecimal": ("CREATE", of("TLSA", f"tlsa.{name}", "3 1 1 xyz")),
        "an unquoted NAPTR": ("CREATE", of("NAPTR", f"naptr.{name}", "100 50 u E2U+sip !.*! .")),
        "an HTTPS without a target": ("CREATE", of("HTTPS", f"https.{name}", "1")),
        "an unquoted TXT": ("CREATE", of("TXT", f"txt.{name}", "bare")),
        "two routings of one name and type": ("CREATE", a(f"app.{name}", SetIdentifier="w", Weight=1)),
        "an alias to nothing": ("CREATE", {"Name": f"alias.{name}", "Type": "A", "AliasTarget": {**alias, "HostedZoneId": "ZONE"}}),
    }


@pytest.mark.parametrize("what", refusals("x").keys())
def test_route_53_refuses(what, zone, check, refused):
    r53, zone_id, name = zone
    pair = [half("PRIMARY", f"app.{name}", HealthCheckId=check), half("SECONDARY", f"app.{name}")]
    change(zone, ("CREATE", a(f"www.{name}")), *[("CREATE", record) for record in pair])
    before = records(zone)
    action, record = refusals(name)[what]
    if "AliasTarget" in record:
        record["AliasTarget"]["HostedZoneId"] = zone_id.rsplit("/", 1)[-1]
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    assert records(zone) == before


def invalid(name):
    """What is no record set at all."""
    return {
        "a TTL above 2147483647": a(f"x.{name}", ttl=2147483648),
        "a weight above 255": a(f"x.{name}", SetIdentifier="w", Weight=256),
        "an identifier without routing": a(f"x.{name}", SetIdentifier="w"),
        "two routings in one set": a(f"x.{name}", SetIdentifier="w", Weight=1, Region="eu-central-1"),
        "a type that there is not": of("WKS", f"x.{name}", "192.0.2.1"),
        "a weighted NS": of("NS", f"x.{name}", "ns.example.net", SetIdentifier="w", Weight=1),
        "a continent and a country": a(f"x.{name}", SetIdentifier="w", GeoLocation={"ContinentCode": "EU", "CountryCode": "DE"}),
    }


@pytest.mark.parametrize("what", invalid("x").keys())
def test_route_53_takes_for_invalid_input(what, zone, refused):
    r53, zone_id, name = zone
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": invalid(name)[what]}]}
    refused("InvalidInput", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)


def test_a_comment_has_at_most_256_characters(zone, refused):
    r53, zone_id, name = zone
    batch = {"Comment": "x" * 257, "Changes": [{"Action": "CREATE", "ResourceRecordSet": a(f"x.{name}")}]}
    refused("InvalidInput", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)


def export(name):
    """A zone as people have them: every type, every routing."""
    t = f"t.{name}."
    routed = lambda sub, identifier, **routing: a(f"{sub}.{name}.", SetIdentifier=identifier, **routing)
    return [
        of("AAAA", t, "2001:db8::1"), of("CAA", t, '0 issue "letsencrypt.org"'), of("MX", t, "10 mail.example.net"),
        of("DS", f"d.{name}.", "12345 3 1 123456789abcdef67890123456789abcdef67890"), of("PTR", t, "host.example.net"),
        of("HTTPS", t, '1 . alpn="h3,h2" ipv4hint="192.0.2.1,192.0.2.2"'), of("SVCB", t, "16 svc.example.net port=53"),
        of("NAPTR", t, '100 50 "u" "E2U+sip" "!^.*$!sip:a@example.net!" .'), of("SPF", t, '"v=spf1 -all"'),
        of("SRV", t, "1 10 5269 xmpp.example.net."), of("SSHFP", t, "1 1 09F6A01D2175742B257C6B98B7C72C44C4040683"),
        of("TLSA", t, "3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"), of("TXT", t, '"a" "b"'),
        of("NS", f"sub.{name}.", "ns-1.example.net."), of("CNAME", f"cname.{name}.", "t.example.net"),
        routed("weight", "a", Weight=0), routed("weight", "b", Weight=255), routed("region", "a", Region="eu-central-1"),
        routed("geo", "eu", GeoLocation={"ContinentCode": "EU"}), routed("geo", "rest", GeoLocation={"CountryCode": "*"}),
        routed("near", "a", GeoProximityLocation={"AWSRegion": "eu-west-1", "Bias": -10}),
        routed("cidr", "a", CidrRoutingConfig={"CollectionId": "c8c02a84-aaaa-bbbb-e0d2-d833a2f80106", "LocationName": "paris"}),
        routed("multi", "a", MultiValueAnswer=True), routed("multi", "b", MultiValueAnswer=True),
        {"Name": f"policy.{name}.", "Type": "A", "TrafficPolicyInstanceId": "c8c02a84-aaaa-bbbb-e0d2-d833a2f80107"},
    ]


def test_a_zone_export_loads_and_is_listed_as_it_was(zone):
    _, _, name = zone
    change(zone, *[("CREATE", record) for record in export(name)])
    listed = records(zone)
    assert [record for record in export(name) if record not in listed] == []
    change(zone, *[("DELETE", record) for record in export(name)])
    assert [record["Type"] for record in records(zone)] == ["NS", "SOA"]


def test_a_protection_refuses_every_change_of_its_name_and_type(zone, refused):
    r53, zone_id, name = zone
    www = {"RecordName": f"www.{name}", "RecordType": "A"}
    r53.create_resource_record_set_protections(HostedZoneId=zone_id, Protections=[{**www, "Comment": "ask the platform team"}])
    listed = r53.list_resource_record_set_protections(HostedZoneId=zone_id)["ResourceRecordSetProtections"]
    assert listed == [{"RecordName": f"www.{name}.", "RecordType": "A", "Comment": "ask the platform team"}]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": a(f"{label}.{name}")} for label in ["www", "free"]]}
    message = refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    assert f"www.{name}." in message and "ask the platform team" in message
    again = refused("ProtectionAlreadyExists", 409, r53.create_resource_record_set_protections, HostedZoneId=zone_id, Protections=[www])
    assert "already exists" in again
    r53.delete_resource_record_set_protections(HostedZoneId=zone_id, Protections=[www])
    refused("InvalidResourceRecordSetProtectionBatch", 400, r53.delete_resource_record_set_protections, HostedZoneId=zone_id, Protections=[www])
    change(zone, *[("CREATE", a(f"{label}.{name}")) for label in ["www", "free"]])


def signed(path, body):
    """A call that this boto3 lacks: its HTTP status."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/2013-04-01{path}"
    request = AWSRequest(method="POST", url=url, data=body)
    SigV4Auth(boto3.Session().get_credentials(), "route53", "us-east-1").add_auth(request)
    try:
        return urlopen(Request(url, data=body.encode(), headers=dict(request.headers))).status
    except HTTPError as error:
        return error.code


def test_guardrails_belong_to_the_tier_advanced_and_refuse_what_an_alias_points_to(zone, refused):
    r53, zone_id, name = zone
    zone_id = zone_id.rsplit("/", 1)[-1]
    guardrail = "<R><ChangeGuardrails><ChangeGuardrail><Name>ALIAS_TARGET_CHECK</Name><Status>ENABLED</Status></ChangeGuardrail></ChangeGuardrails></R>"
    assert signed(f"/hostedzone/{zone_id}/features", guardrail) == 400
    assert signed(f"/hostedzone/{zone_id}/tier", "<R><HostedZoneTier>ADVANCED</HostedZoneTier></R>") == 200
    assert signed(f"/hostedzone/{zone_id}/features", guardrail) == 200
    alias = {"HostedZoneId": zone_id, "DNSName": f"app.{name}", "EvaluateTargetHealth": True}
    change(zone, ("CREATE", a(f"app.{name}")), ("CREATE", {"Name": f"www.{name}", "Type": "A", "AliasTarget": alias}))
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": a(f"app.{name}")} for action in ["DELETE", "CREATE"]]}
    message = refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    assert "ALIAS_TARGET_CHECK" in message


def test_accelerated_recovery_is_turned_on_and_the_zone_is_locked_on_the_way(zone, refused, until):
    r53, zone_id, name = zone
    status = lambda: r53.get_hosted_zone(Id=zone_id)["HostedZone"]["Features"]["AcceleratedRecoveryStatus"]
    assert status() == "DISABLED"
    r53.update_hosted_zone_features(HostedZoneId=zone_id, EnableAcceleratedRecovery=True)
    until(lambda: status() == "ENABLING_HOSTED_ZONE_LOCKED")
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": a(f"x.{name}")}]}
    refused("PriorRequestNotComplete", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    until(lambda: status() == "ENABLED")
    change(zone, ("CREATE", a(f"x.{name}")))


def test_failover_without_a_set_identifier_is_invalid_input(zone, refused):
    r53, zone_id, name = zone
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": a(f"app.{name}", Failover="PRIMARY")}]}
    refused("InvalidInput", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)


def test_what_does_not_exist_is_named_so(client, refused):
    r53 = client("route53")
    refused("NoSuchHostedZone", 404, r53.get_hosted_zone, Id="Z0000000000000")
    refused("NoSuchChange", 404, r53.get_change, Id="C0000000000000")
    refused("NoSuchHealthCheck", 404, r53.get_health_check, HealthCheckId="00000000-0000-4000-8000-000000000000")


def test_a_batch_has_its_limits_and_an_upsert_counts_twice(zone, refused):
    r53, zone_id, name = zone

    def batch(action, count):
        sets = [a(f"n{nth}.{name}") for nth in range(count)]
        return {"Changes": [{"Action": action, "ResourceRecordSet": record} for record in sets]}

    for action, count in [("CREATE", 1001), ("UPSERT", 501)]:
        refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch(action, count))
    assert r53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch("UPSERT", 500))


def test_records_are_listed_by_reversed_labels_and_in_pages(zone):
    r53, zone_id, name = zone
    change(zone, *[("CREATE", a(f"{label}.{name}")) for label in ["b", "a.b", "a", "*"]])
    names = [record["Name"] for record in records(zone) if record["Type"] == "A"]
    assert names == [f"\\052.{name}.", f"a.{name}.", f"b.{name}.", f"a.b.{name}."]
    paged = r53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id, PaginationConfig={"PageSize": 2})
    assert [record for page in paged for record in page["ResourceRecordSets"]] == records(zone)
    from_b = records(zone, StartRecordName=f"b.{name}", StartRecordType="A", MaxItems="1")
    assert from_b[0]["Name"] == f"b.{name}."


def test_a_set_is_identified_by_name_type_and_set_identifier(zone, check):
    _, _, name = zone
    change(zone, ("CREATE", half("PRIMARY", f"app.{name}", HealthCheckId=check)), ("CREATE", half("SECONDARY", f"app.{name}", "192.0.2.2")))
    change(zone, ("UPSERT", half("SECONDARY", f"app.{name}", "192.0.2.3")))
    sets = {record["SetIdentifier"]: record["ResourceRecords"][0]["Value"] for record in records(zone) if record["Type"] == "A"}
    assert sets == {"primary": "192.0.2.1", "secondary": "192.0.2.3"}


def test_a_pin_is_one_compare_and_swap(zone, check, refused):
    r53, zone_id, name = zone
    before, after = [half("PRIMARY", f"app.{name}", value, HealthCheckId=check) for value in ["192.0.2.1", "192.0.2.2"]]
    change(zone, ("CREATE", before), ("CREATE", half("SECONDARY", f"app.{name}", "192.0.2.2")))
    pin = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": before}, {"Action": "CREATE", "ResourceRecordSet": after}]}
    r53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=pin)
    refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=pin)


def test_a_zone_that_is_not_empty_is_not_deleted(zone, refused):
    r53, zone_id, name = zone
    change(zone, ("CREATE", a(f"www.{name}")))
    refused("HostedZoneNotEmpty", 400, r53.delete_hosted_zone, Id=zone_id)
    change(zone, ("DELETE", a(f"www.{name}")))
    r53.delete_hosted_zone(Id=zone_id)
    refused("NoSuchHostedZone", 404, r53.get_hosted_zone, Id=zone_id)


def test_the_command_line_lists_and_changes_records(zone, aws):
    _, zone_id, name = zone
    batch = f'{{"Changes":[{{"Action":"CREATE","ResourceRecordSet":{{"Name":"cli.{name}","Type":"A","TTL":60,"ResourceRecords":[{{"Value":"192.0.2.7"}}]}}}}]}}'
    made = aws("route53", "change-resource-record-sets", "--hosted-zone-id", zone_id, "--change-batch", batch)
    assert made["ChangeInfo"]["Status"] == "PENDING"
    listed = aws("route53", "list-resource-record-sets", "--hosted-zone-id", zone_id)
    assert f"cli.{name}." in [record["Name"] for record in listed["ResourceRecordSets"]]
    with pytest.raises(Exception, match="NoSuchHostedZone"):
        aws("route53", "list-resource-record-sets", "--hosted-zone-id", "Z0000000000000")


def test_what_the_lab_does_not_do_it_says(client):
    r53 = client("route53")
    for call in [r53.list_traffic_policies, r53.get_hosted_zone_count, lambda: r53.list_hosted_zones(DelegationSetId="N1")]:
        with pytest.raises(Exception, match="NotImplemented.*the lab does not know"):
            call()


def test_the_account_and_a_zone_say_how_much_they_hold_and_may_hold(zone, check, client, refused):
    r53, zone_id, _ = zone
    checks = r53.get_account_limit(Type="MAX_HEALTH_CHECKS_BY_OWNER")
    assert checks["Limit"] == {"Type": "MAX_HEALTH_CHECKS_BY_OWNER", "Value": 200}
    assert checks["Count"] == len(list(client("route53").get_paginator("list_health_checks").paginate().search("HealthChecks")))
    zones = r53.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")
    assert zones["Count"] == len(r53.list_hosted_zones()["HostedZones"])
    records = r53.get_hosted_zone_limit(Type="MAX_RRSETS_BY_ZONE", HostedZoneId=zone_id)
    assert (records["Count"], records["Limit"]["Value"]) == (2, 10_000)
    refused("NoSuchHostedZone", 404, r53.get_hosted_zone_limit, Type="MAX_RRSETS_BY_ZONE", HostedZoneId="Z0")
