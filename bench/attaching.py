"""What attaching costs: CPU against rebot on the same file, and memory: `python bench/attaching.py [--file output.xml]`.

Output files of about 20 and 200 MB, as Robot writes them: 2,000 (20,000) tests of 10 keywords with four messages each, every tenth
test failed. Each failed test gets a card of 3 kB, tags and metadata.
"""

import argparse
import json
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from timing import cost, environment, median, python, told

ATTACH = """
import json, sys, time
from pathlib import Path
from robot_ddn_listener.annotation import Annotations, Place
from robot_ddn_listener.attach import attach_to_file
file, ids = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
card = '<div data-ddn="{0}" data-ddn-stage="final" data-ddn-role="full">' + "why it failed " * 210 + "</div>"
cards = {Place(i): card.format(n) for n, i in enumerate(ids)}
wanted = Annotations(cards, dict.fromkeys(ids, "ddn:infra_error"), dict.fromkeys(ids, "why"), "all")
def peak():  # of this process: ru_maxrss begins with what its parent had
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
before, start = peak(), time.process_time()
if ids:
    attach_to_file(file, wanted)
print(json.dumps([time.process_time() - start, (peak() - before) / 1024]))
"""
SUITE = "*** Test Cases ***\n"
TEST = "Test {number}\n" + "    Several    {number}\n" * 10
KEYWORDS = """*** Keywords ***
Several
    [Arguments]    ${number}
    Log Many    the first message of ${number}, as long as they are    the second message of ${number}, as long as they are
    ...    the third message of ${number}, as long as they tend to be    the fourth message of ${number}
    Run Keyword If    ${number} % 10 == 9    Set Test Message    failing
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        files = {"yours": options.file} if options.file else {"20 MB": written(place, 2_000), "200 MB": written(place, 20_000)}
        for name, file in files.items():
            measure(place, name, file, options.runs if file.stat().st_size < 50e6 else min(options.runs, 3))


def measure(place: Path, name: str, file: Path, runs: int) -> None:
    ids = place / "ids.json"
    ids.write_text(json.dumps(failed_tests(file)))
    copy, ratios, seconds, memory = place / "copy.xml", [], [], []
    for _ in range(runs):
        shutil.copyfile(file, copy)
        command = python("-c", ATTACH, str(copy), str(ids))
        taken, peak = json.loads(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)
        rebot = cost(python("-m", "robot.rebot", "--nostatusrc", "--outputdir", str(place / "rebot"), str(file)), cwd=place)
        ratios.append(taken / rebot.user)
        seconds.append(taken)
        memory.append(peak)
    size = file.stat().st_size / 1e6
    print(
        f"attach, {size:.0f} MB, {len(json.loads(ids.read_text()))} failed tests: {median(ratios):.3f} of rebot's CPU "
        f"({median(seconds):.2f} s), {median(memory):+.1f} MB; wanted .15 and 32 MB"
    )
    told(
        f"attach {name}",
        {"ratio": round(median(ratios), 4), "seconds": round(median(seconds), 3), "memory_mb": round(median(memory), 1)},
    )


def written(place: Path, tests: int) -> Path:
    """Run Robot on suites without log and report; return the output file."""
    folder = place / f"suites{tests}"
    folder.mkdir()
    for start in range(0, tests, 500):
        body = "".join(TEST.format(number=number) for number in range(start, start + 500))
        failing = re.sub(r"(Test \d*9\n)", r"\1    [Teardown]    Fail    The basket is empty.\n", body)
        (folder / f"s{start:06}.robot").write_text(SUITE + failing + KEYWORDS)
    output = place / f"{tests}.xml"
    arguments = ["--nostatusrc", "--console", "none", "--log", "NONE", "--report", "NONE", "--output", str(output), str(folder)]
    subprocess.run(python("-m", "robot", *arguments), env=environment(), check=True, stdout=subprocess.DEVNULL)
    return output


def failed_tests(file: Path) -> list[str]:
    from robot.api import ExecutionResult

    return [test.id for test in ExecutionResult(str(file)).suite.all_tests if test.failed]


if __name__ == "__main__":
    main()
