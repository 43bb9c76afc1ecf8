//! The transactions in what `mysqlbinlog --verbose --base64-output=decode-rows` prints, with `TZ=UTC`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// One transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Its GTID, where it has one.
    pub id: Option<String>,
    /// When its statement began, by the server's clock.
    pub at: Option<Timestamp>,
    /// How many rows it changed, by what it did and the table: `("INSERT", "app.orders")`.
    pub rows: BTreeMap<(String, String), usize>,
    /// Statements that the log has as text: of a schema, or of a log by statement.
    pub statements: Vec<String>,
}

/// Reads a listing line by line: it may be larger than what fits into memory.
#[derive(Debug, Default)]
pub struct Listing {
    found: Vec<Transaction>,
    is_query: bool,
}

impl Listing {
    /// The next line of it.
    pub fn line(&mut self, line: &str) {
        if let Some((at, event)) = header(line) {
            self.is_query = event.starts_with("Query");
            if let Some(id) = begun(event) {
                self.found.push(Transaction { id, at, ..Transaction::default() });
            }
            return;
        }
        let Some(transaction) = self.found.last_mut() else { return };
        if let Some(gtid) = line.strip_prefix("SET @@SESSION.GTID_NEXT= '").and_then(|rest| rest.split('\'').next()) {
            // `AUTOMATIC` and `ANONYMOUS` are none.
            transaction.id = Some(gtid.to_owned()).filter(|gtid| gtid.contains(':')).or(transaction.id.take());
        } else if let Some(change) = line.strip_prefix("### ").and_then(row) {
            *transaction.rows.entry(change).or_default() += 1;
        } else if self.is_query && is_statement(line) {
            transaction.statements.push(line.to_owned());
            // It may go on for lines.
            self.is_query = false;
        }
    }

    /// All transactions that changed something, in the order of the log.
    #[must_use]
    pub fn transactions(mut self) -> Vec<Transaction> {
        self.found.retain(|transaction| !transaction.rows.is_empty() || !transaction.statements.is_empty());
        self.found
    }
}

/// `#260105  9:27:00 server id 1  end_log_pos 1276 CRC32 0x6d5eb0e9 ⇥GTID 0-1-11 trans`: when, and which event.
fn header(line: &str) -> Option<(Option<Timestamp>, &str)> {
    let rest = line.strip_prefix('#')?;
    let (when, what) = rest.split_once(" server id ")?;
    let (_, event) = what.split_once('\t')?;
    let time = DateTime::strptime("%y%m%d %H:%M:%S", when.split_whitespace().collect::<Vec<_>>().join(" ")).ok();
    let at = time.and_then(|time| time.to_zoned(TimeZone::UTC).ok()).map(|time| time.timestamp());
    Some((at, event))
}

/// The GTID with which an event begins a transaction: MariaDB's is in it, MySQL's in the line after.
fn begun(event: &str) -> Option<Option<String>> {
    if event.starts_with("GTID\t") || event.starts_with("Anonymous_GTID") {
        return Some(None);
    }
    let gtid = event.strip_prefix("GTID ")?.split_whitespace().next()?;
    Some(Some(gtid.to_owned()))
}

/// ``INSERT INTO `app`.`orders` ``, ``UPDATE `app`.`orders` ``, ``DELETE FROM `app`.`orders` ``.
fn row(change: &str) -> Option<(String, String)> {
    let verb = ["INSERT INTO", "UPDATE", "DELETE FROM"].into_iter().find(|verb| change.starts_with(*verb))?;
    let table = change[verb.len()..].trim().replace('`', "");
    Some((verb.split(' ').next().unwrap_or(verb).to_owned(), table))
}

