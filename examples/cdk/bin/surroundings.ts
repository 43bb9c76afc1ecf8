// Holdfast and what it acts on: the failover pairs on its health check, and the replicas that it promotes.
//   npx aws-cdk@2.1148.1 deploy --all --app 'node out/bin/surroundings.js' -c release=…/holdfast-0.1.0
import * as cdk from 'aws-cdk-lib';
import { Artifacts, Holdfast } from '../lib/holdfast';
import { Databases, Records } from '../lib/surroundings';

const domainName = 'example.com';
const hostedZoneId = 'Z0123456789ABCDEFGHIJ';
const names = {
  'www.example.com': { primary: '192.0.2.1', dr: '198.51.100.1' },
  'login.example.com': { primary: '192.0.2.2', dr: '198.51.100.2' },
};

const app = new cdk.App();
const release: string = app.node.getContext('release');
// The DR region.
const env = { region: 'eu-central-1' };

const artifacts = new Artifacts(app, 'HoldfastArtifacts', { env, release });
const databases = new Databases(app, 'Databases', { env, terminationProtection: true });
const holdfast = new Holdfast(app, 'Holdfast', {
  env,
  release,
  artifacts,
  parameters: {
    // To begin with; then approval or automatic.
    Mode: 'shadow',
    Detection: 'dr-region',
    HostedZoneId: hostedZoneId,
    DomainName: domainName,
    RecordNames: Object.keys(names),
    EndpointDomain: 'app-primary.example.com',
    AuroraClusters: ['app-dr'],
    RdsInstances: ['orders-dr'],
    OutageMinutes: 20,
    DetectionSecondsMax: 20 * 60 + 600,
    OperatorEmail: 'oncall@example.com',
  },
});
holdfast.addStackDependency(databases);
new Records(app, 'Records', { env, holdfast, hostedZoneId, domainName, names, terminationProtection: true });
app.synth();
