"""Services other than HTTP: SSH, databases, mail, and the rights of the account that uses them."""

from .engine import CONFIG, DEPENDENCY, FATAL, GUESS, INFRA, PRECISE, TEST, Rule, anywhere, said

RULES = (
    Rule(
        "ssh-login-refused",
        CONFIG,
        PRECISE + 3,
        0.84,
        (
            said(
                r"Authentication failed for user '?(?P<user>[\w.@\-]{1,60})|Login with (?:public key|agent|password) failed"
                r"|AuthenticationException|Permission denied \((?:publickey|password)[^\n]{0,60}"
                r"|Keyfile '[^'\n]{1,160}' (?:not found|does not exist)|not a valid (?:RSA|DSS|EC|OPENSSH"
                r"|Ed25519)?[ \w]{0,30}private key|Private key file is encrypted|No authentication methods available",
                "authentication|login with|permission denied (|keyfile|private key",
            ),
        ),
        cause="The SSH login was refused: user, password or key does not fit this host.",
        advice="Check user name, password and key file for this host, and the rights of the key file.",
    ),
    Rule(
        "ssh-host-key",
        CONFIG,
        PRECISE + 3,
        0.85,
        (
            anywhere(
                r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|BadHostKeyException"
                r"|Server '[^'\n]{1,100}' not found in known_hosts",
                "host key|identification has changed|badhostkey|known_hosts",
            ),
        ),
        cause="The host's SSH key is unknown here or has changed.",
        advice="Check that it is the right machine (a new installation changes the key), then renew the entry in known_hosts.",
    ),
    Rule(
        "ssh-versions-differ",
        DEPENDENCY,
        PRECISE + 3,
        0.78,
        (
            said(
                r"Incompatible (?:ssh|version)[^\n]{0,80}|no (?:acceptable|matching) (?:host key|kex|key exchange|cipher"
                r"|ciphers|mac)|Unknown key type|q must be exactly 160|no acceptable kex algorithm",
                "incompatible |no acceptable|no matching|unknown key type|q must be",
            ),
        ),
        cause="SSH client and server have no common key or cipher algorithm: one of them is too old or too new.",
        advice="Use a paramiko (or ssh) version that knows the server's algorithms, or enable them on one side.",
    ),
    Rule(
        "ssh-server-not-answering",
        INFRA,
        PRECISE + 3,
        0.8,
        (
            said(
                r"Error reading SSH protocol banner|SSH session not active|Server connection dropped|Unable to open channel"
                r"|ChannelException|No existing session|SSHException: (?:Timeout|Channel closed)|SSH connection timed out",
                "protocol banner|ssh session not active|connection dropped|open channel|channelexception|no existing session"
                "|sshexception|ssh connection",
            ),
        ),
        cause="The SSH server did not answer properly or dropped the session.",
        advice="Check the load and the sshd log of the host (reboots, MaxSessions, MaxStartups).",
    ),
    Rule(
        "prompt-not-seen",
        TEST,
        PRECISE,
        0.58,
        (said(r"No match found for '(?P<expected>[^'\n]{0,120})' in (?P<time>[^\n.]{1,40})\.", "no match found for"),),
        cause="The expected text '{expected}' did not come from the terminal within {time}.",
        advice="Compare the output in the message with the expected text (prompt, escape characters), or wait longer.",
        support=(said(r"Output:?[^\n]{0,160}", "output"),),
    ),
    Rule(
        "database-login-refused",
        CONFIG,
        PRECISE + 3,
        0.87,
        (
            said(
                r"Access denied for user [^\n]{1,80}|password authentication failed for user[^\n]{0,60}"
                r"|Login failed for user '[^\n]{0,60}|ORA-01017|ORA-28000|no pg_hba\.conf entry"
                r"|role \"[^\"\n]{1,60}\" does not exist|NOAUTH Authentication required|WRONGPASS"
                r"|Authentication failed\.?, code 18|not authorized on \w{1,40}|SASL authentication failed",
                "access denied for user|password authentication|login failed for user|ora-|pg_hba|role |noauth|wrongpass"
                "|code 18|not authorized on|sasl",
            ),
        ),
        cause="The database refused the login.",
        advice="Check user, password and the rights of this user for this environment.",
    ),
    Rule(
        "database-unknown",
        CONFIG,
        PRECISE + 2,
        0.8,
        (
            said(
                r"Unknown database '?[^\n]{1,60}|database \"[^\"\n]{1,60}\" does not exist|Cannot open database|ORA-1215[4]"
                r"|ORA-1250[5]|ORA-12514|unable to open database file|TNS:could not resolve",
                'unknown database|database "|open database|ora-12|tns:',
            ),
        ),
        cause="The database the test connects to does not exist under this name or path.",
        advice="Correct the database name (or service name, or path), or create the database before the tests.",
    ),
    Rule(
        "database-driver-missing",
        DEPENDENCY,
        PRECISE + 3,
        0.87,
        (
            said(
                r"Data source name not found and no default driver|Can't open lib '[^'\n]{1,120}'|DPI-1047"
                r"|Cannot locate a[n]? [^\n]{0,20}Oracle Client|No suitable driver"
                r"|Authentication plugin '[^'\n]{1,60}' (?:is not supported|cannot be loaded)|cryptography' package is required"
                r"|libpq[^\n]{0,40}not found",
                "data source name|can't open lib|dpi-1047|oracle client|no suitable driver|authentication plugin"
                "|package is required|libpq",
            ),
        ),
        cause="The database driver (or a part of it) is missing on this machine or too old for the server.",
        advice="Install the driver version that fits the server and name it exactly in the connection.",
    ),
    Rule(
        "database-unreachable",
        INFRA,
        FATAL - 3,
        0.82,
        (
            anywhere(
                r"could not connect to server|Can't connect to (?:MySQL|MariaDB|local MySQL) server|ORA-1254[1735]|ORA-12170"
                r"|ORA-03113|Lost connection to MySQL|Communications link failure|server closed the connection unexpectedly"
                r"|ServerSelectionTimeoutError|the database system is (?:starting up|shutting down)"
                r"|Adaptive Server is unavailable|Login timeout expired",
                "could not connect to server|can't connect to|ora-|lost connection|communications link|server closed the"
                "|serverselection|database system is|adaptive server|login timeout",
            ),
        ),
        cause="The database server could not be reached, or ended the connection.",
        advice="Check that the server is up and accepts connections at this host and port; wait for it to be ready before the "
        "tests.",
    ),
    Rule(
        "database-locked",
        INFRA,
        PRECISE + 1,
        0.68,
        (
            said(
                r"database (?:table )?is locked|[Dd]eadlock (?:found|detected)|Lock wait timeout exceeded|ORA-00060|ORA-00054"
                r"|was deadlocked",
                "is locked|deadlock|lock wait|ora-000",
            ),
        ),
        cause="The database was locked by another connection.",
        advice="End transactions that stay open (also in parallel tests), or try the statement again.",
    ),
    Rule(
        "data-exists-already",
        TEST,
        PRECISE,
        0.74,
        (
            said(
                r"UNIQUE constraint failed|Duplicate entry|duplicate key value|ORA-00001|already exists|E11000 duplicate"
                r"|ConflictException",
                "unique constraint|duplicate |ora-00001|already exists|conflictexception",
            ),
        ),
        cause="What the test wants to create exists already, usually left over from an earlier run.",
        advice="Remove it in setup or teardown, or use fresh unique values for each run.",
    ),
    Rule(
        "rows-other-than-expected",
        TEST,
        GUESS,
        0.48,
        (
            said(
                r"Expected to have (?:have )?(?:no rows|at least one row)[^\n]{1,200} but got"
                r"|Expected zero rows to be returned[^\n]{1,300} got rows"
                r"|Expected (?:less |more )?(?:than )?\d{1,9} rows?, but \d{1,9} were returned"
                r"|Expected (?:same|less|more)[^\n]{0,30} number of rows[^\n]{1,200}|Wrong row count",
                "expected to have|expected zero rows| rows|row count",
            ),
        ),
        cause="The database holds other rows than the test expects, often because data of other runs is in the way or was cleared.",
        advice="Run the query by hand and compare with what the step before should have written; set up the rows in this test, "
        "or narrow the query to its own. If the product wrote them wrongly, it is a defect.",
    ),
    Rule(
        "sql-not-valid",
        TEST,
        PRECISE,
        0.72,
        (
            said(
                r"syntax error at or near|You have an error in your SQL syntax|near \"[^\"\n]{1,60}\": syntax error"
                r"|ORA-009(?:0[0-9]|11|33|36)|no such (?:table|column): [^\n]{1,60}|relation \"[^\"\n]{1,80}\" does not exist"
                r"|column \"[^\"\n]{1,80}\" does not exist|Unknown column|Table '[^'\n]{1,80}' doesn't exist|ORA-00942"
                r"|Invalid (?:object|column) name|Incorrect syntax near",
                "syntax|ora-009|no such |relation |column|doesn't exist|invalid object",
            ),
        ),
        cause="The SQL of the test does not fit the database: wrong syntax, or a table or column that is not there.",
        advice="Run the statement by hand against this database and compare with its schema (migrations may be missing).",
    ),
    Rule(
        "transaction-failed-before",
        TEST,
        PRECISE,
        0.62,
        (
            said(
                r"current transaction is aborted|transaction has been rolled back|invalid transaction is rolled back"
                r"|Transaction \w{0,20} ?(?:was|is) (?:already )?(?:aborted|rolled back)",
                "transaction",
            ),
        ),
        cause="An earlier statement of the same transaction failed, so the database takes no further one until it is ended.",
        advice="Look for the first failed statement before this one and correct that; roll back (or reconnect) after a failure, so "
        "that one test cannot spoil the next.",
    ),
    Rule(
        "mail-not-arrived",
        INFRA,
        PRECISE - 1,
        0.55,
        (
            said(
                r"(?:No (?:e-?mail|message)s? (?:was |were )?(?:received|found|arrived)|Failed to satisfy email query)[^\n]{0,120}",
                "mail|message",
            ),
        ),
        cause="The awaited e-mail did not arrive in time.",
        advice="Look at the mail server's queue and at whether the step before really sent it; then wait longer.",
    ),
    Rule(
        "account-lacks-right",
        CONFIG,
        PRECISE + 1,
        0.78,
        (
            said(
                r"is forbidden: User|AccessDenied(?:Exception)?|not authorized to perform"
                r"|insufficient (?:privileges|permissions?|scope)|does not have permission|ORA-01031",
                "forbidden: user|accessdenied|not authorized to|insufficient |does not have permission|ora-01031",
            ),
        ),
        cause="The account of the test lacks a right that the step needs.",
        advice="Give the account that right, or use another account for this environment.",
    ),
)
