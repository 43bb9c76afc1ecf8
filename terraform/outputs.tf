output "failover_health_check_id" {
  description = "For the PRIMARY records, and for no other. Null where a detector makes it."
  value       = lookup(aws_cloudformation_stack.holdfast.outputs, "FailoverHealthCheckId", null)
}

output "switch_health_check_id" {
  description = "What `holdfast adopt` puts on the PRIMARY records. Null without the switch."
  value       = lookup(aws_cloudformation_stack.holdfast.outputs, "SwitchHealthCheckId", null)
}

output "bus_arn" {
  description = "For the IAM policy of those who may approve."
  value       = aws_cloudformation_stack.holdfast.outputs["BusArn"]
}

output "operator_topic_arn" {
  description = "Everything Holdfast says to people."
  value       = aws_cloudformation_stack.holdfast.outputs["OperatorTopicArn"]
}

output "outputs" {
  description = "All outputs of the stack, by the template's names."
  value       = aws_cloudformation_stack.holdfast.outputs
}
