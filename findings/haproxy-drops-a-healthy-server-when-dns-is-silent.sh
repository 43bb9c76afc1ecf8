#!/usr/bin/env bash
# HAProxy with "resolvers" answers 503 half a minute after the name server falls silent, though the web server is well.
#
# Expected: a proxy that has resolved a name keeps the last address while its name server does not answer, and judges the
#   server behind it by connections or health checks.
# Seen (2026-11-28, Debian 12's HAProxy 2.6.12, "resolvers" with one name server and no other setting, no health check): with
#   the name server silent all goes well for 30 s, then HAProxy takes the server DOWN ("DNS timeout status") and answers 503
#   to everybody. The web server answers directly all the while. It is back as soon as the name server answers again.
# Why it hurts: "resolvers" is what one adds so that HAProxy follows a failover by DNS; it makes each outage of the name
#   server longer than 30 s an outage of the site. ("hold timeout" of the resolvers section is the setting that says how long.)
#
# Needs: Debian 12 on amd64 with bash, python3, apt-get (after apt-get update). HAProxy is unpacked into a temporary folder, not
#   installed. All traffic is on 127.0.0.1. Takes about 50 s.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$dir" && apt-get -qq download haproxy=2.6.12-1+deb12u4 liblua5.3-0=5.3.6-2 libopentracing1=1.6.0-4 \
  libopentracing-c-wrapper0=1.1.3-3+b1 2>apt.log)
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/root"; done

python3 - "$dir" <<'PYTHON'
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

folder = pathlib.Path(sys.argv[1])


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=site.serve_forever, daemon=True).start()
name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name_server.bind(("127.0.0.1", 0))
silent = threading.Event()


def answer():
    """A name server that knows one address, 127.0.0.1 with a TTL of 5 s, for questions of type A."""
    while True:
        query, client = name_server.recvfrom(512)
        if silent.is_set():
            continue
        end = query.index(0, 12) + 5
        is_a = query[end - 4:end - 2] == b"\x00\x01"
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x7f\x00\x00\x01" if is_a else b""
        head = query[:2] + b"\x84\x00\x00\x01" + (b"\x00\x01" if is_a else b"\x00\x00") + bytes(4)
        name_server.sendto(head + query[12:end] + record, client)


threading.Thread(target=answer, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
(folder / "haproxy.cfg").write_text(f"""
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
resolvers mine
  nameserver one 127.0.0.1:{name_server.getsockname()[1]}
frontend in
  bind 127.0.0.1:{port}
  default_backend site
backend site
  server web app.example.com:{site.server_address[1]} resolvers mine init-addr none resolve-prefer ipv4
""")


def get(to):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{to}/", timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_for(status, seconds):
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if get(port) == status:
            return round(time.monotonic() - start)
        time.sleep(0.5)
    return None


libraries = {"LD_LIBRARY_PATH": str(folder / "root/usr/lib/x86_64-linux-gnu")}
with open(folder / "haproxy.log", "w") as log:
    proxy = subprocess.Popen(
        [folder / "root/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg"],
        env=os.environ | libraries, stdout=log, stderr=subprocess.STDOUT)
try:
    up = wait_for(200, 20)
    silent.set()
    lost = wait_for(503, 60)
    direct = get(site.server_address[1])
    silent.clear()
    back = wait_for(200, 30)
finally:
    proxy.kill()
    proxy.wait()
reason = "DNS timeout status" in (folder / "haproxy.log").read_text()

print("HAProxy 2.6.12. Expected: 200 all the time, as the web server is well. Seen:")
print(f"  200 at first: {up is not None}; 503 after {lost} s without the name server, 'DNS timeout status' logged: {reason}")
print(f"  the web server itself says {direct} at that moment; 200 again {back} s after the name server is back")
if up is not None and lost is not None and 25 <= lost <= 45 and direct == 200 and back is not None and reason:
    print("As found: a silent name server takes a healthy server away.")
else:
    print("CHANGED: no longer as found on 2026-11-28.")
    sys.exit(1)
PYTHON
