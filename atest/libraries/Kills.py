"""The kill test of bench/kill.py, small enough to be run each time."""

import shutil
import sys
from pathlib import Path

from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from kill import Ordeal, Outcome


@library
class Kills:
    @keyword
    def kill_workers_and_redis(self, reports: int, workers: int, kills: int, restarts: int) -> Outcome:
        """Let workers analyse reports, with a model, while they and Redis are killed; return what became of the reports."""
        place = Path(BuiltIn().get_variable_value("${OUTPUT DIR}"), "kill")
        shutil.rmtree(place, ignore_errors=True)  # what an earlier run learned would be used again
        return Ordeal(place, workers, threads=2, seconds=0.5).run(reports, kills, restarts, lifetime=1.0)
