"""Stand-in for DatabaseLibrary (psycopg2, PyMySQL, oracledb, sqlite3)."""

from scripted import Scripted, error

_ENDINGS = {
    ("Connect To Database", "orders"): error(
        "OperationalError",
        'connection to server at "db.internal" (10.20.0.9), port 5432 failed: Connection refused\n\tIs the server running on that '
        "host and accepting TCP/IP connections?",
    ),
    ("Connect To Database", "billing"): error(
        "OperationalError",
        'connection to server at "db.internal", port 5432 failed: FATAL:  password authentication failed for user "tester"',
    ),
    ("Connect To Database", "stock"): error("OperationalError", "(1049, \"Unknown database 'stock_tets'\")"),
    ("Query", "SELECT id FROM order"): error("ProgrammingError", 'syntax error at or near "order"\nLINE 1: SELECT id FROM order'),
    ("Query", "SELECT 1 FROM orders FOR UPDATE"): error("OperationalError", "database is locked"),
    ("Execute Sql String", "INSERT INTO customers VALUES (1)"): error(
        "IntegrityError", 'duplicate key value violates unique constraint "customers_pkey"\nDETAIL:  Key (id)=(1) already exists.'
    ),
}


class DatabaseLibrary(Scripted):
    def __init__(self):
        super().__init__(_ENDINGS)
