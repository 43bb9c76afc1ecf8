#!/usr/bin/env bash
# mariadb-admin flush-hosts, as a server's own error message advises, stops a read-only MariaDB replica for good.
#
# Expected: read_only = 1 keeps accounts without a special privilege from writing anything of their own into a replica, and
#   FLUSH HOSTS or FLUSH STATUS, which empty a cache and set counters to zero, are no writes. ANALYZE TABLE is refused there.
# Seen (2026-11-30, Debian 12's MariaDB 10.11.19, replica with a binary log, GTID and gtid_strict_mode): an account with
#   RELOAD runs `mariadb-admin flush-hosts`, exit 0, no warning. The replica writes the statement into its own binary
#   log, under the next number of the source's own sequence: 0-1-N becomes 0-2-(N+1). At the source's next write the
#   replication stops with error 1950 (out-of-order sequence number), and START SLAVE ends there again. FLUSH STATUS, flush-tables
#   and flush-privileges do the same; FLUSH LOCAL HOSTS, flush-hosts --local and flush-logs do not.
#   MariaDB's page on FLUSH says that the statements are written to the binary log unless LOCAL is said; not that
#   read_only does not prevent it, nor what comes of it on a replica.
# Why it hurts: a server that has blocked a host (error 1129) says "unblock with 'mariadb-admin flush-hosts'"; whoever does so on
#   the replica loses the replica on which the failover counts, and learns of it at the next look at SHOW SLAVE STATUS.
#
# Needs: Debian 12 on amd64 with bash, python3, apt-get (after apt-get update), an account that may start servers.
#   Nothing is installed: the packages are unpacked into a temporary folder. Takes about 40 s.
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
(cd "$dir" && apt-get -qq download "mariadb-server-core=$release" "mariadb-client-core=$release" "mariadb-client=$release" \
  libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1 libedit2=3.1-20221030-2 libncurses6=6.4-4 2>apt.log) || exit 2
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/unpacked"; done
export LD_LIBRARY_PATH=$dir/unpacked/usr/lib/x86_64-linux-gnu
"$dir/unpacked/usr/bin/mariadb-install-db" --no-defaults --user="$(id -un)" --basedir="$dir/unpacked/usr" --tmpdir="$dir" \
  --datadir="$dir/source" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1
cp -a "$dir/source" "$dir/replica"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() { "$dir/unpacked/usr/bin/mariadb" --no-defaults "-u${3:-root}" -S "$dir/$1.sock" -N -e "$2" 2>>"$dir/sql.log"; }
start() { # name, server id, port
  "$dir/unpacked/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --basedir="$dir/unpacked/usr" --datadir="$dir/$1" \
    --socket="$dir/$1.sock" --tmpdir="$dir" --bind-address=127.0.0.1 --port="$3" --server-id="$2" --log-bin=binlog \
    --gtid-strict-mode --log-slave-updates --skip-name-resolve --innodb-buffer-pool-size=16M >"$dir/$1.log" 2>&1 &
  for _ in $(seq 150); do sql "$1" 'SELECT 1' >/dev/null && return; sleep 0.2; done
  cat "$dir/$1.log"
  exit 2
}
source_port=$(free_port)
start source 1 "$source_port"
start replica 2 "$(free_port)"
sql source "CREATE USER copy@127.0.0.1 IDENTIFIED BY 'example'; GRANT REPLICATION SLAVE ON *.* TO copy@127.0.0.1;
  CREATE USER monitor@localhost; GRANT RELOAD ON *.* TO monitor@localhost; GRANT SELECT, INSERT ON shop.* TO monitor@localhost;
  CREATE DATABASE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY)"
sql replica "SET GLOBAL read_only = 1; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$source_port, MASTER_USER='copy',
  MASTER_PASSWORD='example', MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"

position() { sql replica 'SELECT @@gtid_binlog_pos'; }
state() {
  "$dir/unpacked/usr/bin/mariadb" --no-defaults -uroot -S "$dir/replica.sock" -e 'SHOW SLAVE STATUS\G' |
    awk '/Slave_SQL_Running:/ {running = $2} /Last_SQL_Errno:/ {error = $2} END {print "SQL thread " running ", error " error}'
}
arrived() { # rows
  for _ in $(seq 50); do [ "$(sql replica 'SELECT COUNT(*) FROM shop.orders')" = "$1" ] && break; sleep 0.1; done
  echo "$(sql replica 'SELECT COUNT(*) FROM shop.orders') of $1 rows on the replica, $(state)"
}
try() { # what, command...
  local before answer='exit 0'
  before=$(position)
  "${@:2}" >/dev/null 2>>"$dir/sql.log" || answer="exit $?"
  [[ $before == "$(position)" ]] && answer+=", nothing written" || answer+=", written to its binary log"
  echo "$1 on the replica: $answer"
}
admin=("$dir/unpacked/usr/bin/mariadb-admin" --no-defaults -umonitor -S "$dir/replica.sock")
{
  sql source "INSERT shop.orders VALUES (NULL)"
  for _ in $(seq 100); do [ "$(sql replica 'SELECT COUNT(*) FROM shop.orders')" = 1 ] && break; sleep 0.2; done
  arrived 1
  try "ANALYZE TABLE" sql replica "ANALYZE TABLE shop.orders" monitor
  try "INSERT" sql replica "INSERT shop.orders VALUES (NULL)" monitor
  try "FLUSH LOCAL HOSTS" sql replica "FLUSH LOCAL HOSTS" monitor
  try "flush-hosts --local" "${admin[@]}" --local flush-hosts
  try "flush-logs" "${admin[@]}" flush-logs
  sql source "INSERT shop.orders VALUES (NULL)"
  arrived 2
  try "flush-hosts" "${admin[@]}" flush-hosts
  sql source "INSERT shop.orders VALUES (NULL)"
  arrived 3
  sql replica "START SLAVE"
  sleep 1
  echo "after START SLAVE: $(arrived 3)"
  try "FLUSH STATUS" sql replica "FLUSH STATUS" monitor
  try "flush-tables" "${admin[@]}" flush-tables
  try "flush-privileges" "${admin[@]}" flush-privileges
} >"$dir/seen"
echo "MariaDB 10.11.19, read_only replica, an account with RELOAD. Expected: nothing written, 3 of 3 rows. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
1 of 1 rows on the replica, SQL thread Yes, error 0
ANALYZE TABLE on the replica: exit 1, nothing written
INSERT on the replica: exit 1, nothing written
FLUSH LOCAL HOSTS on the replica: exit 0, nothing written
flush-hosts --local on the replica: exit 0, nothing written
flush-logs on the replica: exit 0, nothing written
2 of 2 rows on the replica, SQL thread Yes, error 0
flush-hosts on the replica: exit 0, written to its binary log
2 of 3 rows on the replica, SQL thread No, error 1950
after START SLAVE: 2 of 3 rows on the replica, SQL thread No, error 1950
FLUSH STATUS on the replica: exit 0, written to its binary log
flush-tables on the replica: exit 0, written to its binary log
flush-privileges on the replica: exit 0, written to its binary log
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: FLUSH HOSTS on a read-only replica ends its replication."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
