# Written from template.yaml by .ci/terraform --write. Change the template, not this file.

variable "hosted_zone_id" {
  type        = string
  nullable    = false
  description = "Id of the public hosted zone that holds the failover records, as in Z0123456789ABCDEFGHIJ."
  validation {
    condition     = can(regex("^Z[A-Z0-9]{1,31}$", var.hosted_zone_id))
    error_message = "HostedZoneId must be a hosted zone id such as Z0123456789ABCDEFGHIJ, without /hostedzone/."
  }
}

variable "record_names" {
  type        = list(string)
  nullable    = false
  description = "Names whose PRIMARY/SECONDARY pair Holdfast protects, as in www.example.com,*.example.com; or the one word ALL for every failover pair of the zone. Some 100 names at most (a function's environment ends at 4 KB); beyond that, ALL."
  validation {
    condition     = length(var.record_names) > 0 && alltrue([for each in var.record_names : each != "" && can(regex("^(ALL|(\\*\\.)?([a-z0-9_-]{1,63}\\.)+[a-z0-9-]{1,63})$", each))])
    error_message = "RecordNames must be names in lower case without trailing dot, or the one word ALL."
  }
}

variable "second_hosted_zone_id" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. A second hosted zone whose records fail over together with the first's."
  validation {
    condition     = can(regex("^(Z[A-Z0-9]{1,31})?$", var.second_hosted_zone_id))
    error_message = "SecondHostedZoneId must be empty, or a hosted zone id such as Z0123456789ABCDEFGHIJ."
  }
}

variable "second_record_names" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Names protected in the second zone, or ALL. Needed if SecondHostedZoneId is given."
  validation {
    condition     = alltrue([for each in var.second_record_names : each != "" && can(regex("^(ALL|(\\*\\.)?([a-z0-9_-]{1,63}\\.)+[a-z0-9-]{1,63})?$", each))])
    error_message = "SecondRecordNames must be empty, or names in lower case without trailing dot, or the one word ALL."
  }
}

variable "hosted_zone_role_arn" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Role in the account of the hosted zones, if that is not this one; every call about either zone is made as it. It must let the functions' roles assume it and allow what their own Route 53 statements allow (docs/watching.md has the commands). Not with Detection=dr-region or DomainName: CloudFormation cannot make records in another account's zone."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512})?$", var.hosted_zone_role_arn))
    error_message = "HostedZoneRoleArn must be empty, or the ARN of an IAM role."
  }
}

variable "aurora_clusters" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Identifiers of the Aurora replica clusters in THIS region to promote, as in app-dr. Empty if there are none."
  validation {
    condition     = alltrue([for each in var.aurora_clusters : each != "" && can(regex("^([a-z][a-z0-9-]{0,62})?$", each))])
    error_message = "AuroraClusters must be DB cluster identifiers in lower case, not ARNs."
  }
}

variable "rds_instances" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Identifiers of the RDS read replicas (not Aurora) in THIS region to promote. Empty if there are none."
  validation {
    condition     = alltrue([for each in var.rds_instances : each != "" && can(regex("^([a-z][a-z0-9-]{0,62})?$", each))])
    error_message = "RdsInstances must be DB instance identifiers in lower case, not ARNs."
  }
}

variable "aurora_global_clusters" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Aurora Global Databases, MySQL or PostgreSQL, to fail over to THIS region, each as GLOBAL/CLUSTER, as in world/app-dr: the global database's identifier, and that of its secondary cluster here. Do not name the cluster in AuroraClusters too. Empty if there are none."
  validation {
    condition     = alltrue([for each in var.aurora_global_clusters : each != "" && can(regex("^([a-z][a-z0-9-]{0,62}/[a-z][a-z0-9-]{0,62})?$", each))])
    error_message = "AuroraGlobalClusters must be GLOBAL/CLUSTER, identifiers in lower case, not ARNs."
  }
}

