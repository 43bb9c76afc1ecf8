#!/usr/bin/env bash
# mariadb-binlog --start-datetime reads its moment in the zone of whoever calls it: in New York it finds nothing, exit 0.
#
# Expected: a moment that the server itself named (SELECT UTC_TIMESTAMP()) selects the same events of a server's binary log
#   on every machine, or the tool says in which zone it takes the moment, or accepts one with a zone.
# Seen (2026-11-28, Debian 12's MariaDB 10.11.19): of three rows written after the moment
#     - TZ=UTC finds 3;
#     - TZ=EST5 (New York in winter) finds 0, prints no warning and exits 0: it reads as "nothing was lost";
#     - TZ=JST-9 (Tokyo) finds 5, with the two rows that were written before;
#     - the moment written as 2026-…T…Z is refused;
#     - --start-position with the GTID of the last row before (0-1-N) finds 3 in every zone.
# Why it hurts: this is the command by which people look, after a failover, for writes that only the old primary has.
#
# Needs: Debian 12 on amd64 with bash, apt-get (after apt-get update), an account that may start a server.
#   Nothing is installed: the packages are unpacked into a temporary folder. Takes about 20 s.
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
  --socket="$dir/socket" --tmpdir="$dir" --skip-networking --server-id=1 --log-bin=binlog --binlog-format=ROW \
  --innodb-buffer-pool-size=16M >"$dir/server.log" 2>&1 &
for _ in $(seq 150); do sql 'SELECT 1' >/dev/null && break; sleep 0.2; done

sql "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY)"
for _ in 1 2; do sql "INSERT shop.orders VALUES (NULL)"; done
sleep 2
moment=$(sql 'SELECT UTC_TIMESTAMP()')
gtid=$(sql 'SELECT @@gtid_binlog_pos')
sleep 1
for _ in 1 2 3; do sql "INSERT shop.orders VALUES (NULL)"; done

# Prints how many rows a call of the tool finds, and how it exits. The tool reads the log over the server's socket.
rows() { # zone, option
  local code=0 found
  TZ=$1 "$dir/root/usr/bin/mariadb-binlog" --no-defaults -uroot -S "$dir/socket" --read-from-remote-server --verbose \
    "$2" binlog.000001 >"$dir/out" 2>"$dir/err" || code=$?
  found=$(grep -c '^### INSERT INTO' "$dir/out" || true)
  echo "$found rows, exit $code, $(wc -l <"$dir/err") lines on stderr"
}
{
  for zone in UTC EST5 JST-9; do echo "TZ=$zone --start-datetime: $(rows $zone "--start-datetime=$moment")"; done
  echo "TZ=UTC --start-datetime with T and Z: $(rows UTC "--start-datetime=${moment/ /T}Z")"
  for zone in UTC EST5 JST-9; do echo "TZ=$zone --start-position=GTID: $(rows $zone "--start-position=$gtid")"; done
} >"$dir/seen"
echo "MariaDB 10.11.19, 3 rows written after $moment (UTC, by the server). Expected: 3 rows on each line. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
TZ=UTC --start-datetime: 3 rows, exit 0, 0 lines on stderr
TZ=EST5 --start-datetime: 0 rows, exit 0, 0 lines on stderr
TZ=JST-9 --start-datetime: 5 rows, exit 0, 0 lines on stderr
TZ=UTC --start-datetime with T and Z: 0 rows, exit 1, 1 lines on stderr
TZ=UTC --start-position=GTID: 3 rows, exit 0, 0 lines on stderr
TZ=EST5 --start-position=GTID: 3 rows, exit 0, 0 lines on stderr
TZ=JST-9 --start-position=GTID: 3 rows, exit 0, 0 lines on stderr
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: the caller's zone decides what is found, silently. The GTID form does not depend on it."
else
  echo "CHANGED: no longer as found on 2026-11-28."
  exit 1
fi
