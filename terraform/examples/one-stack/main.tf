# All of Holdfast in the DR region, and the names that it protects.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "dr_region" {
  type    = string
  default = "eu-central-1"
}

variable "artifact_bucket" {
  type = string
}

variable "hosted_zone_id" {
  type = string
}

variable "domain_name" {
  type    = string
  default = "example.com"
}

variable "release" {
  type    = string
  default = null
}

variable "architecture" {
  type    = string
  default = "arm64"
}

provider "aws" {
  region = var.dr_region
}

locals {
  # Where each name leads: the primary's address, and DR's.
  names = {
    "www.${var.domain_name}"   = { primary = "192.0.2.1", dr = "198.51.100.1" }
    "login.${var.domain_name}" = { primary = "192.0.2.2", dr = "198.51.100.2" }
  }
}

module "holdfast" {
  source = "../.." # from a release: ./holdfast-VERSION/terraform

  release         = var.release
  artifact_bucket = var.artifact_bucket
  architecture    = var.architecture

  mode              = "shadow" # to begin with; then "approval" or "automatic"
  detection         = "dr-region"
  dns_moves         = "by-holdfast"
  hosted_zone_id    = var.hosted_zone_id
  domain_name       = var.domain_name
  record_names      = keys(local.names)
  endpoint_domain   = "app-primary.${var.domain_name}"
  primary_probe_url = "https://app-primary.${var.domain_name}/health"
  dr_probe_url      = "https://app-dr.${var.domain_name}/health"
  aurora_clusters   = ["app-dr"]
  operator_email    = "oncall@example.com"
  # The pager's URL is a secret: make it in Secrets Manager before you apply, or take the line out. Here is the reference that CloudFormation
  # resolves; Terraform never sees it.
  pager_url = "{{resolve:secretsmanager:holdfast/pager}}"
}

resource "aws_route53_record" "primary" {
  for_each        = local.names
  zone_id         = var.hosted_zone_id
  name            = each.key
  type            = "A"
  ttl             = 60
  records         = [each.value.primary]
  set_identifier  = "primary"
  health_check_id = module.holdfast.failover_health_check_id
  failover_routing_policy {
    type = "PRIMARY"
  }
  lifecycle {
    # From here on Holdfast's: a failover writes what the record leads to, `holdfast adopt` puts the switch on it.
    ignore_changes = [records, ttl, alias, health_check_id]
  }
}

# Terraform's all the time: Holdfast reads it and never writes it. No health check, so that DR is always an answer.
resource "aws_route53_record" "secondary" {
  for_each       = local.names
  zone_id        = var.hosted_zone_id
  name           = each.key
  type           = "A"
  ttl            = 60
  records        = [each.value.dr]
  set_identifier = "dr"
  failover_routing_policy {
    type = "SECONDARY"
  }
}

output "failover_health_check_id" {
  value = module.holdfast.failover_health_check_id
}