variable "mode" {
  type        = string
  default     = "automatic"
  nullable    = false
  description = "automatic acts by itself; approval asks a person before the pin; shadow only says what it would have done. With DnsMoves=by-alarm none of them keeps Route 53's health check from sending users to DR. Changing it takes a deployment."
  validation {
    condition     = contains(["automatic", "approval", "shadow"], var.mode)
    error_message = "Mode must be one of automatic, approval, shadow."
  }
}

variable "dns_moves" {
  type        = string
  default     = "by-alarm"
  nullable    = false
  description = "by-alarm: Route 53 sends users to DR when the outage alarm fires, whatever Holdfast decides. by-holdfast makes the switch, a health check that holds DNS at the primary until Holdfast commits a failover, or for five minutes could not; holdfast adopt puts it on the records. With Detection=us-east-1 it needs FailoverHealthCheckId."
  validation {
    condition     = contains(["by-alarm", "by-holdfast"], var.dns_moves)
    error_message = "DnsMoves must be one of by-alarm, by-holdfast."
  }
}

variable "without_holdfast" {
  type        = string
  default     = "follow-the-outage"
  nullable    = false
  description = "Of the switch: where users go when Holdfast is dead and the primary is down. follow-the-outage sends them to DR, as Route 53 would by itself; stay leaves them at the primary, so that nobody is on a DR that nobody promotes. Either way, a Holdfast that runs and for five minutes can write neither latch nor pin sends them to DR."
  validation {
    condition     = contains(["follow-the-outage", "stay"], var.without_holdfast)
    error_message = "WithoutHoldfast must be one of follow-the-outage, stay."
  }
}

variable "promote_by" {
  type        = string
  default     = "pin-or-dns"
  nullable    = false
  description = "Of the switch: what shows that users cannot return to the primary, so that databases may be promoted. pin: Route 53 says that the pin is at every name server. pin-or-dns: or, where Route 53's API does not answer, every name server shows the closed latch. Without DomainName it is the same as pin."
  validation {
    condition     = contains(["pin", "pin-or-dns"], var.promote_by)
    error_message = "PromoteBy must be one of pin, pin-or-dns."
  }
}

variable "dns_margin_seconds" {
  type        = number
  default     = 300
  nullable    = false
  description = "Seconds that are added to TTL and DrainSeconds where databases are promoted by what name servers show. Locations of Route 53 may differ for a while; widen it if you fear one that hears of nothing."
  validation {
    condition     = var.dns_margin_seconds >= 0 && var.dns_margin_seconds <= 86400 && floor(var.dns_margin_seconds) == var.dns_margin_seconds
    error_message = "DnsMarginSeconds must be a whole number from 0 to 86400."
  }
}

variable "listing_minutes_max" {
  type        = number
  default     = 5
  nullable    = false
  description = "Of the switch: for how many minutes a look goes by the last listing of the records, while the alarm is OK and name servers answer with unchanged registers. Route 53 takes five requests a second from an account: with 30 workloads in one zone, 30 is one listing a minute for all. Changed records are noticed so much later; before anything is written they are listed. 0 lists them every minute."
  validation {
    condition     = var.listing_minutes_max >= 0 && var.listing_minutes_max <= 60 && floor(var.listing_minutes_max) == var.listing_minutes_max
    error_message = "ListingMinutesMax must be a whole number from 0 to 60."
  }
}

variable "primary_probe_url" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. URL of the PRIMARY site's own endpoint, never the failover name. While it answers Holdfast in the DR region, nothing is pinned and people are paged (two signals must agree). 2xx and 3xx are an answer; only silence and 5xx say that it is down, and whatever else (403, 404, a TLS error) holds a failover until a person decides. Over https Holdfast checks the certificate, which Route 53 does not: give a name that the certificate names, not the load balancer's own."
  validation {
    condition     = can(regex("^(https?://([A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])(:[1-9][0-9]{0,4})?([/?][^\\s\"\\\\<>#]{0,1000})?)?$", var.primary_probe_url))
    error_message = "PrimaryProbeUrl must be empty or an http(s) URL of a host, perhaps a port and a path, without user name, fragment, spaces, quotes, backslashes and angle brackets."
  }
}

