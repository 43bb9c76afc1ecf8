# Deploys a release's packaged template as a CloudFormation stack: the wiring lives in the template alone. The provider's region is the DR region.

variable "stack_name" {
  type        = string
  default     = "holdfast"
  nullable    = false
  description = "Name of the CloudFormation stack."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,99}$", var.stack_name))
    error_message = "stack_name must begin with a letter and have at most 100 letters, digits and hyphens."
  }
}

variable "artifact_bucket" {
  type        = string
  nullable    = false
  description = "A bucket in the DR region for the functions' zips and the template, which is larger than a template body may be."
  validation {
    condition     = can(regex("^[a-z0-9.-]{3,63}$", var.artifact_bucket))
    error_message = "artifact_bucket must be the name of a bucket."
  }
}

variable "release" {
  type        = string
  default     = null
  description = "Folder of the unpacked release, which has packaged.yaml and functions/. Null: the one that this module came with."
}

variable "tags" {
  type        = map(string)
  default     = {}
  nullable    = false
  description = "Tags of the stack, which CloudFormation gives to its resources."
}

locals {
  release   = coalesce(var.release, "${path.module}/..")
  functions = ["alarm-handler", "replica-promoter", "fencer", "preparer", "notifier", "observer", "readiness"]
  zips      = { for function in local.functions : function => "${local.release}/functions/${var.architecture}/${function}.zip" }
  template  = "${local.release}/packaged.yaml"
  # Content in the keys: other code is another parameter, and another template another URL, or CloudFormation would see no change.
  code_prefix  = "${var.stack_name}/${substr(sha256(join(",", [for zip in values(local.zips) : try(filesha256(zip), "missing")])), 0, 16)}/functions/"
  template_key = "${var.stack_name}/${substr(try(filesha256(local.template), "missing"), 0, 16)}.yaml"
  files = merge(
    { (local.template_key) = local.template },
    { for function, zip in local.zips : "${local.code_prefix}${var.architecture}/${function}.zip" => zip },
  )
}

data "aws_region" "current" {}

data "aws_partition" "current" {}

# One for each key: a release that is gone back to finds its own files, whatever became of the one between.
resource "aws_s3_object" "release" {
  for_each = local.files
  bucket   = var.artifact_bucket
  key      = each.key
  source   = each.value
  lifecycle {
    # Old ones go when the stack has the new ones: until then CloudFormation may have to roll back to them.
    create_before_destroy = true
    precondition {
      condition     = fileexists(each.value)
      error_message = "${each.value} is missing: release must be the folder of an unpacked release, and a checkout of the sources is none."
    }
  }
}

resource "aws_cloudformation_stack" "holdfast" {
  name         = var.stack_name
  template_url = "https://s3.${data.aws_region.current.id}.${data.aws_partition.current.dns_suffix}/${var.artifact_bucket}/${local.template_key}"
  parameters = merge(local.parameters, {
    CodeBucket = var.artifact_bucket
    CodePrefix = local.code_prefix
  })
  # The second since SAM's transform is a macro, and the provider asks for a stack without a change set.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags
  depends_on   = [aws_s3_object.release]
  lifecycle {
    # What the template's Rules say, before anything is uploaded; and what they cannot compute.
    precondition {
      condition     = var.detection != "dr-region" || var.domain_name != ""
      error_message = "detection = \"dr-region\" needs domain_name, the domain of the zone hosted_zone_id, as in example.com."
    }
    precondition {
      condition     = var.detection != "dr-region" || var.endpoint_domain != ""
      error_message = "detection = \"dr-region\" needs endpoint_domain, the host name of the primary site's own endpoint."
    }
    precondition {
      condition     = var.detection != "dr-region" || var.failover_health_check_id == ""
      error_message = "detection = \"dr-region\" makes the failover health check itself; leave failover_health_check_id empty."
    }
    precondition {
      condition     = var.detection != "dr-region" || var.detection_seconds_max >= var.outage_minutes * 60 + 600
      error_message = "detection_seconds_max must be at least outage_minutes * 60 + 600."
    }
    precondition {
      condition     = var.detection == "dr-region" || var.dns_moves == "by-alarm" || var.failover_health_check_id != ""
      error_message = "dns_moves = \"by-holdfast\" with detection = \"us-east-1\" needs failover_health_check_id."
    }
  }
}
