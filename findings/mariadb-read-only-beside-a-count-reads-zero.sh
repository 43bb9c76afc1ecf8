#!/usr/bin/env bash
# SELECT COUNT(*), @@read_only FROM t says 0 on a read-only MariaDB; SELECT @@read_only says 1.
#
# Expected: a system variable has one value, whatever stands beside it in the list of columns.
# Seen (2026-11-30, Debian 12's MariaDB 10.11.19, read_only=1, an InnoDB table):
#     - SELECT @@read_only is 1;
#     - SELECT COUNT(*), @@read_only FROM t is 0, and so is @@global.read_only there;
#     - beside MAX(id) or the rows themselves it is 1, and so is @@read_only + 0 beside a COUNT; @@server_id is right everywhere.
# Why it hurts: a health check that asks in one query whether a server has data and whether it takes writes (a load balancer's, a
#   failover tool's) believes that a read-only replica is a writer.
#
# Needs: Debian 12 on amd64 with bash, apt-get (after apt-get update), an account that may start a server.
#   Nothing is installed: the packages are unpacked into a temporary folder. Takes about 15 s.
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
  libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1 libedit2=3.1-20221030-2 libncurses6=6.4-4 2>apt.log)
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/root"; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu
"$dir/root/usr/bin/mariadb-install-db" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" --tmpdir="$dir" \
  --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1

sql() { "$dir/root/usr/bin/mariadb" --no-defaults -uroot -S "$dir/socket" -N -e "$1" 2>>"$dir/sql.log"; }
"$dir/root/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --basedir="$dir/root/usr" --datadir="$dir/data" \
  --socket="$dir/socket" --tmpdir="$dir" --skip-networking --innodb-buffer-pool-size=16M >"$dir/server.log" 2>&1 &
for _ in $(seq 150); do sql 'SELECT 1' >/dev/null && break; sleep 0.2; done

sql "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB; INSERT shop.orders VALUES (NULL), (NULL)"
sql "SET GLOBAL read_only = 1"
for query in "SELECT @@read_only" "SELECT COUNT(*), @@read_only FROM shop.orders" "SELECT COUNT(*), @@global.read_only FROM shop.orders" \
  "SELECT MAX(id), @@read_only FROM shop.orders" "SELECT id, @@read_only FROM shop.orders" "SELECT COUNT(id), @@read_only FROM shop.orders" \
  "SELECT COUNT(id), @@read_only + 0 FROM shop.orders" \
  "SELECT (SELECT COUNT(*) FROM shop.orders), @@read_only" "SELECT COUNT(*), @@server_id, @@read_only FROM shop.orders"; do
  echo "$query: $(sql "$query" | paste -sd';' | tr '\t' ' ')"
done >"$dir/seen"
echo "MariaDB 10.11.19, read_only = 1. Expected: the variable is 1 on each line. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
SELECT @@read_only: 1
SELECT COUNT(*), @@read_only FROM shop.orders: 2 0
SELECT COUNT(*), @@global.read_only FROM shop.orders: 2 0
SELECT MAX(id), @@read_only FROM shop.orders: 2 1
SELECT id, @@read_only FROM shop.orders: 1 1;2 1
SELECT COUNT(id), @@read_only FROM shop.orders: 2 0
SELECT COUNT(id), @@read_only + 0 FROM shop.orders: 2 1
SELECT (SELECT COUNT(*) FROM shop.orders), @@read_only: 2 1
SELECT COUNT(*), @@server_id, @@read_only FROM shop.orders: 2 1 0
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: beside COUNT(*) of a table the variable is read as 0."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