variable "dr_probe_url" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. URL of the DR site's own endpoint. While it is silent or answers 5xx, users are not pinned to it and people are paged. Over https Holdfast checks the certificate, which Route 53 does not: give a name that the certificate names."
  validation {
    condition     = can(regex("^(https?://([A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])(:[1-9][0-9]{0,4})?([/?][^\\s\"\\\\<>#]{0,1000})?)?$", var.dr_probe_url))
    error_message = "DrProbeUrl must be empty or an http(s) URL of a host, perhaps a port and a path, without user name, fragment, spaces, quotes, backslashes and angle brackets."
  }
}

variable "dr_healthy_alarm_name" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Name of an alarm of THIS region, yours, that is OK while enough of DR's targets are healthy. While it is not, or nobody knows, users are not pinned to DR and people are paged, until it is or a person approves (docs/steps.md)."
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{0,255}$", var.dr_healthy_alarm_name))
    error_message = "DrHealthyAlarmName must be empty or an alarm name of letters, digits, dots, underscores and hyphens, not an ARN."
  }
}

variable "failover_health_check_id" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional, for Detection=us-east-1 only, and needed by DnsMoves=by-holdfast. Health check of the PRIMARY records (the detector's output of the same name), which holdfast maintenance disables unless the switch holds DNS, and the tick enables again. Empty: a maintenance keeps Holdfast from acting, but not Route 53 from answering with DR."
  validation {
    condition     = can(regex("^([0-9a-f-]{36})?$", var.failover_health_check_id))
    error_message = "FailoverHealthCheckId must be empty, or a health check id such as 0123abcd-0123-0123-0123-0123456789ab."
  }
}

variable "detection" {
  type        = string
  default     = "us-east-1"
  nullable    = false
  description = "us-east-1: a second stack there, detector.yaml, watches the primary. dr-region: this stack does, from its own region, and there is no other; us-east-1 may then be dark while an outage is detected. It needs DomainName and EndpointDomain."
  validation {
    condition     = contains(["us-east-1", "dr-region"], var.detection)
    error_message = "Detection must be one of us-east-1, dr-region."
  }
}

variable "domain_name" {
  type        = string
  default     = ""
  nullable    = false
  description = "For Detection=dr-region, and for DnsMoves=by-holdfast with PromoteBy=pin-or-dns. The domain of the zone HostedZoneId, as in example.com. TXT failover records are made in it, such as _holdfast-endpoint.BusName.DomainName, by which its name servers tell what Route 53's health checks find."
  validation {
    condition     = can(regex("^(([a-z0-9_-]{1,63}\\.)+[a-z0-9-]{1,63})?$", var.domain_name))
    error_message = "DomainName must be empty, or a domain in lower case without trailing dot."
  }
}

