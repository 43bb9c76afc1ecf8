// What Holdfast acts on, as native constructs: failover pairs, and replicas to promote.
import * as cdk from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { Holdfast } from './holdfast';

export interface RecordsProps extends cdk.StackProps {
  readonly holdfast: Holdfast;
  readonly hostedZoneId: string;
  readonly domainName: string;
  /** Where each name leads: the primary's address, and DR's. */
  readonly names: Record<string, { primary: string; dr: string }>;
}

/**
 * The pairs. CloudFormation writes a record only when its part of the template changes, so other deployments leave a pin alone; a changed target or TTL of a
 * PRIMARY record undoes it. While a name is pinned change nothing here. What the record leads to and its health check are Holdfast's from the first
 * deployment on.
 */
export class Records extends cdk.Stack {
  constructor(scope: Construct, id: string, props: RecordsProps) {
    super(scope, id, props);
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId: props.hostedZoneId, zoneName: props.domainName });
    const check = route53.HealthCheck.fromHealthCheckId(this, 'Check', props.holdfast.healthCheck('FailoverHealthCheck'));
    for (const [name, leads] of Object.entries(props.names)) {
      const common = { zone, recordName: `${name}.`, ttl: cdk.Duration.seconds(60) };
      new route53.ARecord(this, `${name}-primary`, {
        ...common,
        target: route53.RecordTarget.fromIpAddresses(leads.primary),
        setIdentifier: 'primary',
        failover: route53.Failover.PRIMARY,
        healthCheck: check,
      }).applyRemovalPolicy(cdk.RemovalPolicy.RETAIN);
      // No health check, so that DR is always an answer.
      new route53.ARecord(this, `${name}-dr`, {
        ...common,
        target: route53.RecordTarget.fromIpAddresses(leads.dr),
        setIdentifier: 'dr',
        failover: route53.Failover.SECONDARY,
      }).applyRemovalPolicy(cdk.RemovalPolicy.RETAIN);
    }
  }
}

/**
 * The replicas. After a promotion they are nobody's replicas, and the template goes on saying whose they were. That is harmless: CloudFormation compares
 * templates, not databases. So leave ReplicationSourceIdentifier and SourceDBInstanceIdentifier as they are until the failback is over, and change nothing that
 * replaces a database. Retained: neither a deleted stack nor a replacement takes a database away that may be the only one.
 */
export class Databases extends cdk.Stack {
  constructor(scope: Construct, id: string, props: cdk.StackProps) {
    super(scope, id, props);
    const key = new cdk.CfnParameter(this, 'KmsKeyArn', { description: 'A key of this region.', allowedPattern: '^arn:.+' }).valueAsString;
    const from = (kind: string, name: string) =>
      this.formatArn({ service: 'rds', region: 'eu-west-1', resource: kind, resourceName: name, arnFormat: cdk.ArnFormat.COLON_RESOURCE_NAME });
    const cluster = new rds.CfnDBCluster(this, 'Cluster', {
      dbClusterIdentifier: 'app-dr',
      engine: 'aurora-mysql',
      replicationSourceIdentifier: from('cluster', 'app'),
      storageEncrypted: true,
      kmsKeyId: key,
      deletionProtection: true,
    });
    // Without an instance a cluster takes no writes, promoted or not.
    const instance = new rds.CfnDBInstance(this, 'ClusterInstance', {
      dbInstanceIdentifier: 'app-dr-1',
      dbClusterIdentifier: cluster.ref,
      engine: 'aurora-mysql',
      dbInstanceClass: 'db.r6g.large',
    });
    const replica = new rds.CfnDBInstance(this, 'Instance', {
      dbInstanceIdentifier: 'orders-dr',
      sourceDbInstanceIdentifier: from('db', 'orders'),
      sourceRegion: 'eu-west-1',
      dbInstanceClass: 'db.m6g.large',
      kmsKeyId: key,
      deletionProtection: true,
    });
    for (const each of [cluster, instance, replica]) each.applyRemovalPolicy(cdk.RemovalPolicy.RETAIN);
  }
}
