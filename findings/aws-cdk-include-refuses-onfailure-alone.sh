#!/usr/bin/env bash
# The CDK's CfnInclude refuses a SAM function that has a destination for failures and none for successes.
#
# Expected: SAM's documentation says of both, OnFailure and OnSuccess: "Required: No". SAM's own transform takes the
#   template below, and so CfnInclude, which reads templates that are there already, takes it.
# Seen (2026-11-29, aws-cdk-lib 2.276.0, aws-sam-translator 1.115.0): new CfnInclude() says nothing; app.synth() throws
#   "onSuccess: required but missing". SAM's transform makes an AWS::Lambda::EventInvokeConfig of the same template.
# Why it hurts: the usual dead-letter queue for an asynchronous function cannot be included; whoever adds an OnSuccess to
#   get past it sends every success somewhere. (What helps: an AWS::Lambda::EventInvokeConfig of one's own in the template.)
#
# Needs: bash, node 20 or newer with npm, python3 3.11 or newer with venv, npm's registry, PyPI. No call to AWS. Takes about
#   40 s on an idle machine, nearly all of it npm and pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund aws-cdk-lib@2.276.0 constructs@10.8.1
python3 -m venv venv
venv/bin/pip install --quiet --no-compile --disable-pip-version-check aws-sam-translator==1.115.0 PyYAML==6.0.4
cat >template.yaml <<'YAML'
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  DeadLetters:
    Type: AWS::SQS::Queue
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: 'def handler(event, context): pass'
      EventInvokeConfig:
        DestinationConfig:
          OnFailure: {Type: SQS, Destination: !GetAtt DeadLetters.Arn}
YAML
cat >app.js <<'JS'
const cdk = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const app = new cdk.App({ outdir: 'out' });
new CfnInclude(new cdk.Stack(app, 'Stack'), 'Template', { templateFile: 'template.yaml' });
console.log('included');
try {
  app.synth();
  console.log('synthesised');
} catch (error) {
  console.log(String(error));
}
JS
cat >transform.py <<'PYTHON'
import json
import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

template = yaml_parse(open("template.yaml").read())
session = boto3.Session(region_name="us-east-1")
managed = {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
made = Translator(managed, Parser(), boto_session=session).translate(template, {})
print(json.dumps(made["Resources"]["FunctionEventInvokeConfig"]["Properties"]["DestinationConfig"]))
PYTHON
cdk=$(node app.js 2>/dev/null)
sam=$(AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example venv/bin/python transform.py 2>/dev/null)
echo "aws-cdk-lib 2.276.0, aws-sam-translator 1.115.0. Expected: both take OnFailure alone. Seen:"
echo "  SAM's transform makes: $sam"
printf '  CfnInclude says:\n%s\n' "$cdk" | sed '2,$s/^/    /'
if [[ $cdk == included*'onSuccess: required but missing'* && $sam == '{"OnFailure": {"Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}}' ]]; then
  echo "As found: SAM takes it, and the CDK refuses it, only when it synthesises."
else
  echo "CHANGED: no longer as found on 2026-11-29."
  exit 1
fi
