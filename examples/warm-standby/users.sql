-- Run once on the source, as admin, after ../heartbeat/source.sql: by `aws ssm start-session` on an instance of the primary region.
-- Both secrets, admin's and app's, are in Secrets Manager. Users are replicated to DR with everything else.
CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'the password in the secret shop/database-app';
GRANT SELECT, INSERT, UPDATE, DELETE ON app.* TO 'app'@'%';
-- For the heartbeat that DR's instances publish.
GRANT SELECT ON holdfast.heartbeat TO 'app'@'%';

-- A week. Aurora deletes binary logs as soon as it can unless told how long to keep them; `holdfast failback compare` reads the old
-- primary's, once its region is back, for what only it has.
CALL mysql.rds_set_configuration('binlog retention hours', 168);
