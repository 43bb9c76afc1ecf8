# Cross-region replicas that Holdfast promotes. Terraform makes them, and then does not ask any more whose replicas they are.

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

variable "source_cluster_arn" {
  type        = string
  description = "The Aurora cluster in the PRIMARY region, binary log on."
}

variable "source_instance_arn" {
  type        = string
  description = "The RDS instance in the PRIMARY region."
}

variable "kms_key_arn" {
  type        = string
  description = "A key of the DR region."
}

provider "aws" {
  region = var.dr_region
}

resource "aws_rds_cluster" "dr" {
  cluster_identifier            = "app-dr"
  engine                        = "aurora-mysql"
  replication_source_identifier = var.source_cluster_arn
  storage_encrypted             = true
  kms_key_id                    = var.kms_key_arn
  deletion_protection           = true
  final_snapshot_identifier     = "app-dr-last"
  lifecycle {
    # Promoted, it is nobody's replica: without this, every apply would ask RDS for one again.
    ignore_changes = [replication_source_identifier]
  }
}

# A cluster without an instance cannot be promoted into anything that takes writes.
resource "aws_rds_cluster_instance" "dr" {
  identifier         = "app-dr-1"
  cluster_identifier = aws_rds_cluster.dr.id
  engine             = aws_rds_cluster.dr.engine
  instance_class     = "db.r6g.large"
}

resource "aws_db_instance" "dr" {
  identifier                = "orders-dr"
  replicate_source_db       = var.source_instance_arn
  instance_class            = "db.m6g.large"
  storage_encrypted         = true
  kms_key_id                = var.kms_key_arn
  deletion_protection       = true
  backup_retention_period   = 7
  final_snapshot_identifier = "orders-dr-last"
  lifecycle {
    ignore_changes = [replicate_source_db]
  }
}
