#!/usr/bin/env bash
# A MariaDB 10.11 replica says that it is 0 seconds behind while most of the writes are still in a slow link.
#
# Expected: Seconds_Behind_Master of a replica that lacks rows which the source committed half a minute ago is not 0;
#   alarms, dashboards and failover tools take 0 for "has everything".
# Seen (2026-11-28, Debian 12's MariaDB 10.11.19, binlog_format ROW, GTID): both servers well, both replication threads
#   at work, 200 rows of 2 kB written in a few seconds, a link of 12 kB/s between the servers. Seconds_Behind_Master
#   counts from what the replica has received: it is 0 in nearly every sample until the last row arrives, with more than
#   100 rows missing at first. MASTER_GTID_WAIT on the source's position says -1 (not there) at the same moment.
# Why it hurts: promote on "lag 0" and the missing rows are gone, though both servers lived.
#
# Needs: Debian 12 on amd64 with bash, python3, apt-get (after apt-get update), an account that may start servers.
#   Nothing is installed: the packages are unpacked into a temporary folder. Takes about 60 s.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
clean() {
  jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
  wait || true
  rm -rf "$dir"
}
trap clean EXIT
release=1:10.11.19-0+deb12u1
(cd "$dir" && apt-get -qq download "mariadb-server-core=$release" "mariadb-client-core=$release" \
  libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1 libedit2=3.1-20221030-2 libncurses6=6.4-4 2>apt.log)
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/root"; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu
"$dir/root/usr/bin/mariadb-install-db" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" --tmpdir="$dir" \
  --datadir="$dir/source" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1
cp -a "$dir/source" "$dir/replica"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() { "$dir/root/usr/bin/mariadb" --no-defaults -uroot -S "$dir/$1.sock" -N -e "$2" 2>>"$dir/sql.log"; }
start() { # name, server id, port
  "$dir/root/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" --datadir="$dir/$1" \
    --socket="$dir/$1.sock" --tmpdir="$dir" --bind-address=127.0.0.1 --port="$3" --server-id="$2" --log-bin \
    --binlog-format=ROW --skip-name-resolve --innodb-buffer-pool-size=16M >"$dir/$1.log" 2>&1 &
  for _ in $(seq 150); do sql "$1" 'SELECT 1' >/dev/null && return; sleep 0.2; done
  cat "$dir/$1.log"
  exit 2
}
source_port=$(free_port)
start source 1 "$source_port"
start replica 2 "$(free_port)"
sql source "CREATE USER copy@127.0.0.1 IDENTIFIED BY 'example'; GRANT REPLICATION SLAVE ON *.* TO copy@127.0.0.1;
  CREATE DATABASE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, note VARCHAR(2000))"

# The slow link: 12 kB/s towards the replica, with buffers so small that the backlog waits at the source.
link_port=$(free_port)
python3 - "$source_port" "$link_port" <<'PYTHON' &
import socket, sys, threading, time

def pump(come, go, seconds):
    while data := come.recv(1200):
        go.sendall(data)
        time.sleep(seconds)

listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
while True:
    replica, _ = listener.accept()
    source = socket.socket()
    source.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    source.connect(("127.0.0.1", int(sys.argv[1])))
    threading.Thread(target=pump, args=(replica, source, 0), daemon=True).start()
    threading.Thread(target=pump, args=(source, replica, 0.1), daemon=True).start()
PYTHON
sql replica "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$link_port, MASTER_USER='copy',
  MASTER_PASSWORD='example', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
for _ in $(seq 100); do [ "$(sql replica 'SELECT COUNT(*) FROM shop.orders' || true)" = 0 ] && break; sleep 0.2; done

for _ in $(seq 20); do
  sql source "$(for _ in $(seq 10); do echo "INSERT shop.orders (note) VALUES (REPEAT('x', 2000));"; done)"
done
position=$(sql source 'SELECT @@gtid_binlog_pos')
echo "MariaDB 10.11.19. Expected: Seconds_Behind_Master is not 0 while rows are missing. Seen, after the last write:"
short=0 zero=0 most=0
for second in $(seq 60); do
  have=$(sql replica 'SELECT COUNT(*) FROM shop.orders')
  status=$("$dir/root/usr/bin/mariadb" --no-defaults -uroot -S "$dir/replica.sock" -e 'SHOW SLAVE STATUS\G')
  lag=$(awk '/Seconds_Behind_Master:/ {print $2}' <<<"$status")
  threads=$(awk '/Slave_(IO|SQL)_Running:/ {printf "%s ", $2}' <<<"$status")
  missing=$((200 - have))
  ((missing > 0)) || break
  short=$((short + 1))
  if [ "$lag" = 0 ] && [ "$threads" = "Yes Yes " ]; then
    zero=$((zero + 1))
    ((missing <= most)) || most=$missing
  fi
  ((second % 5 != 1)) || echo "  $missing rows missing, Seconds_Behind_Master $lag, threads $threads, MASTER_GTID_WAIT" \
    "$(sql replica "SELECT MASTER_GTID_WAIT('$position', 0.1)")"
  sleep 1
done
echo "Rows were missing in $short samples; $zero of them said 0, with up to $most rows missing."
if ((zero >= 10 && zero * 10 >= short * 8 && most >= 100)); then
  echo "As found: 0 seconds behind is no proof that the replica has every row."
else
  echo "CHANGED: no longer as found on 2026-11-28."
  exit 1
fi
