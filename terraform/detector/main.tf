# Deploys detector.yaml, for detection = "us-east-1". The provider's region must be us-east-1, and the template refuses others.

variable "stack_name" {
  type        = string
  default     = "holdfast-detector"
  nullable    = false
  description = "Name of the CloudFormation stack."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,127}$", var.stack_name))
    error_message = "stack_name must begin with a letter and have at most 128 letters, digits and hyphens."
  }
}

variable "release" {
  type        = string
  default     = null
  description = "Folder of the unpacked release, which has detector.yaml. Null: the one that this module came with."
}

variable "tags" {
  type        = map(string)
  default     = {}
  nullable    = false
  description = "Tags of the stack, which CloudFormation gives to its resources."
}

resource "aws_cloudformation_stack" "detector" {
  name          = var.stack_name
  template_body = file("${coalesce(var.release, "${path.module}/../..")}/detector.yaml")
  parameters    = local.parameters
  capabilities  = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags          = var.tags
}

output "failover_health_check_id" {
  description = "For the PRIMARY records, and for failover_health_check_id of the responder."
  value       = aws_cloudformation_stack.detector.outputs["FailoverHealthCheckId"]
}

output "outputs" {
  description = "All outputs of the stack, by the template's names."
  value       = aws_cloudformation_stack.detector.outputs
}
