#!/usr/bin/env bash
# With its synchronous standby away PostgreSQL ignores statement_timeout, and tells a cancelled write as done.
#
# Expected: with synchronous_standby_names a write that is told as done is on the standby. If the standby is away, a
#   statement_timeout ends the write with an error ("Abort any statement that takes more than the specified amount of time",
#   says the documentation), and so does a cancel request; so it is with any other statement that waits.
# Seen (2026-11-30, Debian 12's PostgreSQL 15.20, psycopg 3.3.9): synchronous standby stopped, statement_timeout 1 s, the
#   program cancels after 4 s. SELECT pg_sleep(60) ends after 1 s with QueryCanceled. The INSERT waits on after 1 s; the cancel
#   ends it, and psycopg returns from execute() as from any success, status INSERT 0 1, no exception. All there is is a
#   WARNING ("canceling wait for synchronous replication"), which psycopg gives to a notice handler if one was added. The
#   standby, promoted after that, does not have the row. (PostgreSQL's developers have discussed it on their mailing lists; the
#   documentation of statement_timeout makes no exception.)
# Why it hurts: a program with a deadline turns "not replicated" into "done", in just the outage for which one pays for
#   synchronous replication; and one that relies on statement_timeout hangs.
#
# Needs: Debian 12 on amd64 with bash, python3 3.11 with venv, PyPI, apt-get (after apt-get update). As root the servers run as
#   nobody, as PostgreSQL wants. Debian's packages are unpacked into a temporary folder, not installed. Takes about 40 s.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
clean() {
  jobs -p | xargs --no-run-if-empty kill -QUIT 2>/dev/null || true
  wait || true
  rm -rf "$dir"
}
trap clean EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check psycopg==3.3.9 psycopg-binary==3.3.9 || exit 2
release=15.20-0+deb12u1
(cd "$dir" && apt-get -qq download "postgresql-15=$release" "postgresql-client-15=$release" "libpq5=$release" libicu72 libxml2 \
  libldap-2.5-0 libsasl2-2 libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libkeyutils1 libreadline8 2>apt.log) || exit 2
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/unpacked"; done
bin=$dir/unpacked/usr/lib/postgresql/15/bin
mkdir "$dir/work"
chmod 755 "$dir"
run=(env "LD_LIBRARY_PATH=$dir/unpacked/usr/lib/x86_64-linux-gnu" PGUSER=app PGDATABASE=postgres "PGHOST=$dir/work")
if ((EUID == 0)); then
  chown nobody "$dir/work"
  run=(setpriv --reuid=nobody --regid=nogroup --clear-groups "${run[@]}")
fi
cd "$dir/work"

sql() { "${run[@]}" "$bin/psql" -XqAt -p "$1" -c "$2" 2>>"$dir/sql.log"; }
start() { # name, port, options
  "${run[@]}" "$bin/postgres" -D "$1" -p "$2" -c listen_addresses= -c "unix_socket_directories=$dir/work" -c fsync=off \
    "${@:3}" >"$dir/$1.log" 2>&1 &
  for _ in $(seq 150); do sql "$2" 'SELECT 1' >/dev/null && return; sleep 0.2; done
  cat "$dir/$1.log"
  exit 2
}
"${run[@]}" "$bin/initdb" --pgdata=primary --auth=trust --username=app --no-sync >"$dir/install.log" 2>&1
start primary 1
primary=$!
sql 1 "CREATE TABLE orders (note text)"
"${run[@]}" "$bin/pg_basebackup" --port=1 --pgdata=standby --write-recovery-conf --checkpoint=fast --no-sync
start standby 2 -c cluster_name=far
standby=$!
sql 1 "ALTER SYSTEM SET synchronous_standby_names = 'far'" && sql 1 "SELECT pg_reload_conf()" >/dev/null
for _ in $(seq 150); do [ "$(sql 1 'SELECT sync_state FROM pg_stat_replication')" = sync ] && break; sleep 0.2; done
sql 1 "INSERT INTO orders VALUES ('with the standby')"
kill -QUIT "$standby"
wait "$standby" || true

cat >"$dir/program.py" <<'PYTHON'
import sys
import threading
import time

import psycopg

connection = psycopg.connect(host=sys.argv[1], port=1, user="app", dbname="postgres", autocommit=True)
connection.execute("SET statement_timeout = '1s'")
notices = []
connection.add_notice_handler(lambda notice: notices.append(f"{notice.severity}: {notice.message_primary}"))
for statement in ("SELECT pg_sleep(60)", "INSERT INTO orders VALUES ('without it')"):
    deadline = threading.Timer(4, connection.cancel)
    deadline.start()
    start = time.monotonic()
    try:
        told = "done, " + connection.execute(statement).statusmessage
    except psycopg.Error as error:
        told = type(error).__name__
    by = "its timeout" if time.monotonic() - start < 3 else "the cancel"
    deadline.cancel()
    deadline.join()
    print(f"{statement}: ended by {by}, told as: {told}", *notices, sep="; ")
PYTHON
{
  "$dir/venv/bin/python" "$dir/program.py" "$dir/work" || exit 2
  kill -QUIT "$primary"
  wait "$primary" || true
  start standby 2
  echo "the standby is promoted: $(sql 2 'SELECT pg_promote()'), and has: $(sql 2 'SELECT note FROM orders' | paste -sd,)"
} >"$dir/seen"
echo "PostgreSQL 15.20, psycopg 3.3.9. Expected: each ended by its timeout and told as QueryCanceled. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
SELECT pg_sleep(60): ended by its timeout, told as: QueryCanceled
INSERT INTO orders VALUES ('without it'): ended by the cancel, told as: done, INSERT 0 1; WARNING: canceling wait for synchronous replication due to user request
the standby is promoted: t, and has: with the standby
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: a cancelled write is told as done, and is not on the standby."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
