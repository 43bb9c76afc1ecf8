-- Run once on the source, as a user with the rights CREATE, EVENT and INSERT. RDS and Aurora: event_scheduler=ON in the parameter group.
CREATE DATABASE IF NOT EXISTS holdfast;

-- One row: the source's time in seconds since 1970, to the millisecond, and so of no time zone.
CREATE TABLE IF NOT EXISTS holdfast.heartbeat (
  id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  beat DECIMAL(14, 3) NOT NULL
);

-- A replica that was made from a copy has this event too, enabled: there it does nothing until the replica is promoted. A replica that got it
-- by replication has it disabled: enable it after a promotion (ALTER EVENT holdfast.beat ENABLE).
CREATE EVENT IF NOT EXISTS holdfast.beat
  ON SCHEDULE EVERY 1 SECOND
  COMMENT 'Holdfast: how old is what the replica has'
  DO INSERT INTO holdfast.heartbeat (id, beat)
     SELECT 1, UNIX_TIMESTAMP(NOW(3)) FROM DUAL WHERE NOT (@@global.read_only OR @@global.innodb_read_only)
     ON DUPLICATE KEY UPDATE beat = VALUES(beat);
