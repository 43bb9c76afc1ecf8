# The detector in us-east-1, and the responder in the DR region: one apply. The detector is first, since the responder is told its health check.

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

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

module "detector" {
  source    = "../../detector"
  providers = { aws = aws.us_east_1 }

  release          = var.release
  responder_region = var.dr_region
  endpoint_domain  = "app-primary.${var.domain_name}"
  outage_minutes   = 20
  operator_email   = "oncall@example.com"
}

module "responder" {
  source = "../.."

  release         = var.release
  artifact_bucket = var.artifact_bucket
  architecture    = var.architecture
  stack_name      = "holdfast-responder"

  mode                     = "shadow" # to begin with; then "approval" or "automatic"
  hosted_zone_id           = var.hosted_zone_id
  record_names             = ["www.${var.domain_name}"]
  failover_health_check_id = module.detector.failover_health_check_id
  detection_seconds_max    = 20 * 60 + 600
  rds_instances            = ["app-dr"]
  operator_email           = "oncall@example.com"
}

# For the PRIMARY records: ../one-stack has them.
output "failover_health_check_id" {
  value = module.detector.failover_health_check_id
}
