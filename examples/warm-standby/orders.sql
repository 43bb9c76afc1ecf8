-- The application's table. Run once on the source, as admin; DR has it by replication.
CREATE TABLE IF NOT EXISTS app.orders (
  nth BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  id VARCHAR(64) NOT NULL UNIQUE,
  at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) ENGINE=InnoDB;
