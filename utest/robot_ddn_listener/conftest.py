"""Real robot runs inside the test process, with the listener's real events and the failures they catch."""

from io import StringIO
from pathlib import Path

import pytest
import robot

from robot_ddn_listener.capture import Failed, capture
from robot_ddn_listener.contract import Run
from robot_ddn_listener.gather import Gatherer
from robot_ddn_listener.listener import DdnListener


class Catching(DdnListener):
    """The listener up to where failures are handed over; what it hands over is kept."""

    def __init__(self):
        super().__init__()
        self.caught = []

    def _watching(self):
        if self._watch is None:
            self._watch = Gatherer(self.caught.append, self._messages)
        return self._watch

    def output_file(self, path):
        self.output = path

    def close(self):
        pass


class CaughtRun:
    def __init__(self, folder, listener, return_code):
        self.folder = folder
        self.output = folder / "output.xml"
        self.return_code = return_code
        self.untouched = [item for item in listener.caught if not isinstance(item, Failed)]
        self.failed = [item for item in listener.caught if isinstance(item, Failed)]
        self.reports = [capture(failed, "project", Run("run"), folder) for failed in self.failed]

    def report(self, test_name):
        return next(report for report in self.reports if report.test_name == test_name)


@pytest.fixture
def catch(tmp_path):
    """Return a function that runs suite texts, by file name, and returns the CaughtRun."""

    def run(files, *, sources=None, **options):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        listener = Catching()
        paths = [str(tmp_path / name) for name in (sources or [name for name in files if name.endswith(".robot")])]
        options = {"output": str(tmp_path / "output.xml"), "log": None, "report": None, **options}
        code = robot.run(*paths, listener=listener, stdout=StringIO(), stderr=StringIO(), pythonpath=str(tmp_path), **options)
        return CaughtRun(Path(tmp_path), listener, code)

    return run


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory, monkeypatch):
    """No run of a test leaves its record among those of the user who runs the tests."""
    monkeypatch.setenv("DDN_HOME", str(tmp_path_factory.mktemp("home")))
