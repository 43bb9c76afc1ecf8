"""DNS: what the zone's name servers answer."""

import itertools

import pytest
from dns import flags as dns_flags
from dns.query import tcp

NUMBERS = itertools.count()


@pytest.fixture
def zone(client, until):
    """A zone of the test's own: a function that creates records in it and waits for them, and its name."""
    r53, name = client("route53"), f"d{next(NUMBERS)}.example.com"
    zone_id = r53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]

    def create(*sets):
        changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in sets]
        made = r53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})["ChangeInfo"]
        until(lambda: r53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC")
        return zone_id.rsplit("/", 1)[-1]

    return create, name


def record(name, *values, kind="A", ttl=60, **more):
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value} for value in values], **more}


def values(answer):
    return sorted(item.to_text() for rrset in answer.answer for item in rrset)


def test_a_record_is_answered_with_its_ttl_by_the_authority(zone, dns):
    create, name = zone
    create(record(f"www.{name}", "192.0.2.1", "192.0.2.2", ttl=17))
    answer = dns(f"www.{name}")
    assert values(answer) == ["192.0.2.1", "192.0.2.2"]
    assert answer.answer[0].ttl == 17
    assert answer.flags & dns_flags.AA


def test_an_absent_name_and_an_absent_type_differ(zone, dns):
    create, name = zone
    create(record(f"www.{name}", "192.0.2.1"))
    absent, no_data = dns(f"absent.{name}"), dns(f"www.{name}", "AAAA")
    assert (absent.rcode(), no_data.rcode()) == (3, 0)
    assert [answer.authority[0].rdtype for answer in (absent, no_data)] == [6, 6]


def failover(name, role, value, **more):
    return record(name, value, SetIdentifier=role, Failover=role, **more)


def test_failover_answers_by_health(zone, dns, client, until):
    create, name = zone
    config = {"IPAddress": "127.0.0.1", "Port": 9, "Type": "TCP", "FailureThreshold": 1, "RequestInterval": 10}
    unwell = client("route53").create_health_check(CallerReference=name, HealthCheckConfig=config)["HealthCheck"]["Id"]
    create(failover(f"app.{name}", "PRIMARY", "192.0.2.1", HealthCheckId=unwell), failover(f"app.{name}", "SECONDARY", "192.0.2.2"))
    until(lambda: values(dns(f"app.{name}")) == ["192.0.2.2"])
    create(failover(f"both.{name}", "PRIMARY", "192.0.2.1", HealthCheckId=unwell), failover(f"both.{name}", "SECONDARY", "192.0.2.2", HealthCheckId=unwell))
    assert values(dns(f"both.{name}")) == ["192.0.2.1"], "if neither is healthy, the primary answers"


def test_aliases_wildcards_and_cnames_are_followed(zone, dns):
    create, name = zone
    zone_id = create(record(f"target.{name}", "192.0.2.1"))
    alias = {"HostedZoneId": zone_id, "DNSName": f"target.{name}", "EvaluateTargetHealth": True}
    create(
        {"Name": f"alias.{name}", "Type": "A", "AliasTarget": alias},
        record(f"*.wild.{name}", "192.0.2.3"),
        record(f"cname.{name}", f"target.{name}", kind="CNAME"),
    )
    assert values(dns(f"alias.{name}")) == ["192.0.2.1"]
    assert values(dns(f"any.wild.{name}")) == ["192.0.2.3"]
    assert values(dns(f"cname.{name}")) == ["192.0.2.1", f"target.{name}."]


def test_a_long_answer_is_cut_and_whole_over_tcp(zone, dns):
    create, name = zone
    create(record(f"long.{name}", *[f'"{nth:0250}"' for nth in range(8)], kind="TXT"))
    cut = dns(f"long.{name}", "TXT")
    assert cut.flags & dns_flags.TC
    assert len(values(dns(f"long.{name}", "TXT", over=tcp))) == 8
