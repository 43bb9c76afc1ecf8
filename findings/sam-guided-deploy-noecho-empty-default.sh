#!/usr/bin/env bash
# sam deploy --guided takes no empty answer for a NoEcho parameter, though the template's default is empty.
#
# Expected: CloudFormation allows NoEcho beside Default: ''. The guided deploy offers a default for every parameter that
#   has one, so Enter takes it, as it does for a parameter without NoEcho.
# Seen (2026-11-28, aws-sam-cli 1.170.0, under a terminal of its own): Enter takes the empty default of "Plain"; "Secret"
#   (NoEcho, Default: '') is asked again after each of five empty answers, without a reason. The script then presses
#   Ctrl-C; nothing is saved.
# Why it hurts: an optional secret cannot be left out by the way that everybody is told to deploy by.
#
# Needs: bash, python3 3.11 or newer with venv, PyPI. SAM asks before it calls AWS, so no call is made; its endpoint is set
#   to a closed port of 127.0.0.1 all the same. Takes about 90 s on an idle machine, nearly all of it pip.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check aws-sam-cli==1.170.0
cat >"$dir/template.yaml" <<'YAML'
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Plain:
    Type: String
    Default: ''
  Secret:
    Type: String
    Default: ''
    NoEcho: true
Resources:
  Topic:
    Type: AWS::SNS::Topic
YAML
export HOME=$dir SAM_CLI_TELEMETRY=0 AWS_ACCESS_KEY_ID=example AWS_SECRET_ACCESS_KEY=example
export AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL=http://127.0.0.1:9 PATH=$dir/venv/bin:$PATH
cd "$dir"
python3 - <<'PYTHON'
import os
import pty
import re
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.execlp("sam", "sam", "deploy", "--guided", "--template-file", "template.yaml")
shown = ""


def read_until(pattern, start, seconds):
    """Reads SAM's output until the pattern stands after `start`, at most so long; tells whether it does."""
    global shown
    while not re.search(pattern, shown[start:]):
        ready, _, _ = select.select([terminal], [], [], seconds)
        if not ready:
            return False
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:
            return False
    return True


asked = {"Plain": 0, "Secret": 0}
start = 0
# Stack name, region, Plain, and Secret at most five times.
while asked["Secret"] < 5 and read_until(r"(Stack Name|AWS Region|Parameter \w+|Confirm changes)[^\n]*: ?$", start, 60):
    prompt = re.search(r"(Stack Name|AWS Region|Parameter (\w+)|Confirm changes)[^\n]*: ?$", shown[start:])
    if prompt.group(1) == "Confirm changes":
        break
    if prompt.group(2):
        asked[prompt.group(2)] += 1
    start = len(shown)
    os.write(terminal, b"\n")
os.write(terminal, b"\x03")
read_until(r"\Z.", start, 5)
os.close(terminal)
os.waitpid(pid, 0)

print("aws-sam-cli 1.170.0. Expected: one Enter takes the empty default of either parameter. Seen:")
for name, times in asked.items():
    print(f"  {name} was asked for {times} time(s), each answered with Enter")
if asked == {"Plain": 1, "Secret": 5}:
    print("As found: the NoEcho parameter is asked for again and again.")
else:
    print("CHANGED: no longer as found on 2026-11-28. What SAM printed:")
    print(shown)
    sys.exit(1)
PYTHON
[ ! -e samconfig.toml ] || { echo "CHANGED: SAM saved a configuration."; exit 1; }
