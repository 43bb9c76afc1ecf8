#!/usr/bin/env bash
# Promoting a delayed or a paused PostgreSQL standby first applies the very DELETE that it was holding back.
#
# Expected: a standby with recovery_min_apply_delay is kept for the day on which somebody deletes the wrong rows, and one whose replay
#   was paused stands still. Promoted before the hour is over, it becomes a server with the state that it shows. The
#   documentation says that after a promotion the standby ends recovery "without further waiting", and of a pause only that it
#   ends and the promotion goes on; neither passage says that anything is applied first.
# Seen (2026-11-30, Debian 12's PostgreSQL 15.20): one standby one hour late, one paused by pg_wal_replay_pause(). The rows
#   of a table are deleted on the primary, the primary is stopped, both standbys still have 3 rows. pg_promote() says t on both,
#   and then both have applied all that they had received: no rows are left on either, and there is no way back.
# Why it hurts: the copy that was kept for that accident is lost by the command that was to bring it into service.
#
# Needs: Debian 12 on amd64 with bash, apt-get (after apt-get update). As root the servers run as nobody, as PostgreSQL wants.
#   Nothing is installed: the packages are unpacked into a temporary folder. Takes about 30 s.
# Exits 0 as long as the behaviour is as described, 1 if it has changed.
set -euo pipefail
dir=$(mktemp -d)
clean() {
  jobs -p | xargs --no-run-if-empty kill -QUIT 2>/dev/null || true
  wait || true
  rm -rf "$dir"
}
trap clean EXIT
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
sql 1 "CREATE TABLE orders AS SELECT generate_series(1, 3) AS id"
for name in delayed paused; do
  "${run[@]}" "$bin/pg_basebackup" --port=1 --pgdata=$name --write-recovery-conf --checkpoint=fast --no-sync
done
start delayed 2 -c recovery_min_apply_delay=1h
start paused 3
rows() { sql "$1" 'SELECT count(*) FROM orders'; }
sql 3 "SELECT pg_wal_replay_pause()"
for _ in $(seq 150); do [ "$(sql 3 'SELECT pg_get_wal_replay_pause_state()')" = paused ] && break; sleep 0.2; done

sql 1 "DELETE FROM orders"
end=$(sql 1 "SELECT pg_current_wal_flush_lsn()")
for port in 2 3; do
  for _ in $(seq 150); do [ "$(sql $port "SELECT pg_last_wal_receive_lsn() >= '$end'")" = t ] && break; sleep 0.2; done
done
kill -QUIT "$primary"
wait "$primary" || true
sleep 2
{
  for standby in delayed:2 paused:3; do
    port=${standby#*:}
    echo "${standby%:*}: rows before $(rows "$port"), pg_promote $(sql "$port" 'SELECT pg_promote()')," \
      "rows after $(rows "$port"), still a standby $(sql "$port" 'SELECT pg_is_in_recovery()')"
  done
} >"$dir/seen"
echo "PostgreSQL 15.20. Expected: 3 rows before and after. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
delayed: rows before 3, pg_promote t, rows after 0, still a standby f
paused: rows before 3, pg_promote t, rows after 0, still a standby f
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: a promotion applies everything that was held back."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
