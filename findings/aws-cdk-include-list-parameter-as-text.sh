#!/usr/bin/env bash
# CfnInclude fills a text into a list parameter as a text, and synthesises a template that CloudFormation cannot take.
#
# Expected: a parameter of type CommaDelimitedList is given as 'a.example.com,b.example.com' everywhere else (the console, the
#   command line, a parameters file). CfnInclude splits it, or refuses it.
# Seen (2026-11-29, aws-cdk-lib 2.276.0, cfn-lint 1.58.0): {"Fn::Join": [" and ", "a.example.com,b.example.com"]}, where a list must
#   be. Neither types nor synth say a word; cfn-lint does (E1022). Given as an array all is well.
# Why it hurts: it is found out at deployment at the earliest.
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
venv/bin/pip install --quiet --no-compile --disable-pip-version-check cfn-lint==1.58.0
cat >template.yaml <<'YAML'
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Names: {Type: CommaDelimitedList}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Join [' and ', !Ref Names]}
YAML
cat >app.js <<'JS'
const cdk = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const app = new cdk.App({ outdir: 'out' });
const given = { Text: 'a.example.com,b.example.com', Array: ['a.example.com', 'b.example.com'] };
for (const [name, Names] of Object.entries(given)) {
  new CfnInclude(new cdk.Stack(app, name), 'Template', { templateFile: 'template.yaml', parameters: { Names } });
}
for (const stack of app.synth().stacks) console.log(JSON.stringify(stack.template.Resources.Topic.Properties.DisplayName));
JS
mapfile -t seen < <(node app.js 2>/dev/null)
lint() { venv/bin/cfn-lint --format parseable "out/$1.template.json" | grep -o ':E[0-9]*' | sort -u | tr -d ':' | xargs || true; }
text=$(lint Text) array=$(lint Array)
echo "aws-cdk-lib 2.276.0, cfn-lint 1.58.0. Expected: split, or refused. Seen:"
printf '  synthesised: %s\n' "${seen[@]}"
echo "  cfn-lint's errors: of the text '$text', of the array '$array'"
if printf '%s\n' "${seen[@]}" | grep -qxF '{"Fn::Join":[" and ","a.example.com,b.example.com"]}' && [[ -n $text && -z $array ]]; then
  echo "As found: the text stands where a list must."
else
  echo "CHANGED: no longer as found on 2026-11-29."
  exit 1
fi
