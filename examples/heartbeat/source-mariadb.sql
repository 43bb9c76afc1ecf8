-- MariaDB. Run once on the source, as a user with the rights CREATE, EVENT, SELECT, INSERT and UPDATE, which the event has too. RDS: event_scheduler=ON in the parameter group.
CREATE DATABASE IF NOT EXISTS holdfast;

-- One row a source: its time in seconds since 1970, to the millisecond, and so of no time zone; and where it stood just before. A replica keeps the
-- row of its old source after its promotion, since its own has another number.
CREATE TABLE IF NOT EXISTS holdfast.heartbeat (
  id INT UNSIGNED NOT NULL PRIMARY KEY,
  beat DECIMAL(14, 3) NOT NULL,
  gtids MEDIUMTEXT NULL,
  log_file VARCHAR(255) NULL,
  log_position BIGINT UNSIGNED NULL
);

-- A replica that was made from a copy has this event too, enabled: there it does nothing until the replica is promoted. A replica that got it
-- by replication has it disabled: enable it after a promotion (ALTER EVENT holdfast.beat ENABLE; `holdfast after` reminds you).
CREATE EVENT IF NOT EXISTS holdfast.beat
  ON SCHEDULE EVERY 1 SECOND
  COMMENT 'Holdfast: how old is what the replica has'
  DO INSERT INTO holdfast.heartbeat (id, beat, gtids, log_file, log_position)
     SELECT @@global.server_id, UNIX_TIMESTAMP(NOW(3)), NULLIF(@@global.gtid_binlog_pos, ''),
       (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'BINLOG_SNAPSHOT_FILE'),
       (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'BINLOG_SNAPSHOT_POSITION')
     FROM DUAL WHERE NOT (@@global.read_only OR @@global.innodb_read_only)
     ON DUPLICATE KEY UPDATE beat = VALUES(beat), gtids = VALUES(gtids), log_file = VALUES(log_file), log_position = VALUES(log_position);