variable "endpoint_domain" {
  type        = string
  default     = ""
  nullable    = false
  description = "For Detection=dr-region. Host name of the PRIMARY site's own endpoint, as in app-primary.example.com or its load balancer's name. NEVER the failover name: after a failover that one is DR, and the primary would look healthy. Route 53 asks its IPv4 address, and firewalls must let its checkers in (ROUTE53_HEALTHCHECKS in AWS's ip-ranges.json, or the managed prefix list)."
  validation {
    condition     = can(regex("^(([A-Za-z0-9_-]{1,63}\\.)+[A-Za-z][A-Za-z0-9-]{1,62})?$", var.endpoint_domain))
    error_message = "EndpointDomain must be empty, or a fully qualified domain name without trailing dot; an IP address goes into EndpointIpAddress."
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
  description = "Minutes without a break that the primary must be down before the failover begins. Longer saves needless failovers, shorter saves downtime. DetectionSecondsMax must be at least 60 times this, plus 600."
  validation {
    condition     = var.outage_minutes >= 1 && var.outage_minutes <= 1440 && floor(var.outage_minutes) == var.outage_minutes
    error_message = "OutageMinutes must be a whole number from 1 to 1440."
  }
}

variable "reference_url" {
  type        = string
  default     = "https://ip-ranges.amazonaws.com/"
  nullable    = false
  description = "URL of somebody who has nothing to do with the primary, its region or yours. Any answer to it shows that requests leave the observer; without one, silence of the primary is no outage. Used where PrimaryProbeUrl is given."
  validation {
    condition     = can(regex("^https?://([A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}\\])(:[1-9][0-9]{0,4})?([/?][^\\s\"\\\\<>#]{0,1000})?$", var.reference_url))
    error_message = "ReferenceUrl must be an http(s) URL without user name, fragment, spaces, quotes, backslashes and angle brackets."
  }
}

variable "pin_rehearsal" {
  type        = string
  default     = "true"
  nullable    = false
  description = "Whether each armed name's PRIMARY records are written once a day just as they are, by a batch such as the pin's, so that whatever would refuse the pin is told at a quiet hour (docs/operating.md)."
  validation {
    condition     = contains(["true", "false"], var.pin_rehearsal)
    error_message = "PinRehearsal must be one of true, false."
  }
}

variable "operator_email" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Address told of everything; AWS mails it a link to confirm first."
  validation {
    condition     = can(regex("^([^@\\s]+@[^@\\s]+\\.[^@\\s]+)?$", var.operator_email))
    error_message = "OperatorEmail must be empty or one mail address."
  }
}

variable "chat_cards" {
  type        = string
  default     = "no"
  nullable    = false
  description = "yes makes a second topic whose messages Amazon Q Developer in chat applications shows as cards, an incident's in one thread. Add it and the operators' topic to the channel's configuration."
  validation {
    condition     = contains(["yes", "no"], var.chat_cards)
    error_message = "ChatCards must be one of yes, no."
  }
}

variable "pager_url" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. URL of a pager's Amazon CloudWatch integration (PagerDuty, Opsgenie and others have one). It is sent what Holdfast pages for, in the shape of a CloudWatch alarm, and this stack's own alarms. It may be a secret's dynamic reference (docs/watching.md)."
  validation {
    condition     = can(regex("^(\\{\\{resolve:secretsmanager:[A-Za-z0-9/_+=.@:-]{1,500}\\}\\})?$", var.pager_url))
    error_message = "PagerUrl must be empty, or a dynamic reference such as {{resolve:secretsmanager:holdfast/pager}}: never the URL itself, which is a secret."
  }
}

variable "fence_region" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. The PRIMARY region. With the next parameters: once users are pinned to DR, Holdfast cuts the old writers there off, as soon as the region can be reached, so that nobody whom DNS does not reach goes on writing to them."
  validation {
    condition     = can(regex("^([a-z]{2}(-[a-z]+)+-[0-9])?$", var.fence_region))
    error_message = "FenceRegion must be empty, or a region such as us-east-1."
  }
}

variable "fence_security_group_id" {
  type        = string
  default     = ""
  nullable    = false
  description = "Security group without any inbound rule, in the old writers' VPC. It replaces theirs."
  validation {
    condition     = can(regex("^(sg-[0-9a-z]{1,40})?$", var.fence_security_group_id))
    error_message = "FenceSecurityGroupId must be empty, or a security group id such as sg-0123456789abcdef0."
  }
}

variable "fence_aurora_clusters" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Identifiers of the Aurora clusters in the PRIMARY region to fence. Their instances' identifiers must begin with the cluster's, as the console names them; Holdfast may reboot no others."
  validation {
    condition     = alltrue([for each in var.fence_aurora_clusters : each != "" && can(regex("^([a-z][a-z0-9-]{0,62})?$", each))])
    error_message = "FenceAuroraClusters must be DB cluster identifiers in lower case, not ARNs."
  }
}

variable "fence_rds_instances" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Identifiers of the RDS instances (not Aurora) in the PRIMARY region to fence."
  validation {
    condition     = alltrue([for each in var.fence_rds_instances : each != "" && can(regex("^([a-z][a-z0-9-]{0,62})?$", each))])
    error_message = "FenceRdsInstances must be DB instance identifiers in lower case, not ARNs."
  }
}

