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
