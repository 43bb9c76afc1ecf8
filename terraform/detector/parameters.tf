# Written from detector.yaml by .ci/terraform --write. Change the template, not this file.

variable "endpoint_domain" {
  type        = string
  nullable    = false
  description = "Host name of the PRIMARY site's own endpoint, as in app-primary.example.com or its load balancer's name. NEVER the failover name: after a failover that one is DR, and the primary would look healthy. Route 53 asks its IPv4 address, and firewalls must let its checkers in (ROUTE53_HEALTHCHECKS in AWS's ip-ranges.json, or the managed prefix list)."
  validation {
    condition     = can(regex("^([A-Za-z0-9_-]{1,63}\\.)+[A-Za-z][A-Za-z0-9-]{1,62}$", var.endpoint_domain))
    error_message = "EndpointDomain must be a fully qualified domain name without trailing dot; an IP address goes into EndpointIpAddress."
  }
}

variable "endpoint_ip_address" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Public address to probe in place of what EndpointDomain resolves to; EndpointDomain is then only the Host header and the TLS server name. Giving or taking it away makes a new endpoint check."
  validation {
    condition     = can(regex("^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)?$", var.endpoint_ip_address))
    error_message = "EndpointIpAddress must be empty or an IPv4 or IPv6 address."
  }
}

variable "endpoint_port" {
  type        = number
  default     = 443
  nullable    = false
  description = "Port of the endpoint."
  validation {
    condition     = var.endpoint_port >= 1 && var.endpoint_port <= 65535 && floor(var.endpoint_port) == var.endpoint_port
    error_message = "EndpointPort must be a whole number from 1 to 65535."
  }
}

variable "endpoint_type" {
  type        = string
  default     = "HTTPS"
  nullable    = false
  description = "Protocol of the probe. Route 53 does not check the certificate, but speaks TLS 1.0 to 1.2 only: an endpoint that takes nothing but TLS 1.3 looks down. Changing it replaces the endpoint check."
  validation {
    condition     = contains(["HTTPS", "HTTP"], var.endpoint_type)
    error_message = "EndpointType must be one of HTTPS, HTTP."
  }
}

variable "endpoint_path" {
  type        = string
  default     = "/health"
  nullable    = false
  description = "Path that answers 2xx or 3xx while the primary site can serve users. Let it test what users need (the database, say), not what DR could not do better either."
  validation {
    condition     = can(regex("^/\\S{0,254}$", var.endpoint_path))
    error_message = "EndpointPath must begin with a slash and have no spaces."
  }
}

variable "request_interval" {
  type        = number
  default     = 30
  nullable    = false
  description = "Seconds between the probes of one checker; 10 costs more. Changing it replaces the endpoint check."
  validation {
    condition     = contains([30, 10], var.request_interval)
    error_message = "RequestInterval must be one of 30, 10."
  }
}

variable "failure_threshold" {
  type        = number
  default     = 3
  nullable    = false
  description = "Probes in a row that must fail (or succeed) before a checker changes its mind."
  validation {
    condition     = var.failure_threshold >= 1 && var.failure_threshold <= 10 && floor(var.failure_threshold) == var.failure_threshold
    error_message = "FailureThreshold must be a whole number from 1 to 10."
  }
}

variable "outage_minutes" {
  type        = number
  default     = 30
  nullable    = false
  description = "Minutes without a break that the primary must be down before the failover begins. Longer saves needless failovers, shorter saves downtime. The responder's DetectionSecondsMax must be at least 60 times this, plus 600."
  validation {
    condition     = var.outage_minutes >= 1 && var.outage_minutes <= 1440 && floor(var.outage_minutes) == var.outage_minutes
    error_message = "OutageMinutes must be a whole number from 1 to 1440."
  }
}

variable "insufficient_data" {
  type        = string
  default     = "LastKnownStatus"
  nullable    = false
  description = "What the failover check is while CloudWatch has no data. LastKnownStatus keeps what was: no failover begins, none is undone. Healthy never fails over blind, but sends users back who are not pinned yet. Unhealthy fails over whenever CloudWatch is out."
  validation {
    condition     = contains(["LastKnownStatus", "Healthy", "Unhealthy"], var.insufficient_data)
    error_message = "InsufficientData must be one of LastKnownStatus, Healthy, Unhealthy."
  }
}

variable "operator_email" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Address told that the site is down or up again; AWS mails it a link to confirm first."
  validation {
    condition     = can(regex("^([^@\\s]+@[^@\\s]+\\.[^@\\s]+)?$", var.operator_email))
    error_message = "OperatorEmail must be empty or one mail address."
  }
}

variable "pager_url" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. URL of a pager's Amazon CloudWatch integration (PagerDuty, Opsgenie and others have one), told of this stack's alarms. It may be a secret's dynamic reference (docs/watching.md)."
  validation {
    condition     = can(regex("^(\\{\\{resolve:secretsmanager:[A-Za-z0-9/_+=.@:-]{1,500}\\}\\})?$", var.pager_url))
    error_message = "PagerUrl must be empty, or a dynamic reference such as {{resolve:secretsmanager:holdfast/pager}}: never the URL itself, which is a secret."
  }
}

variable "responder_region" {
  type        = string
  nullable    = false
  description = "The DR region, where template.yaml is deployed, as in eu-central-1."
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.responder_region))
    error_message = "ResponderRegion must be a region such as eu-central-1."
  }
}

variable "responder_bus_name" {
  type        = string
  default     = "holdfast"
  nullable    = false
  description = "BusName of the responder stack."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,39}$", var.responder_bus_name))
    error_message = "ResponderBusName must begin with a letter and have at most 40 letters, digits, underscores and hyphens."
  }
}

variable "name_prefix" {
  type        = string
  default     = "holdfast"
  nullable    = false
  description = "Prefix of the alarms' names. The responder's FailoverAlarmName must be this and -failover-started."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,39}$", var.name_prefix))
    error_message = "NamePrefix must begin with a letter and have at most 40 letters, digits, underscores and hyphens."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Managed policy that bounds this stack's role, where an organization lets no role be made without one."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,512})?$", var.permissions_boundary_arn))
    error_message = "PermissionsBoundaryArn must be empty, or the ARN of a managed policy."
  }
}

variable "kms_key_arn" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Customer-managed KMS key of THIS region for the topic. Its policy must let cloudwatch.amazonaws.com use it (docs/watching.md has it whole): without that the alarms are silent. The queue is encrypted in any case."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.kms_key_arn))
    error_message = "KmsKeyArn must be empty, or the ARN of a key (not of an alias)."
  }
}

locals {
  parameters = {
    EndpointDomain         = var.endpoint_domain
    EndpointIpAddress      = var.endpoint_ip_address
    EndpointPort           = tostring(var.endpoint_port)
    EndpointType           = var.endpoint_type
    EndpointPath           = var.endpoint_path
    RequestInterval        = tostring(var.request_interval)
    FailureThreshold       = tostring(var.failure_threshold)
    OutageMinutes          = tostring(var.outage_minutes)
    InsufficientData       = var.insufficient_data
    OperatorEmail          = var.operator_email
    PagerUrl               = var.pager_url
    ResponderRegion        = var.responder_region
    ResponderBusName       = var.responder_bus_name
    NamePrefix             = var.name_prefix
    PermissionsBoundaryArn = var.permissions_boundary_arn
    KmsKeyArn              = var.kms_key_arn
  }
}
