import * as cdk from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as assert from 'node:assert';
import { test } from 'node:test';
import { Databases, Records } from '../lib/surroundings';
import { Artifacts, Holdfast, Value } from '../lib/holdfast';

const release: string = new cdk.App().node.getContext('release');
const NEEDED = { HostedZoneId: 'Z0123456789ABCDEFGHIJ', RecordNames: ['www.example.com'] };

function stack(parameters: Record<string, Value>, pagerSecret?: string): Holdfast {
  const app = new cdk.App();
  const artifacts = new Artifacts(app, 'Artifacts', { release });
  return new Holdfast(app, 'Holdfast', { release, artifacts, parameters: { ...NEEDED, ...parameters }, pagerSecret });
}

const REFUSED: [string, Record<string, Value>, RegExp][] = [
  ['a list as one text', { RecordNames: 'www.example.com' }, /RecordNames must be a list/],
  ['a list for one value', { Mode: ['automatic'] }, /Mode must be one value/],
  ['an ARN for an identifier', { AuroraClusters: ['arn:aws:rds:eu-central-1:123456789012:cluster:app-dr'] }, /AuroraClusters must be DB cluster identifiers/],
  ['a value that is not allowed', { Mode: 'manual' }, /Mode is outside/],
  ['a number that is too small', { OutageMinutes: 0 }, /OutageMinutes is outside/],
  ['a number that is not whole', { OutageMinutes: 7.5 }, /OutageMinutes is outside/],
  ['a name that the template does not have', { OutageMinute: 30 }, /OutageMinute/],
];
for (const [what, parameters, says] of REFUSED) {
  test(`refused: ${what}`, () => assert.throws(() => stack(parameters), says));
}

test("a pager's secret stays a reference", () => {
  const template = Template.fromStack(stack({}, 'holdfast/pager'));
  template.hasParameter('PagerUrl', { Default: '{{resolve:secretsmanager:holdfast/pager}}' });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'https', Endpoint: { Ref: 'PagerUrl' } });
});

test('the PRIMARY record is on the health check of Holdfast, the SECONDARY on none, and both are kept', () => {
  const holdfast = stack({ Detection: 'dr-region', DomainName: 'example.com', EndpointDomain: 'app-primary.example.com' });
  const names = { 'www.example.com': { primary: '192.0.2.1', dr: '198.51.100.1' } };
  const template = Template.fromStack(new Records(holdfast.node.root as cdk.App, 'Records', { holdfast, hostedZoneId: 'Z1', domainName: 'example.com', names }));
  template.resourceCountIs('AWS::Route53::RecordSet', 2);
  template.allResources('AWS::Route53::RecordSet', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  template.hasResourceProperties('AWS::Route53::RecordSet', {
    Name: 'www.example.com.',
    Failover: 'PRIMARY',
    HealthCheckId: { 'Fn::ImportValue': Match.stringLikeRegexp('^Holdfast:ExportsOutputRefFailoverHealthCheck') },
    ResourceRecords: ['192.0.2.1'],
    TTL: '60',
  });
  template.hasResourceProperties('AWS::Route53::RecordSet', { Failover: 'SECONDARY', HealthCheckId: Match.absent(), ResourceRecords: ['198.51.100.1'] });
});

test('no database goes with its stack', () => {
  const template = Template.fromStack(new Databases(new cdk.App(), 'Databases', {}));
  template.allResources('AWS::RDS::DBCluster', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', Properties: { DeletionProtection: true } });
  template.resourceCountIs('AWS::RDS::DBInstance', 2);
  template.allResources('AWS::RDS::DBInstance', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
});
