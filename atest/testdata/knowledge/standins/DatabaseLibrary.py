"""Stand-in for DatabaseLibrary, with the messages of psycopg2, pymysql, oracledb and sqlite3."""

from scripted import Scripted, error

KEYWORDS = ("Connect To Database", "Disconnect From Database")
ENDINGS = {
    ("Connect To Database", "postgres-down"): error(
        "OperationalError",
        'connection to server at "db" (172.18.0.3), port 5433 failed: Connection refused\n'
        "\tIs the server running on that host and accepting TCP/IP connections?\n",
    ),
    ("Connect To Database", "mysql-down"): error(
        "OperationalError", "(2003, \"Can't connect to MySQL server on 'mariadb' ([Errno 111] Connection refused)\")"
    ),
    ("Connect To Database", "postgres-password"): error(
        "OperationalError",
        'connection to server at "db" (172.18.0.3), port 5432 failed: FATAL:  password authentication failed for user "shop"\n',
    ),
    ("Connect To Database", "mysql-password"): error(
        "OperationalError", "(1045, \"Access denied for user 'shop'@'172.18.0.9' (using password: NO)\")"
    ),
    ("Connect To Database", "oracle-password"): error(
        "DatabaseError", "ORA-01017: invalid credential or not authorized; logon denied"
    ),
    ("Query", "SELECT * FROM invoice"): error(
        "UndefinedTable", 'relation "invoice" does not exist\nLINE 1: SELECT * FROM invoice\n                      ^\n'
    ),
    ("Query", "SELECT nick FROM person"): error("OperationalError", "(1054, \"Unknown column 'nick' in 'SELECT'\")"),
    ("Execute Sql String", "INSERT INTO person"): error(
        "UniqueViolation",
        'duplicate key value violates unique constraint "person_mail_key"\nDETAIL:  Key (mail)=(ann@example.com) already exists.\n',
    ),
    ("Execute Sql String", "INSERT INTO orders"): error("IntegrityError", "FOREIGN KEY constraint failed"),
    ("Execute Sql String", "UPDATE stock"): error(
        "OperationalError", "(1213, 'Deadlock found when trying to get lock; try restarting transaction')"
    ),
    ("Execute Sql String", "UPDATE cache"): error("OperationalError", "database table is locked: cache"),
    ("Connect To Database", "postgres-full"): error(
        "OperationalError",
        'connection to server at "db" (172.18.0.3), port 5432 failed: FATAL:  sorry, too many clients already\n',
    ),
    ("Check Row Count", "SELECT id FROM orders"): AssertionError(
        "Expected 4 rows, but 3 were returned from: 'SELECT id FROM orders'"
    ),
    ("Row Count Is 0", "SELECT id FROM sessions"): AssertionError(
        "Expected 0 rows, but 9 were returned from: 'SELECT id FROM sessions'"
    ),
    ("Query", "SELECT 1"): ValueError("No database connection is open."),
}


class DatabaseLibrary(Scripted):
    def __init__(self):
        super().__init__(ENDINGS, KEYWORDS)
