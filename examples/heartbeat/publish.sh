#!/bin/sh
# Beside the replica, each minute (cron, an ECS schedule): publishes how old the newest heartbeat is that the replica has.
# It needs SELECT on holdfast.heartbeat, cloudwatch:PutMetricData, and a clock that is right within a second.
#   DATABASE=app-dr MYSQL_HOST=app-dr.cluster-ro-… MYSQL_USER=heartbeat MYSQL_PWD=… sh publish.sh
set -eu
: "${DATABASE:?the identifier of the replica at RDS, as in the template}"
client=$(command -v mysql || command -v mariadb)
# By the clock of this machine: a replica's own may be wrong as its source's may. What cannot be read is not published, and missing is not zero:
# nor is a beat from the future, since one sample of 0 would hide a replica that stands still. A replica that takes writes beats for itself, which says nothing.
beat=$("$client" --host="${MYSQL_HOST:?}" --user="${MYSQL_USER:?}" --connect-timeout=10 --batch --skip-column-names \
  --execute='SELECT MAX(beat) FROM holdfast.heartbeat WHERE id <> @@global.server_id')
[ "$beat" != NULL ] || { echo 'holdfast.heartbeat has no row of a source yet: nothing was published' >&2; exit 1; }
age=$(awk -v now="$(date +%s)" -v beat="$beat" 'BEGIN {
  age = now - beat
  if (age < -1) { print "the newest heartbeat is " (-age) " s in the future: a clock is wrong, and nothing was published" >"/dev/stderr"; exit 1 }
  print age < 0 ? 0 : age
}')
aws cloudwatch put-metric-data --namespace Heartbeat --metric-name Age --unit Seconds --dimensions "Database=$DATABASE" --value "$age"