variable "prepare" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. What of THIS region is made ready while an outage is waited out, and undone if the primary returns: entries ARN=WHAT with commas between, an Auto Scaling group's or an ECS service's ARN=6 (at least so many), an EventBridge rule's or a Lambda event source mapping's ARN=on or ARN=off, a Lambda function's ARN=call. Each ARN must be in StepResources too (docs/steps.md)."
  validation {
    condition     = can(regex("^[^\"\\\\\\x00-\\x1f\\x7f]*$", var.prepare))
    error_message = "Prepare must be entries ARN=WHAT with commas between, on one line, without quotes and backslashes."
  }
}

variable "after" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. What of THIS region is done once every name is failed over, such as consumers and schedules that are to run in one region only; entries as in Prepare."
  validation {
    condition     = can(regex("^[^\"\\\\\\x00-\\x1f\\x7f]*$", var.after))
    error_message = "After must be entries ARN=WHAT with commas between, on one line, without quotes and backslashes."
  }
}

variable "step_resources" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "The ARNs that Prepare and After name, exactly. They are all that the function preparer may change: CloudFormation cannot cut them out of the entries."
  validation {
    condition     = alltrue([for each in var.step_resources : each != "" && can(regex("^(arn:aws[a-z-]*:(autoscaling|ecs|events|lambda):[a-z0-9-]+:[0-9]{12}:[^\"\\\\*?\\x00-\\x1f\\x7f]+)?$", each))])
    error_message = "StepResources must be ARNs of Auto Scaling groups, ECS services, EventBridge rules, Lambda functions or event source mappings, without wildcards."
  }
}

variable "prepare_after_minutes" {
  type        = number
  default     = 2
  nullable    = false
  description = "Minutes that the alarm site-down must have lasted before what Prepare names is made ready."
  validation {
    condition     = var.prepare_after_minutes >= 0 && var.prepare_after_minutes <= 1440 && floor(var.prepare_after_minutes) == var.prepare_after_minutes
    error_message = "PrepareAfterMinutes must be a whole number from 0 to 1440."
  }
}

variable "readiness" {
  type        = string
  default     = "off"
  nullable    = false
  description = "on looks each hour, row by row, whether DR's half of the workload could carry users, as holdfast readiness does, and pages when it could not (docs/readiness.md). It only reads."
  validation {
    condition     = contains(["off", "on"], var.readiness)
    error_message = "Readiness must be one of off, on."
  }
}

variable "readiness_secrets" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "For Readiness=on. Names of the secrets in Secrets Manager that the application reads in DR, as in shop/database-app; their values are never read. A function's variables end at 4 KB, so that all Readiness parameters and the plan have about that much together."
  validation {
    condition     = alltrue([for each in var.readiness_secrets : each != "" && can(regex("^([A-Za-z0-9/_+=.@-]{1,512})?$", each))])
    error_message = "ReadinessSecrets must be names of secrets, not ARNs."
  }
}

variable "readiness_parameters" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "For Readiness=on. Names of the parameters in Parameter Store that the application reads in DR, whole, as in /shop/assets-bucket; their values are never read."
  validation {
    condition     = alltrue([for each in var.readiness_parameters : each != "" && can(regex("^([A-Za-z0-9_./-]{1,1011})?$", each))])
    error_message = "ReadinessParameters must be whole names of parameters, not ARNs."
  }
}

variable "readiness_buckets" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "For Readiness=on. Rules of S3 that copy a bucket to DR, each as SOURCE/DESTINATION/RULE, as in shop-assets-eu-west-1/shop-assets-eu-central-1/to-eu-central-1; RULE is the id of the replication rule."
  validation {
    condition     = alltrue([for each in var.readiness_buckets : each != "" && can(regex("^([a-z0-9.-]{3,63}/[a-z0-9.-]{3,63}/[^\"\\\\\\x00-\\x1f\\x7f]{1,255})?$", each))])
    error_message = "ReadinessBuckets must be SOURCE/DESTINATION/RULE, two names of buckets and the id of a replication rule without quotes and backslashes."
  }
}

