#!/usr/bin/env bash
# SAM cuts the value of a parameter override at the first double quote in it, and says nothing.
#
# Expected: `Key=Value` in parameter_overrides is taken as it stands, as `aws cloudformation deploy --parameter-overrides` takes
#   it, or refused. A JSON text is a usual value of a parameter of type String.
# Seen (2026-11-30, aws-sam-cli 1.170.0, the type by which `sam deploy` reads the option and samconfig.toml): of
#   List=["a"] the value is "[", of Map={"a":1} it is "{", without a word. List=[1,2] is taken whole, and so is the first one
#   once single quotes stand around the value.
# Why it hurts: the stack is deployed with half a bracket, and whatever reads the parameter fails later, far from the cause.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI; no other traffic. Takes about 90 s on an idle machine, nearly all of it
#   pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check aws-sam-cli==1.170.0
export HOME=$dir SAM_CLI_TELEMETRY=0
"$dir/venv/bin/python" - <<'PYTHON'
import sys

from samcli.cli.types import CfnParameterOverridesType


def read(text):
    return next(iter(CfnParameterOverridesType().convert((text,), None, None).values()))


print("aws-sam-cli 1.170.0. Expected: each value as it was given, or an error. Seen:")
given = ['List=["a"]', 'Map={"a":1}', "List=[1,2]", "List='[\"a\"]'"]
seen = [read(text) for text in given]
for text, value in zip(given, seen):
    print(f"  {text:<14} is read as {value}")
if seen == ["[", "{", "[1,2]", '["a"]']:
    print("As found: a value ends at its first double quote, unless single quotes stand around it.")
else:
    print("CHANGED: no longer as found on 2026-11-30.")
    sys.exit(1)
PYTHON
