"""Task runs in the history's MongoDB: their indexes, and how they are searched."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..history import stamp
from ..ports import WantedRuns

if TYPE_CHECKING:
    from pymongo.database import Database


def create_indexes(db: "Database[dict[str, Any]]") -> None:
    """Make the indexes; the last one is for which answers have no run."""
    db.ddn_task_runs.create_index([("latest", -1)])
    db.ddn_task_runs.create_index([("task_id", 1)])
    db.ddn_reports.create_index([("written", 1)])


def found(db: "Database[dict[str, Any]]", wanted: WantedRuns) -> Iterator[dict[str, Any]]:
    """Yield key and record of the wanted runs, the latest first; text and limit are left to the caller."""
    latest = {"$gte": wanted.since and stamp(wanted.since), "$lte": wanted.until and stamp(wanted.until)}
    conditions: dict[str, Any] = {
        "project": wanted.project,
        "state": wanted.states and {"$in": [state.value for state in wanted.states]},
        "error_type": wanted.error_type,
        "worker": wanted.worker,
        "latest": {operator: bound for operator, bound in latest.items() if bound},
        "task_id": wanted.task_id,
    }
    given = {name: value for name, value in conditions.items() if value}
    for document in db.ddn_task_runs.find(given, {"record": 1}).sort([("latest", -1), ("_id", 1)]):
        yield {"key": document["_id"], "record": document["record"]}
