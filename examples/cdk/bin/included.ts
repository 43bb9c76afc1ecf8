// Holdfast alone: the release's template, included.
//   npx aws-cdk@2.1148.1 deploy --all --app 'node out/bin/included.js' -c release=…/holdfast-0.1.0
import * as cdk from 'aws-cdk-lib';
import { Artifacts, Holdfast } from '../lib/holdfast';

const app = new cdk.App();
const release: string = app.node.getContext('release');
// The DR region.
const env = { region: 'eu-central-1' };

const artifacts = new Artifacts(app, 'HoldfastArtifacts', { env, release });
new Holdfast(app, 'Holdfast', {
  env,
  release,
  artifacts,
  parameters: {
    // To begin with; then approval or automatic.
    Mode: 'shadow',
    Detection: 'dr-region',
    DnsMoves: 'by-holdfast',
    HostedZoneId: 'Z0123456789ABCDEFGHIJ',
    DomainName: 'example.com',
    RecordNames: ['www.example.com'],
    EndpointDomain: 'app-primary.example.com',
    AuroraClusters: ['app-dr'],
    OperatorEmail: 'oncall@example.com',
  },
  pagerSecret: 'holdfast/pager',
});
app.synth();
