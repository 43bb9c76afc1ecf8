#!/usr/bin/env bash
# After a failover SQLAlchemy's pre_ping pool stays on the old, read-only database for good; mysql2's pool leaves it.
#
# Expected: pool_pre_ping tests a connection before it is used and replaces it if it is no good, so a pool follows a name that
#   has moved to another server; and pools of two well-known drivers do about the same.
# Seen (2026-11-28; SQLAlchemy 2.1.9 with PyMySQL 1.2.4, mysql2 3.24.6 for Node, MariaDB 10.11.19): the application's one
#   address is moved to NEW, OLD becomes read_only and goes on answering. Of 10 writes
#     - SQLAlchemy's pool fails 10 with error 1290 (read-only): the ping succeeds, the error does not drop the connection;
#     - mysql2's pool fails 1 with error 1290, drops the connection by itself and writes the other 9 to NEW.
# Why it hurts: "read_only on the old primary" looks like a fence, and for the one half of the applications it is an outage.
#
# Needs: Debian 12 on amd64 with bash, python3 with venv, node and npm, apt-get (after apt-get update), an account that may start
#   servers. MariaDB is unpacked into a temporary folder, not installed. All traffic but the installs' is on 127.0.0.1. Takes
#   about 40 s on an idle machine.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
clean() {
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  wait || true
  rm -rf "$dir"
}
trap clean EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check SQLAlchemy==2.1.9 PyMySQL==1.2.4
npm install --silent --no-audit --no-fund --prefix "$dir" mysql2@3.24.6
release=1:10.11.19-0+deb12u1
(cd "$dir" && apt-get -qq download "mariadb-server-core=$release" "mariadb-client-core=$release" \
  libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1 libedit2=3.1-20221030-2 libncurses6=6.4-4 2>apt.log)
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/root"; done
libraries=$dir/root/usr/lib/x86_64-linux-gnu
LD_LIBRARY_PATH=$libraries "$dir/root/usr/bin/mariadb-install-db" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" \
  --tmpdir="$dir" --datadir="$dir/old" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1
cp -a "$dir/old" "$dir/new"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() {
  LD_LIBRARY_PATH=$libraries "$dir/root/usr/bin/mariadb" --no-defaults -uroot -S "$dir/$1.sock" -N -e "$2" 2>>"$dir/sql.log"
}
start() { # name, port
  LD_LIBRARY_PATH=$libraries "$dir/root/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" \
    --datadir="$dir/$1" --socket="$dir/$1.sock" --tmpdir="$dir" --bind-address=127.0.0.1 --port="$2" --skip-name-resolve \
    --innodb-buffer-pool-size=16M >"$dir/$1.log" 2>&1 &
  for _ in $(seq 150); do sql "$1" 'SELECT 1' >/dev/null && break; sleep 0.2; done
  sql "$1" "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY);
    CREATE USER app@127.0.0.1 IDENTIFIED BY 'example'; GRANT ALL ON shop.* TO app@127.0.0.1"
}
old_port=$(free_port) && start old "$old_port"
new_port=$(free_port) && start new "$new_port"

# The application's address: each new connection goes where the file says, as a name's new look-up would.
address=$(free_port)
python3 - "$address" "$dir/target" <<'PYTHON' &
import pathlib, socket, sys, threading

def pump(come, go):
    while data := come.recv(65536):
        go.sendall(data)
    go.close()

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", int(pathlib.Path(sys.argv[2]).read_text())))
    for ends in ((client, server), (server, client)):
        threading.Thread(target=pump, args=ends, daemon=True).start()
PYTHON

# Each program writes once, says "ready", waits for a line, and then writes ten times more.
cat >"$dir/pool.py" <<'PYTHON'
import sys
import time
from sqlalchemy import create_engine, text

engine = create_engine(f"mysql+pymysql://app:example@127.0.0.1:{sys.argv[1]}/shop", pool_size=1, pool_pre_ping=True)
for n in range(11):
    try:
        with engine.begin() as connection:
            connection.execute(text("INSERT orders VALUES (NULL)"))
    except Exception as error:
        print("error", error.orig.args[0], flush=True)
    if n == 0:
        print("ready", flush=True)
        sys.stdin.readline()
    time.sleep(0.1)
PYTHON
cat >"$dir/pool.js" <<'JS'
const pool = require('mysql2/promise').createPool(
  { host: '127.0.0.1', port: +process.argv[2], user: 'app', password: 'example', database: 'shop', connectionLimit: 1 });
(async () => {
  for (let n = 0; n < 11; n++) {
    try { await pool.query('INSERT orders VALUES (NULL)'); } catch (error) { console.log('error', error.errno); }
    if (n === 0) { console.log('ready'); await new Promise(resolve => process.stdin.once('data', resolve)); }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  process.exit();
})();
JS
watch() { # name, command...
  local name=$1 failed
  shift
  sql old 'SET GLOBAL read_only = 0; TRUNCATE shop.orders'
  sql new 'TRUNCATE shop.orders'
  echo "$old_port" >"$dir/target"
  rm -f "$dir/go" && mkfifo "$dir/go"
  "$@" "$address" <"$dir/go" >"$dir/$name.out" 2>&1 &
  exec 3>"$dir/go"
  for _ in $(seq 150); do grep -q ready "$dir/$name.out" && break; sleep 0.2; done
  echo "$new_port" >"$dir/target"
  sql old 'SET GLOBAL read_only = 1'
  echo >&3
  wait $! || true
  exec 3>&-
  failed=$(grep -c 'error 1290' "$dir/$name.out" || true)
  echo "$name: $failed of 10 writes failed with 1290, NEW has $(sql new 'SELECT COUNT(*) FROM shop.orders')"
}
{
  watch sqlalchemy "$dir/venv/bin/python" "$dir/pool.py"
  watch mysql2 node "$dir/pool.js"
} >"$dir/seen"
echo "SQLAlchemy 2.1.9, PyMySQL 1.2.4, mysql2 3.24.6. Expected: both leave OLD. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
sqlalchemy: 10 of 10 writes failed with 1290, NEW has 0
mysql2: 1 of 10 writes failed with 1290, NEW has 9
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: the ping of pool_pre_ping is content with a server that refuses every write."
else
  echo "CHANGED: no longer as found on 2026-11-28."
  exit 1
fi
