#!/usr/bin/env bash
# aws-runtime 1.10.2, the runtime of the AWS SDK for Rust (crates.io), tries a denied call again and again if the machine's clock is wrong.
#
# Expected: an AccessDeniedException is told at once. It may come of a signature with a wrong time, so an SDK may correct the time and try
#   once more; an answer to a request that was signed with the right time is the service's last word.
# Seen (2026-11-29): if the answer's Date differs from the machine's clock by more than four minutes, the call is tried again until its
#   attempts are used up, also after the time of the signature was corrected: what is compared is always the clock, not the signature. With
#   the right clock the same answer is told at once.
# Why it hurts: whoever lacks a permission, and has a laptop with a wrong clock, waits for all attempts and the waits between them, and
#   may be told of a time-out in place of the permission. (AWS_DISABLE_CLOCK_SKEW_CORRECTION=true ends that, and the correction too.)
#
# Needs: bash, cargo (Rust 1.94.1 or newer), python3, the crates registry. Takes some minutes, nearly all of it the build.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
aws-runtime = "=1.10.2"
aws-sdk-sqs = { version = "=1.119.0", default-features = false, features = ["rt-tokio"] }
aws-smithy-http-client = { version = "=1.5.2", features = ["default-client"] }
tokio = { version = "1", features = ["macros", "rt"] }

[profile.dev]
debug = 0
TOML
cat >"$dir/src/main.rs" <<'RUST'
use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_sqs::error::ProvideErrorMetadata as _;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).expect("the server's URL");
    let retries = RetryConfig::standard().with_max_attempts(5).with_initial_backoff(Duration::from_millis(1));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("key", "secret", None, None, "finding"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(retries)
        .build();
    let error = aws_sdk_sqs::Client::from_conf(config).list_queues().send().await.expect_err("it is denied");
    println!("{}", error.code().unwrap_or("another error"));
}
RUST
# Denies every call, with a Date so many seconds from its clock, and notes each.
cat >"$dir/deny.py" <<'PY'
import sys, time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, HTTPServer


class Deny(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        signed = time.mktime(time.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")) - time.timezone
        late = round((time.time() + ahead - signed) / 60)
        print(f"signed {late} minutes before the answer's Date", file=calls, flush=True)
        body = b'{"__type": "AccessDeniedException", "message": "no"}'
        self.send_response_only(403)
        self.send_header("date", formatdate(time.time() + ahead, usegmt=True))
        self.send_header("x-amzn-errortype", "AccessDeniedException")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ahead, calls = int(sys.argv[1]), open(sys.argv[2], "w")
server = HTTPServer(("127.0.0.1", 0), Deny)
print(server.server_port, flush=True)
server.serve_forever()
PY
cargo build --quiet --manifest-path "$dir/Cargo.toml"
for minutes in 0 10; do
  TZ=UTC python3 "$dir/deny.py" $((minutes * 60)) "$dir/calls" >"$dir/port" &
  server=$!
  until [[ -s $dir/port ]]; do kill -0 "$server"; done
  {
    echo "clock $minutes minutes behind:"
    "$dir/target/debug/finding" "http://127.0.0.1:$(cat "$dir/port")"
    cat "$dir/calls"
  } >>"$dir/seen"
  kill "$server"
  wait "$server" || true
  server=
  : >"$dir/port"
done

echo "aws-runtime 1.10.2. Expected: one call with the right clock, two at most with the wrong one. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
clock 0 minutes behind:
AccessDeniedException
signed 0 minutes before the answer's Date
clock 10 minutes behind:
AccessDeniedException
signed 10 minutes before the answer's Date
signed 0 minutes before the answer's Date
signed 0 minutes before the answer's Date
signed 0 minutes before the answer's Date
signed 0 minutes before the answer's Date
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: a denial is tried again to the last attempt, though all but the first were signed with the right time."
else
  echo "CHANGED: aws-runtime 1.10.2 no longer does as found on 2026-11-29."
  exit 1
fi