/// Not what surrounds statements.
fn is_statement(line: &str) -> bool {
    let word = line.trim_end_matches("/*!*/;").trim();
    let frame = ["SET ", "BEGIN", "START TRANSACTION", "COMMIT", "ROLLBACK", "use ", "/*", "DELIMITER", "#"];
    !word.is_empty() && !frame.iter().any(|frame| word.starts_with(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transactions(listing: &str) -> Vec<Transaction> {
        let mut read = Listing::default();
        listing.lines().for_each(|line| read.line(line));
        read.transactions()
    }

    /// As MariaDB 10.11's `mariadb-binlog` prints it, shortened.
    const MARIADB: &str = "\
/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;
# at 256
#260105  9:27:00 server id 1  end_log_pos 299 CRC32 0x6d5eb0e9 \tGtid list [0-1-10]
#260105  9:27:01 server id 1  end_log_pos 342 CRC32 0x6d5eb0e9 \tGTID 0-1-11 trans
/*M!100101 SET @@session.skip_parallel_replication=0*//*!*/;
START TRANSACTION
/*!*/;
#260105  9:27:01 server id 1  end_log_pos 400 CRC32 0x6d5eb0e9 \tAnnotate_rows:
#Q> INSERT INTO app.writes (id) VALUES ('a'), ('b')
#260105  9:27:01 server id 1  end_log_pos 450 CRC32 0x6d5eb0e9 \tTable_map: `app`.`writes` mapped to number 18
#260105  9:27:01 server id 1  end_log_pos 480 CRC32 0x6d5eb0e9 \tWrite_rows: table id 18 flags: STMT_END_F
### INSERT INTO `app`.`writes`
### SET
###   @1=1
### INSERT INTO `app`.`writes`
### SET
###   @1=2
#260105  9:27:01 server id 1  end_log_pos 500 CRC32 0x6d5eb0e9 \tXid = 12
COMMIT/*!*/;
#260105  9:28:00 server id 1  end_log_pos 542 CRC32 0x6d5eb0e9 \tGTID 0-1-12 ddl
#260105  9:28:00 server id 1  end_log_pos 600 CRC32 0x6d5eb0e9 \tQuery\tthread_id=4\texec_time=0\terror_code=0
SET TIMESTAMP=1767605280/*!*/;
CREATE TABLE app.later (
  id INT)
/*!*/;
DELIMITER ;
";

    /// As MySQL's `mysqlbinlog` prints it, shortened.
    const MYSQL: &str = "\
#260105 19:27:01 server id 1  end_log_pos 235 CRC32 0x2e9b0f5c \tGTID\tlast_committed=0\tsequence_number=1
SET @@SESSION.GTID_NEXT= '3e11fa47-71ca-11e1-9e33-c80aa9429562:11'/*!*/;
#260105 19:27:01 server id 1  end_log_pos 310 CRC32 0x2e9b0f5c \tQuery\tthread_id=8\texec_time=0\terror_code=0
SET TIMESTAMP=1767641221/*!*/;
BEGIN
/*!*/;
### UPDATE `app`.`orders`
### WHERE
### SET
### DELETE FROM `app`.`orders`
SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */ /*!*/;
";

    #[test]
    fn transactions_are_counted_by_row_and_statements_are_told_as_they_are() {
        let found = transactions(MARIADB);
        let writes = ("INSERT".to_owned(), "app.writes".to_owned());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].id.as_deref(), found[0].rows.get(&writes)), (Some("0-1-11"), Some(&2)));
        assert_eq!(found[0].at, Some("2026-01-05T09:27:01Z".parse().unwrap()));
        assert!(found[0].statements.is_empty(), "{found:?}");
        assert_eq!(found[1].id.as_deref(), Some("0-1-12"));
        assert_eq!(found[1].statements, ["CREATE TABLE app.later ("]);
        assert!(transactions("").is_empty());
    }

    #[test]
    fn a_transaction_of_mysql_has_the_id_of_the_line_after_its_beginning() {
        let found = transactions(MYSQL);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at, Some("2026-01-05T19:27:01Z".parse().unwrap()));
        let rows: Vec<_> =
            found[0].rows.iter().map(|((verb, table), count)| (verb.as_str(), table.as_str(), *count)).collect();
        assert_eq!(rows, [("DELETE", "app.orders", 1), ("UPDATE", "app.orders", 1)]);
    }
}
