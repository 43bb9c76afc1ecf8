#!/bin/sh
# Beside a source without GTIDs, in place of the event: each second the time, and where the source stands in its binary log. For ever.
# Its user needs REPLICATION CLIENT, and SELECT, INSERT and UPDATE on holdfast.heartbeat (source.sql makes the table; disable the event that it makes too).
#   MYSQL_HOST=app.cluster-… MYSQL_USER=heartbeat MYSQL_PWD=… sh beat.sh
set -eu
client=$(command -v mysql || command -v mariadb)
ask() {
  "$client" --host="${MYSQL_HOST:?}" --user="${MYSQL_USER:?}" --connect-timeout=10 --batch --skip-column-names --execute="$1"
}
while sleep 1; do
  # MySQL 8.4 knows the second name alone. What is not known is not written.
  # shellcheck disable=SC2046 # a file and a number: neither has spaces
  set -- $(ask 'SHOW MASTER STATUS' 2>/dev/null || ask 'SHOW BINARY LOG STATUS') || continue
  [ $# -ge 2 ] || continue
  ask "INSERT INTO holdfast.heartbeat (id, beat, log_file, log_position)
       SELECT @@global.server_id, UNIX_TIMESTAMP(NOW(3)), '$1', $2 FROM DUAL WHERE NOT (@@global.read_only OR @@global.innodb_read_only)
       ON DUPLICATE KEY UPDATE beat = VALUES(beat), log_file = VALUES(log_file), log_position = VALUES(log_position)" || continue
done
