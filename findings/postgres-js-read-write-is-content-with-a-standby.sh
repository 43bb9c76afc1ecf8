#!/usr/bin/env bash
# postgres.js with target_session_attrs 'read-write' stays on a standby that stands first in its list, and each write fails.
#
# Expected: the README of postgres.js says to use 'read-write' with several hosts so as to connect to the primary only. libpq, from
#   which the option has its name, goes on to the next host if the server is in hot standby or default_transaction_read_only is on.
# Seen (2026-11-30, postgres (postgres.js) 3.4.9 for Node, Debian 12's PostgreSQL 15.20): two hosts, the first a standby, the second
#   its primary. With 'read-write' psql writes, and postgres.js fails each of 5 writes with 25006 (read-only transaction) and
#   never tries the second host: it looks at default_transaction_read_only alone, which is off on a standby too. With 'primary' all
#   5 are written. With the primary first both words do. (In an open issue of the project users see the first host kept.)
# Why it hurts: it works until the day of the failover. The old primary comes back as a standby, still the first of the
#   list, and takes every new connection.
#
# Needs: Debian 12 on amd64 with bash, python3, node 20 or newer with npm, npm's registry, apt-get (after apt-get update). As root
#   the servers run as nobody, as PostgreSQL wants. PostgreSQL is unpacked into a temporary folder, not installed. Takes about 30 s.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
clean() {
  jobs -p | xargs --no-run-if-empty kill -QUIT 2>/dev/null || true
  wait || true
  rm -rf "$dir"
}
trap clean EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" postgres@3.4.9 || exit 2
release=15.20-0+deb12u1
(cd "$dir" && apt-get -qq download "postgresql-15=$release" "postgresql-client-15=$release" "libpq5=$release" libicu72 libxml2 \
  libldap-2.5-0 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libreadline8 2>apt.log) || exit 2
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/unpacked"; done
bin=$dir/unpacked/usr/lib/postgresql/15/bin
mkdir "$dir/work"
chmod 755 "$dir"
run=(env "LD_LIBRARY_PATH=$dir/unpacked/usr/lib/x86_64-linux-gnu" PGUSER=app PGDATABASE=postgres PGHOST=127.0.0.1)
if ((EUID == 0)); then
  chown nobody "$dir/work"
  run=(setpriv --reuid=nobody --regid=nogroup --clear-groups "${run[@]}")
fi
cd "$dir/work"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() { "${run[@]}" "$bin/psql" -XqAt -p "$1" -c "$2" 2>>"$dir/sql.log"; }
start() { # name, port
  "${run[@]}" "$bin/postgres" -D "$1" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off \
    -c "cluster_name=$1" >"$dir/$1.log" 2>&1 &
  for _ in $(seq 150); do sql "$2" 'SELECT 1' >/dev/null && return; sleep 0.2; done
  cat "$dir/$1.log"
  exit 2
}
"${run[@]}" "$bin/initdb" --pgdata=primary --auth=trust --username=app --no-sync >"$dir/install.log" 2>&1
primary=$(free_port) && start primary "$primary"
sql "$primary" "CREATE TABLE orders (note text)"
"${run[@]}" "$bin/pg_basebackup" --port="$primary" --pgdata=standby --write-recovery-conf --checkpoint=fast --no-sync
standby=$(free_port) && start standby "$standby"

cat >"$dir/writes.js" <<'JS'
const [attribute, ...ports] = process.argv.slice(2);
const sql = require('postgres')({
  host: ports.map(() => '127.0.0.1'), port: ports.map(Number), user: 'app', database: 'postgres', max: 1, connect_timeout: 5,
  target_session_attrs: attribute });
(async () => {
  const seen = {};
  for (let n = 0; n < 5; n++) {
    let told;
    try {
      const [row] = await sql`INSERT INTO orders VALUES ('postgres.js') RETURNING current_setting('cluster_name') AS server`;
      told = `written to the ${row.server}`;
    } catch (error) { told = `error ${error.code}`; }
    seen[told] = (seen[told] ?? 0) + 1;
  }
  console.log(Object.entries(seen).map(([told, times]) => `${times} times ${told}`).join(', '));
  process.exit();
})();
JS
{
  for order in "standby first:$standby,$primary" "primary first:$primary,$standby"; do
    ports=${order#*:}
    for attribute in read-write primary; do
      echo "${order%:*}, $attribute, psql: written to the $("${run[@]}" "$bin/psql" -XqAt -c \
        "INSERT INTO orders VALUES ('psql') RETURNING current_setting('cluster_name')" \
        "host=127.0.0.1,127.0.0.1 port=$ports target_session_attrs=$attribute")"
      echo "${order%:*}, $attribute, postgres.js: $(node "$dir/writes.js" "$attribute" "${ports%,*}" "${ports#*,}")"
    done
  done
} >"$dir/seen"
echo "postgres.js 3.4.9, PostgreSQL 15.20. Expected: all is written to the primary. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
standby first, read-write, psql: written to the primary
standby first, read-write, postgres.js: 5 times error 25006
standby first, primary, psql: written to the primary
standby first, primary, postgres.js: 5 times written to the primary
primary first, read-write, psql: written to the primary
primary first, read-write, postgres.js: 5 times written to the primary
primary first, primary, psql: written to the primary
primary first, primary, postgres.js: 5 times written to the primary
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: a standby is good enough for 'read-write'."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
