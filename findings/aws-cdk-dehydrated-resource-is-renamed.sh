#!/usr/bin/env bash
# CfnInclude's dehydratedResources renames the resource and leaves references to parameters in it that are gone.
#
# Expected: logical ids are kept, which is CfnInclude's default (preserveLogicalIds), and `parameters` replaces each parameter
#   wherever the template refers to it. A dehydrated resource is one that is not turned into a typed construct.
# Seen (2026-11-29, aws-cdk-lib 2.276.0): the dehydrated queue Second becomes TemplateSecond and a hash; {"Ref": "Name"} in
#   it stays, while the parameter Name is taken out of the template. synth succeeds and says nothing.
# Why it hurts: CloudFormation refuses the template at deployment; and without `parameters`, in a stack that is there
#   already, the new logical id replaces the resource, a database or queue and what is in it.
#
# Needs: bash, node 20 or newer with npm, npm's registry. No call to AWS. Takes about 20 s on an idle machine, nearly all of
#   it npm.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund aws-cdk-lib@2.276.0 constructs@10.8.1
cat >template.yaml <<'YAML'
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Name: {Type: String}
Resources:
  First:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Sub '${Name}-first'}
  Second:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref Name}
YAML
cat >app.js <<'JS'
const cdk = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const app = new cdk.App({ outdir: 'out' });
new CfnInclude(new cdk.Stack(app, 'Stack'), 'Template', {
  templateFile: 'template.yaml',
  parameters: { Name: 'orders' },
  dehydratedResources: ['Second'],
});
const { Resources, Parameters } = app.synth().getStackByName('Stack').template;
const queues = Object.entries(Resources).filter(([, its]) => its.Type === 'AWS::SQS::Queue');
console.log('aws-cdk-lib 2.276.0. Expected: First and Second, both with the name filled in. Seen:');
for (const [id, its] of queues) console.log(`  ${id}: ${JSON.stringify(its.Properties)}`);
console.log(`  the template has the parameter Name: ${'Name' in (Parameters ?? {})}`);
const [[first, one], [second, other]] = queues;
const isKept = first === 'First' && JSON.stringify(one.Properties).includes('orders');
const isRenamed = /^TemplateSecond[0-9A-F]{8}$/.test(second) && JSON.stringify(other.Properties) === '{"QueueName":{"Ref":"Name"}}';
if (isKept && isRenamed && !('Name' in (Parameters ?? {}))) {
  console.log('As found: the dehydrated queue has another logical id, and refers to a parameter that is not there.');
} else {
  console.log('CHANGED: no longer as found on 2026-11-29.');
  process.exit(1);
}
JS
node app.js 2>/dev/null
