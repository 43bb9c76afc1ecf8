"""What the tests share: boto3 and the AWS command line, told nothing but AWS_ENDPOINT_URL and credentials."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions
import pytest

NO_RETRIES = botocore.config.Config(retries={"total_max_attempts": 1})
# Route 53 takes five requests a second of an account, and a test may ask faster. It also repeats other refusals.
PATIENT = botocore.config.Config(retries={"total_max_attempts": 5, "mode": "standard"})


@pytest.fixture
def client():
    """Makes a client of a service in a region."""
    def made(service, region="eu-central-1", config=NO_RETRIES, **credentials):
        return boto3.client(service, region_name=region, config=config, **credentials)

    return made


@pytest.fixture
def aws():
    """Runs the AWS command line; its answer, or an AwsFailed with what it wrote."""

    def run(*arguments, region="eu-central-1"):
        command = [str(Path(sys.executable).with_name("aws")), *arguments, "--region", region, "--output", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AwsFailed(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


class AwsFailed(Exception):
    """The command line's error."""


@pytest.fixture
def refused():
    """Asserts that a call is refused with this code and HTTP status; returns AWS's message."""

    def check(code, status, call, **parameters):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), answer
        return answer["Error"].get("Message", "")

    return check


@pytest.fixture
def until():
    """Waits until a condition holds, and returns what it returned."""

    def wait(condition, seconds=30):
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.05)
        return found

    return wait


@pytest.fixture
def dns():
    """Asks the lab's name server."""
    import dns.message
    import dns.query

    host, port = os.environ["LAB_DNS"].rsplit(":", 1)

    def ask(name, kind="A", over=dns.query.udp):
        return over(dns.message.make_query(name, kind), host, port=int(port), timeout=5)

    return ask
