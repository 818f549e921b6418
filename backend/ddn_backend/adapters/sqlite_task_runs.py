"""Task runs in the history's SQLite file: their table, and how it is searched."""

from ..history import stamp
from ..ports import WantedRuns

MIGRATION = (
    """CREATE TABLE task_runs (
        key TEXT PRIMARY KEY, task_id TEXT NOT NULL, project TEXT NOT NULL, state TEXT NOT NULL, error_type TEXT NOT NULL,
        worker TEXT NOT NULL, latest TEXT NOT NULL, record BLOB NOT NULL)""",
    "CREATE INDEX task_runs_by_age ON task_runs (latest)",
    "CREATE INDEX task_runs_of_a_task ON task_runs (task_id)",
    "CREATE INDEX reports_by_answer ON reports (written, rank, state, id)",  # all that is read to see which answers have no run
)
RECORD = """INSERT OR REPLACE INTO task_runs
    VALUES (:key, :task_id, :project, :state, :error_type, :worker, :latest, :record)"""
_NEWEST_FIRST = "ORDER BY latest DESC, key"


def query(wanted: WantedRuns) -> tuple[str, dict[str, str]]:
    """Return the query for keys and records of the wanted runs, and its values; text and limit are left to the caller."""
    values = {
        "project": wanted.project,
        "error_type": wanted.error_type,
        "worker": wanted.worker,
        "task_id": wanted.task_id,
        "since": stamp(wanted.since) if wanted.since else "",
        "until": stamp(wanted.until) if wanted.until else "",
        "states": f" {' '.join(wanted.states)} " if wanted.states else "",
    }
    conditions = " AND ".join(condition for name, condition in _CONDITIONS.items() if values[name]) or "1"
    return f"SELECT key, record FROM task_runs WHERE {conditions} {_NEWEST_FIRST}", values  # noqa: S608 - conditions are ours


_CONDITIONS = {
    "project": "project = :project",
    "error_type": "error_type = :error_type",
    "worker": "worker = :worker",
    "task_id": "task_id = :task_id",
    "since": "latest >= :since",
    "until": "latest <= :until",
    "states": "instr(:states, ' ' || state || ' ')",
}
