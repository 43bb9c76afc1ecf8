# Without AWS: the provider's real schema and validation, its answers made up. In a release's folder; .ci/terraform makes one.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = {
      outputs = {
        BusArn                = "arn:aws:events:eu-central-1:123456789012:event-bus/holdfast"
        OperatorTopicArn      = "arn:aws:sns:eu-central-1:123456789012:holdfast"
        FailoverHealthCheckId = "0123abcd-0123-0123-0123-0123456789ab"
      }
    }
  }
}

variables {
  artifact_bucket = "artifacts"
  hosted_zone_id  = "Z0123456789ABCDEFGHIJ"
  record_names    = ["www.example.com", "*.example.com"]
  detection       = "dr-region"
  domain_name     = "example.com"
  endpoint_domain = "app-primary.example.com"
}

run "the_stack_gets_what_was_said" {
  assert {
    condition     = aws_cloudformation_stack.holdfast.parameters["RecordNames"] == "www.example.com,*.example.com"
    error_message = "names are joined by commas"
  }
  assert {
    condition     = aws_cloudformation_stack.holdfast.parameters["AuroraClusters"] == "" && aws_cloudformation_stack.holdfast.parameters["PagerUrl"] == ""
    error_message = "what is not given is empty, as in the template"
  }
  assert {
    condition     = aws_cloudformation_stack.holdfast.parameters["OutageMinutes"] == "30"
    error_message = "numbers are whole"
  }
  assert {
    condition     = aws_cloudformation_stack.holdfast.capabilities == toset(["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    error_message = "SAM's transform needs both capabilities"
  }
  assert {
    condition     = startswith(aws_cloudformation_stack.holdfast.template_url, "https://s3.eu-central-1.amazonaws.com/artifacts/holdfast/")
    error_message = "the template comes from the bucket"
  }
  assert {
    condition = alltrue([for function in ["alarm-handler", "replica-promoter", "fencer", "preparer", "notifier", "observer", "readiness"] :
    endswith(aws_s3_object.release["${aws_cloudformation_stack.holdfast.parameters["CodePrefix"]}arm64/${function}.zip"].source, "/arm64/${function}.zip")])
    error_message = "the zips lie where the stack looks for them"
  }
  assert {
    condition     = length(aws_s3_object.release) == 8
    error_message = "seven functions and the template"
  }
  assert {
    condition     = output.failover_health_check_id == "0123abcd-0123-0123-0123-0123456789ab" && output.switch_health_check_id == null
    error_message = "outputs of the stack, and null for those that it has not"
  }
}

run "a_pager_is_a_reference" {
  command = plan
  variables {
    pager_url = "{{resolve:secretsmanager:holdfast/pager}}"
  }
  assert {
    condition     = aws_cloudformation_stack.holdfast.parameters["PagerUrl"] == "{{resolve:secretsmanager:holdfast/pager}}"
    error_message = "the reference goes through as it is"
  }
}

run "a_pager_is_no_url" {
  command = plan
  variables {
    pager_url = "https://events.example.com/integration/0123456789"
  }
  expect_failures = [var.pager_url]
}

run "bad_values_are_refused" {
  command = plan
  variables {
    hosted_zone_id     = "/hostedzone/Z0123456789"
    record_names       = ["WWW.example.com."]
    aurora_clusters    = ["app-dr,other"]
    mode               = "automatically"
    outage_minutes     = 0
    failure_threshold  = 2.5
    request_interval   = 20
    endpoint_domain    = "192.0.2.1"
    primary_probe_url  = "https://user@example.com/"
    log_retention_days = 100
  }
  expect_failures = [
    var.hosted_zone_id, var.record_names, var.aurora_clusters, var.mode, var.outage_minutes, var.failure_threshold, var.request_interval,
    var.endpoint_domain, var.primary_probe_url, var.log_retention_days,
  ]
}

run "no_names_are_refused" {
  command = plan
  variables {
    record_names = []
  }
  expect_failures = [var.record_names]
}

run "one_stack_needs_an_endpoint" {
  command = plan
  variables {
    endpoint_domain = ""
  }
  expect_failures = [aws_cloudformation_stack.holdfast]
}

run "one_stack_makes_its_own_check" {
  command = plan
  variables {
    failover_health_check_id = "0123abcd-0123-0123-0123-0123456789ab"
  }
  expect_failures = [aws_cloudformation_stack.holdfast]
}

run "a_late_alarm_needs_a_longer_look_back" {
  command = plan
  variables {
    outage_minutes = 31
  }
  expect_failures = [aws_cloudformation_stack.holdfast]
}

run "the_switch_of_two_stacks_needs_the_check" {
  command = plan
  variables {
    detection = "us-east-1"
    dns_moves = "by-holdfast"
  }
  expect_failures = [aws_cloudformation_stack.holdfast]
}

run "sources_are_no_release" {
  command = plan
  variables {
    release = "."
  }
  expect_failures = [aws_s3_object.release]
}