variable "readiness_pipelines" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "For Readiness=on. Pipelines of CodePipeline that deploy the same in both regions, each as PRIMARY=DR, or as NAME where both are called so."
  validation {
    condition     = alltrue([for each in var.readiness_pipelines : each != "" && can(regex("^([A-Za-z0-9.@_-]{1,100}(=[A-Za-z0-9.@_-]{1,100})?)?$", each))])
    error_message = "ReadinessPipelines must be names of pipelines, each as NAME or as PRIMARY=DR."
  }
}

variable "readiness_settings" {
  type        = string
  default     = ""
  nullable    = false
  description = "For Readiness=on. What else the file of holdfast readiness --workload may say, as entries KEY=VALUE with commas between, as in primary_region=eu-west-1,capacity_percent_min=50 (docs/readiness.md has every key)."
  validation {
    condition     = can(regex("^[^\"\\\\\\x00-\\x1f\\x7f]*$", var.readiness_settings))
    error_message = "ReadinessSettings must be entries KEY=VALUE with commas between, on one line, without quotes and backslashes."
  }
}

variable "lag_seconds_max" {
  type        = number
  default     = 60
  nullable    = false
  description = "Seconds of replica lag up to which a replica is promoted without asking. Lag is the least that is lost; see docs/operating.md."
  validation {
    condition     = var.lag_seconds_max >= 0 && var.lag_seconds_max <= 86400 && floor(var.lag_seconds_max) == var.lag_seconds_max
    error_message = "LagSecondsMax must be a whole number from 0 to 86400."
  }
}

variable "heartbeats" {
  type        = string
  default     = ""
  nullable    = false
  description = "Metrics that tell the replicas' lag better than RDS, as a JSON list: [{\"database\":\"app-dr\",\"namespace\":\"Heartbeat\",\"metric\":\"Age\", \"dimensions\":{\"Database\":\"app-dr\"}}]. See docs/operating.md, \"Heartbeats\"."
  validation {
    condition     = can(regex("^(\\[.*\\])?$", var.heartbeats))
    error_message = "Heartbeats must be a JSON list, on one line, or empty."
  }
}

variable "settle_seconds" {
  type        = number
  default     = 900
  nullable    = false
  description = "Seconds for which the alarm must have been OK before Holdfast arms a name, and for which a name must have been armed before Holdfast fails it over without asking."
  validation {
    condition     = var.settle_seconds >= 0 && var.settle_seconds <= 86400 && floor(var.settle_seconds) == var.settle_seconds
    error_message = "SettleSeconds must be a whole number from 0 to 86400."
  }
}

variable "cooldown_seconds" {
  type        = number
  default     = 3600
  nullable    = false
  description = "Seconds after a failback during which another failover needs a person's approval."
  validation {
    condition     = var.cooldown_seconds >= 0 && var.cooldown_seconds <= 604800 && floor(var.cooldown_seconds) == var.cooldown_seconds
    error_message = "CooldownSeconds must be a whole number from 0 to 604800."
  }
}

variable "drain_seconds" {
  type        = number
  default     = 120
  nullable    = false
  description = "Seconds that are added to the records' TTL, between the pin being in sync and promotion, for clients whose own caches outlast it (PHP's 120 s are the longest seen; docs/dns-clients.md has who follows DNS and when). No number ends connections that were kept."
  validation {
    condition     = var.drain_seconds >= 0 && var.drain_seconds <= 86400 && floor(var.drain_seconds) == var.drain_seconds
    error_message = "DrainSeconds must be a whole number from 0 to 86400."
  }
}

variable "detection_seconds_max" {
  type        = number
  default     = 2400
  nullable    = false
  description = "Longest time in seconds from the start of an outage to the alarm that starts a failover. At least OutageMinutes x 60, plus 600."
  validation {
    condition     = var.detection_seconds_max >= 60 && var.detection_seconds_max <= 172800 && floor(var.detection_seconds_max) == var.detection_seconds_max
    error_message = "DetectionSecondsMax must be a whole number from 60 to 172800."
  }
}

