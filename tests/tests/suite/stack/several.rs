//! Several stacks of one account, and one stack that is given other parameters.

use drill::lambdas::{self, repository};
use drill::stage::{DETECTOR, DR, Settings, start_lab};
use lab::journal::What;
use lab::template;

use super::{deployed, until};

#[tokio::test(flavor = "multi_thread")]
async fn two_workloads_of_one_account_and_region_have_functions_alarms_and_metrics_of_their_own() {
    let lab = deployed(&[], |yaml| yaml, None).await;
    let lambdas = tokio::task::spawn_blocking(lambdas::build).await.expect("the build ends").expect("all builds");
    let zone = lab.route53.create_zone(lab.clock.now(), "example.org").expect("the zone is new");
    let parameters =
        [("HostedZoneId", zone.as_str()), ("RecordNames", "shop.example.org"), ("BusName", "holdfast-shop")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let yaml = std::fs::read_to_string(repository().join("template.yaml")).expect("the template is there");
    let binary = |binary: &template::Binary| lambdas.join(&binary.name);
    template::deploy(&lab, DR, "shop", &yaml, &parameters, &binary).expect("it deploys beside the first");
    for function in ["holdfast-alarm-handler", "holdfast-shop-alarm-handler"] {
        let looks = |what: &What| match what {
            What::Call { caller, service, status: 200, .. } if caller == function && service == "route53" => Some(()),
            _ => None,
        };
        until(&lab, function, looks).await;
    }
    let watched = |stack: &str| {
        let alarm = lab.stacks.properties(DR, stack, "NotArmedAlarm").expect("the stack has it");
        (alarm["AlarmName"].to_string(), alarm["Dimensions"].to_string())
    };
    let (first, second) = (watched(super::STACK), watched("shop"));
    assert_eq!((first.0.as_str(), second.0.as_str()), ("\"holdfast-not-armed\"", "\"holdfast-shop-not-armed\""));
    assert!(second.1.contains("holdfast-shop-alarm-handler") && !first.1.contains("shop"), "{first:?} {second:?}");
}

/// Two resources for one check, since "you can't update an existing health check to add or remove the value of IPAddress"
/// (UpdateHealthCheck).
#[tokio::test(flavor = "multi_thread")]
async fn a_detector_watches_the_endpoint_that_it_is_given_with_an_address_and_without() {
    let lab = start_lab(Settings { seed: 1, speed: 3_600.0 }, 0, 0).await.expect("the lab starts");
    let yaml = std::fs::read_to_string(repository().join("detector.yaml")).expect("the template is there");
    let nothing = |binary: &template::Binary| panic!("{} is no function of the detector's", binary.name);
    for (stack, address) in [("named", ""), ("addressed", "127.0.10.1")] {
        let given = [
            ("NamePrefix", stack),
            ("EndpointDomain", "primary.example.com"),
            ("EndpointIpAddress", address),
            ("EndpointPort", "80"),
            ("EndpointType", "HTTP"),
            ("EndpointPath", "/health"),
            ("ResponderRegion", DR),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let outputs = template::deploy(&lab, DETECTOR, stack, &yaml, &given, &nothing).expect("it deploys");
        let resource = |name: &str| lab.stacks.properties(DETECTOR, stack, name);
        let endpoint = [resource("EndpointHealthCheck"), resource("EndpointAddressHealthCheck")];
        let [endpoint] = endpoint.into_iter().flatten().collect::<Vec<_>>().try_into().expect("one of the two");
        let watched = &endpoint["HealthCheckConfig"];
        assert_eq!(watched["IPAddress"].as_str().unwrap_or_default(), address);
        let [down, prolonged] =
            ["SiteDownAlarm", "ProlongedOutageAlarm"].map(|name| resource(name).expect("it is there"));
        for alarm in [&down, &prolonged] {
            assert_eq!(alarm["Dimensions"][0]["Value"], outputs["EndpointHealthCheckId"]);
        }
        let check = resource("FailoverHealthCheck").expect("it is there");
        assert_eq!(check["HealthCheckConfig"]["AlarmIdentifier"]["Name"], prolonged["AlarmName"]);
    }
}
