"""Elastic Load Balancing: as far as whoever asks for how long clients keep a connection needs it."""


def test_a_load_balancer_is_listed_where_it_is_and_says_how_long_clients_keep_a_connection(client, refused):
    elb = client("elbv2")
    (found,) = elb.describe_load_balancers()["LoadBalancers"]
    assert (found["DNSName"], found["Type"]) == ("shop-1.eu-central-1.elb.amazonaws.com", "application")
    arn = found["LoadBalancerArn"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {"Key": "client_keep_alive.seconds", "Value": "3600"} in attributes
    elsewhere = client("elbv2", "eu-west-1")
    assert elsewhere.describe_load_balancers()["LoadBalancers"] == []
    refused("LoadBalancerNotFound", 400, elsewhere.describe_load_balancer_attributes, LoadBalancerArn=arn)


def test_a_load_balancer_says_what_it_shows_to_clients_and_what_stands_behind_it(client, refused):
    elb = client("elbv2")
    (found,) = elb.describe_load_balancers()["LoadBalancers"]
    assert found["State"] == {"Code": "active"}
    arn = found["LoadBalancerArn"]
    (listener,) = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    assert (listener["Port"], listener["Protocol"], listener["LoadBalancerArn"]) == (443, "HTTPS", arn)
    (certificate,) = elb.describe_listener_certificates(ListenerArn=listener["ListenerArn"])["Certificates"]
    assert certificate["IsDefault"] and ":acm:eu-central-1:" in certificate["CertificateArn"]
    (group,) = elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    assert (group["TargetGroupName"], group["LoadBalancerArns"]) == ("shop", [arn])
    (target,) = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    assert (target["Target"]["Id"], target["TargetHealth"]["State"]) == ("i-1", "healthy")
    refused("ListenerNotFound", 400, elb.describe_listener_certificates, ListenerArn=arn)
    refused("TargetGroupNotFound", 400, elb.describe_target_health, TargetGroupArn=arn)
    refused("LoadBalancerNotFound", 400, elb.describe_listeners, LoadBalancerArn=arn + "0")
