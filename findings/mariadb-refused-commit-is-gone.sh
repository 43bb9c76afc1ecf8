#!/usr/bin/env bash
# A COMMIT that MariaDB refuses because of read_only throws the transaction away; the COMMIT tried again says OK, and nothing is there.
#
# Expected: error 1290 says that the server "cannot execute this statement" while it is read-only. The statement is COMMIT: it was
#   not executed, so the transaction is still open, and one can commit it once the server takes writes again, or roll it back. So
#   it is with an INSERT in a transaction that is refused in the same words: what was written before it is kept.
# Seen (2026-11-30, Debian 12's MariaDB 10.11.19, PyMySQL 1.2.4, an InnoDB table): read_only is set for a moment while two
#   transactions of one row each are open.
#     - In the first one more INSERT is refused with 1290; after the switch back commit() keeps the row written before.
#     - In the second commit() is refused with 1290; after the switch back commit() returns without an error, and the row is
#       lost: the refusal has rolled it back, and the second commit() was of nothing. @@in_transaction is 0 after the refusal.
# Why it hurts: a switchover that is called off, or a fence that is set and lifted, refuses exactly commits. A program that tries
#   again what was refused, the usual answer to 1290, is told that its rows are safe.
#
# Needs: Debian 12 on amd64 with bash, python3 3.11 with venv, PyPI, apt-get (after apt-get update), an account that may start a
#   server. MariaDB is unpacked into a temporary folder, not installed. Takes about 30 s.
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
"$dir/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check PyMySQL==1.2.4 || exit 2
release=1:10.11.19-0+deb12u1
(cd "$dir" && apt-get -qq download "mariadb-server-core=$release" "mariadb-client-core=$release" \
  libaio1=0.3.113-4 liburing2=2.3-3 libnuma1=2.0.16-1 libedit2=3.1-20221030-2 libncurses6=6.4-4 2>apt.log) || exit 2
for deb in "$dir"/*.deb; do dpkg -x "$deb" "$dir/unpacked"; done
libraries=$dir/unpacked/usr/lib/x86_64-linux-gnu
LD_LIBRARY_PATH=$libraries "$dir/unpacked/usr/bin/mariadb-install-db" --no-defaults --user="$(id -un)" --basedir="$dir/unpacked/usr" \
  --tmpdir="$dir" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1

sql() {
  LD_LIBRARY_PATH=$libraries "$dir/unpacked/usr/bin/mariadb" --no-defaults -uroot -S "$dir/socket" -N -e "$1" 2>>"$dir/sql.log"
}
LD_LIBRARY_PATH=$libraries "$dir/unpacked/usr/sbin/mariadbd" --no-defaults --user="$(id -un)" --basedir="$dir/unpacked/usr" \
  --datadir="$dir/data" --socket="$dir/socket" --tmpdir="$dir" --skip-networking --innodb-buffer-pool-size=16M \
  >"$dir/server.log" 2>&1 &
for _ in $(seq 150); do sql 'SELECT 1' >/dev/null && break; sleep 0.2; done
sql "CREATE DATABASE shop; CREATE TABLE shop.orders (note VARCHAR(20)) ENGINE=InnoDB;
  CREATE USER app@localhost; GRANT ALL ON shop.* TO app@localhost"

"$dir/venv/bin/python" - "$dir/socket" >"$dir/seen" <<'PYTHON' || exit 2
import sys

import pymysql


def connect(user):
    return pymysql.connect(unix_socket=sys.argv[1], user=user, database="shop")


def run(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def tried(action):
    try:
        action()
        return "well"
    except pymysql.err.OperationalError as error:
        return f"error {error.args[0]}"


root = connect("root")
for what in ("INSERT", "COMMIT"):
    app = connect("app")
    run(app, f"INSERT orders VALUES ('before {what}')")
    run(root, "SET GLOBAL read_only = 1")
    if what == "INSERT":
        refused = tried(lambda: run(app, "INSERT orders VALUES ('refused')"))
    else:
        refused = tried(app.commit)
    run(root, "SET GLOBAL read_only = 0")
    open_still = run(app, "SELECT @@in_transaction")[0]
    again = tried(app.commit)
    kept = run(connect("root"), f"SELECT COUNT(*) FROM orders WHERE note = 'before {what}'")[0]
    print(f"{what} while read-only: {refused}; then in a transaction: {open_still}; commit(): {again}; rows kept: {kept} of 1")
PYTHON
echo "MariaDB 10.11.19, PyMySQL 1.2.4. Expected: the row is kept, or the second commit() says that it is not. Seen:"
cat "$dir/seen"
cat >"$dir/known" <<'TEXT'
INSERT while read-only: error 1290; then in a transaction: 1; commit(): well; rows kept: 1 of 1
COMMIT while read-only: error 1290; then in a transaction: 0; commit(): well; rows kept: 0 of 1
TEXT
if cmp --silent "$dir/known" "$dir/seen"; then
  echo "As found: the refused COMMIT has rolled back, and the next one says OK."
else
  echo "CHANGED: no longer as found on 2026-11-30."
  exit 1
fi