variable "hold_seconds_max" {
  type        = number
  default     = 0
  nullable    = false
  description = "Of the switch: seconds, from the alarm on, that users stay at a primary which the alarm reports down and Holdfast's own probe does not (P09). Then the switch sends them to a read-only DR, unless a person approves the failover before. 0 keeps them for as long as it lasts."
  validation {
    condition     = var.hold_seconds_max >= 0 && var.hold_seconds_max <= 172800 && floor(var.hold_seconds_max) == var.hold_seconds_max
    error_message = "HoldSecondsMax must be a whole number from 0 to 172800."
  }
}

variable "detector_region" {
  type        = string
  default     = "us-east-1"
  nullable    = false
  description = "For Detection=us-east-1. Region of the failover-started alarm. Route 53 publishes health-check metrics in us-east-1 only. If your PRIMARY region is us-east-1 as well, detector and Route 53 control plane fail together with it, and the pin may come late."
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.detector_region))
    error_message = "DetectorRegion must be a region such as us-east-1."
  }
}

variable "failover_alarm_name" {
  type        = string
  default     = "holdfast-failover-started"
  nullable    = false
  description = "For Detection=us-east-1. Name of the alarm that says Route 53 has begun to answer with DR. It is the detector's NamePrefix and -failover-started."
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,255}$", var.failover_alarm_name))
    error_message = "FailoverAlarmName must be an alarm name of letters, digits, dots, underscores and hyphens, not an ARN."
  }
}

variable "bus_name" {
  type        = string
  default     = "holdfast"
  nullable    = false
  description = "Name of the event bus, and prefix of the names of functions, alarms and table (holdfast --bus). A detector's ResponderBusName must say the same. Change it only outside incidents; docs/deploying.md says what stays behind."
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,39}$", var.bus_name))
    error_message = "BusName must begin with a letter and have at most 40 letters, digits, underscores and hyphens."
  }
}

variable "architecture" {
  type        = string
  default     = "arm64"
  nullable    = false
  description = "Processor of the functions."
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "Architecture must be one of arm64, x86_64."
  }
}

variable "log_level" {
  type        = string
  default     = "info"
  nullable    = false
  description = "How much the functions log."
  validation {
    condition     = contains(["error", "warn", "info", "debug", "trace"], var.log_level)
    error_message = "LogLevel must be one of error, warn, info, debug, trace."
  }
}

variable "log_retention_days" {
  type        = number
  default     = 365
  nullable    = false
  description = "Days for which logs are kept. holdfast report reads an incident from them."
  validation {
    condition     = contains([30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "LogRetentionDays must be one of 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "reserved_concurrency" {
  type        = number
  default     = 0
  nullable    = false
  description = "Concurrent executions set aside for each function, so that a burst elsewhere in the account cannot keep it from starting; 0 sets none aside. 5 is plenty. AWS refuses it where fewer than 100 would be left to the account's other functions; a new account has 10 in all."
  validation {
    condition     = var.reserved_concurrency >= 0 && var.reserved_concurrency <= 100 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "ReservedConcurrency must be a whole number from 0 to 100."
  }
}

variable "tracing" {
  type        = string
  default     = "Disabled"
  nullable    = false
  description = "Active records Lambda's own X-Ray segments of each invocation (queueing, start, run), which costs money and lets the roles write to X-Ray. The functions add none of their own; their log says what they did."
  validation {
    condition     = contains(["Disabled", "Active"], var.tracing)
    error_message = "Tracing must be one of Disabled, Active."
  }
}

variable "kms_key_arn" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Customer-managed KMS key of THIS region for topics and logs. Its policy must let cloudwatch.amazonaws.com and logs.REGION.amazonaws.com use it (docs/watching.md has it whole): without that alarms are silent. Queues are encrypted in any case."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.kms_key_arn))
    error_message = "KmsKeyArn must be empty, or the ARN of a key (not of an alias)."
  }
}

variable "permissions_boundary_arn" {
  type        = string
  default     = ""
  nullable    = false
  description = "Optional. Managed policy that bounds every role of this stack, where an organization lets no role be made without one."
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,512})?$", var.permissions_boundary_arn))
    error_message = "PermissionsBoundaryArn must be empty, or the ARN of a managed policy."
  }
}

