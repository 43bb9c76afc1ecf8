mock_provider "aws" {
  mock_resource "aws_cloudformation_stack" {
    defaults = { outputs = { FailoverHealthCheckId = "0123abcd-0123-0123-0123-0123456789ab" } }
  }
}

variables {
  endpoint_domain  = "app-primary.example.com"
  responder_region = "eu-central-1"
}

run "the_stack_gets_what_was_said" {
  assert {
    condition     = aws_cloudformation_stack.detector.parameters["ResponderRegion"] == "eu-central-1" && aws_cloudformation_stack.detector.parameters["OutageMinutes"] == "30"
    error_message = "what was given, and the template's defaults"
  }
  assert {
    condition     = length(aws_cloudformation_stack.detector.template_body) < 51200
    error_message = "a template body has at most 51,200 bytes"
  }
  assert {
    condition     = output.failover_health_check_id == "0123abcd-0123-0123-0123-0123456789ab"
    error_message = "the stack's output"
  }
}

run "an_address_is_no_name" {
  command = plan
  variables {
    endpoint_domain = "192.0.2.1"
  }
  expect_failures = [var.endpoint_domain]
}
