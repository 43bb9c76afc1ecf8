"""Route 53: zones, records and changes."""

import itertools

import pytest

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
        "an alias to nothing": ("CREATE", {"Name": f"alias.{name}", "Type": "A", "AliasTarget": {**alias, "HostedZoneId": "ZONE"}}),
    }


@pytest.mark.parametrize("what", refusals("x").keys())
def test_route_53_refuses(what, zone, refused):
    r53, zone_id, name = zone
    change(zone, ("CREATE", a(f"www.{name}")), ("CREATE", half("PRIMARY", f"app.{name}")), ("CREATE", half("SECONDARY", f"app.{name}")))
    before = records(zone)
    action, record = refusals(name)[what]
    if "AliasTarget" in record:
        record["AliasTarget"]["HostedZoneId"] = zone_id.rsplit("/", 1)[-1]
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    refused("InvalidChangeBatch", 400, r53.change_resource_record_sets, HostedZoneId=zone_id, ChangeBatch=batch)
    assert records(zone) == before


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


def test_a_set_is_identified_by_name_type_and_set_identifier(zone):
    _, _, name = zone
    change(zone, ("CREATE", half("PRIMARY", f"app.{name}")), ("CREATE", half("SECONDARY", f"app.{name}", "192.0.2.2")))
    change(zone, ("UPSERT", half("SECONDARY", f"app.{name}", "192.0.2.3")))
    sets = {record["SetIdentifier"]: record["ResourceRecords"][0]["Value"] for record in records(zone) if record["Type"] == "A"}
    assert sets == {"primary": "192.0.2.1", "secondary": "192.0.2.3"}


def test_a_pin_is_one_compare_and_swap(zone, refused):
    r53, zone_id, name = zone
    before, after = half("PRIMARY", f"app.{name}"), half("PRIMARY", f"app.{name}", "192.0.2.2")
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
    with pytest.raises(Exception, match="NotImplemented"):
        client("route53").list_traffic_policies()