locals {
  parameters = {
    HostedZoneId           = var.hosted_zone_id
    RecordNames            = join(",", var.record_names)
    SecondHostedZoneId     = var.second_hosted_zone_id
    SecondRecordNames      = join(",", var.second_record_names)
    HostedZoneRoleArn      = var.hosted_zone_role_arn
    AuroraClusters         = join(",", var.aurora_clusters)
    RdsInstances           = join(",", var.rds_instances)
    AuroraGlobalClusters   = join(",", var.aurora_global_clusters)
    Mode                   = var.mode
    DnsMoves               = var.dns_moves
    WithoutHoldfast        = var.without_holdfast
    PromoteBy              = var.promote_by
    DnsMarginSeconds       = tostring(var.dns_margin_seconds)
    ListingMinutesMax      = tostring(var.listing_minutes_max)
    PrimaryProbeUrl        = var.primary_probe_url
    DrProbeUrl             = var.dr_probe_url
    DrHealthyAlarmName     = var.dr_healthy_alarm_name
    FailoverHealthCheckId  = var.failover_health_check_id
    Detection              = var.detection
    DomainName             = var.domain_name
    EndpointDomain         = var.endpoint_domain
    EndpointIpAddress      = var.endpoint_ip_address
    EndpointPort           = tostring(var.endpoint_port)
    EndpointType           = var.endpoint_type
    EndpointPath           = var.endpoint_path
    RequestInterval        = tostring(var.request_interval)
    FailureThreshold       = tostring(var.failure_threshold)
    OutageMinutes          = tostring(var.outage_minutes)
    ReferenceUrl           = var.reference_url
    PinRehearsal           = var.pin_rehearsal
    OperatorEmail          = var.operator_email
    ChatCards              = var.chat_cards
    PagerUrl               = var.pager_url
    FenceRegion            = var.fence_region
    FenceSecurityGroupId   = var.fence_security_group_id
    FenceAuroraClusters    = join(",", var.fence_aurora_clusters)
    FenceRdsInstances      = join(",", var.fence_rds_instances)
    Prepare                = var.prepare
    After                  = var.after
    StepResources          = join(",", var.step_resources)
    PrepareAfterMinutes    = tostring(var.prepare_after_minutes)
    Readiness              = var.readiness
    ReadinessSecrets       = join(",", var.readiness_secrets)
    ReadinessParameters    = join(",", var.readiness_parameters)
    ReadinessBuckets       = join(",", var.readiness_buckets)
    ReadinessPipelines     = join(",", var.readiness_pipelines)
    ReadinessSettings      = var.readiness_settings
    LagSecondsMax          = tostring(var.lag_seconds_max)
    Heartbeats             = var.heartbeats
    SettleSeconds          = tostring(var.settle_seconds)
    CooldownSeconds        = tostring(var.cooldown_seconds)
    DrainSeconds           = tostring(var.drain_seconds)
    DetectionSecondsMax    = tostring(var.detection_seconds_max)
    HoldSecondsMax         = tostring(var.hold_seconds_max)
    DetectorRegion         = var.detector_region
    FailoverAlarmName      = var.failover_alarm_name
    BusName                = var.bus_name
    Architecture           = var.architecture
    LogLevel               = var.log_level
    LogRetentionDays       = tostring(var.log_retention_days)
    ReservedConcurrency    = tostring(var.reserved_concurrency)
    Tracing                = var.tracing
    KmsKeyArn              = var.kms_key_arn
    PermissionsBoundaryArn = var.permissions_boundary_arn
  }
}
