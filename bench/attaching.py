"""What attaching costs: CPU against rebot on the same file, and memory: `python bench/attaching.py [--file output.xml]`.

Output files of about 20 and 200 MB, as Robot writes them: 1,500 (15,000) tests of 10 keywords with four messages each, every tenth
test failed. Each failed test gets a card of 3 kB, tags and metadata. The large one is the small one's suites ten times, as Robot
itself would take minutes to write it.
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
SUITE_TESTS = 500
_TOP_SUITES = re.compile(rb'(?s)(<suite id="s1" .*?>\n)(<suite id="s1-s1".*)(?=\n<status [^>]*>\n</suite>\n<statistics>)')
_FAILED = re.compile(r'<test id="(s1[-st\d]*)" name="Test \d*9"')  # as suites are written here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--runs-of-large", type=int, default=5, help="rebot takes half a minute each time")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="ddn-bench-") as folder:
        place = Path(folder)
        if options.file:
            measure(place, "yours", options.file, failed_tests(options.file), options.runs)
            return
        small = written(place, 1_500)
        measure(place, "20 MB", small, written_to_fail(small), options.runs)
        large = repeated(small, place / "large.xml", 10)
        measure(place, "200 MB", large, written_to_fail(large), options.runs_of_large)


def measure(place: Path, name: str, file: Path, failed: list[str], runs: int) -> None:
    ratios, taken, memory = [], [], []
    for _ in range(runs):
        seconds, peak = attached(place, file, failed)
        rebot = cost(python("-m", "robot.rebot", "--nostatusrc", "--outputdir", str(place / "rebot"), str(file)), cwd=place)
        ratios.append(seconds / rebot.user)
        taken.append(seconds)
        memory.append(peak)
    size = file.stat().st_size / 1e6
    print(
        f"attach, {size:.0f} MB, {len(failed)} failed tests: {median(ratios):.3f} of rebot's CPU ({median(taken):.2f} s), "
        f"{median(memory):+.1f} MB, medians of {runs}; wanted .15 and 32 MB"
    )
    figures = {"ratio": round(median(ratios), 4), "seconds": round(median(taken), 3), "memory_mb": round(median(memory), 1)}
    told(f"attach {name}", {**figures, "megabytes": round(size), "runs": runs})


def attached(place: Path, file: Path, failed: list[str]) -> tuple[float, float]:
    """Attach to a copy of `file` in a new process; return seconds of CPU (without its start) and extra peak memory in MB."""
    ids, copy = place / "ids.json", place / "copy.xml"
    ids.write_text(json.dumps(failed))
    shutil.copyfile(file, copy)
    command = python("-c", ATTACH, str(copy), str(ids))
    seconds, peak = json.loads(subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout)
    return seconds, peak


def written(place: Path, tests: int) -> Path:
    """Run Robot on suites without log and report; return the output file."""
    folder = place / f"suites{tests}"
    folder.mkdir()
    for start in range(0, tests, SUITE_TESTS):
        body = "".join(TEST.format(number=number) for number in range(start, start + SUITE_TESTS))
        failing = re.sub(r"(Test \d*9\n)", r"\1    [Teardown]    Fail    The basket is empty.\n", body)
        (folder / f"s{start:06}.robot").write_text(SUITE + failing + KEYWORDS)
    output = place / f"{tests}.xml"
    arguments = ["--nostatusrc", "--console", "none", "--log", "NONE", "--report", "NONE", "--output", str(output), str(folder)]
    subprocess.run(python("-m", "robot", *arguments), env=environment(), check=True, stdout=subprocess.DEVNULL)
    return output


def repeated(file: Path, to: Path, times: int) -> Path:
    """Write `file` with its suites `times` times, each time with ids of their own; its statistics stay, as rebot counts anew."""
    content = file.read_bytes()
    found = _TOP_SUITES.search(content)
    assert found
    suites = found[2].count(b'\n<suite id="s1-') + 1
    with to.open("wb") as target:
        target.write(content[: found.start(2)])
        for number in range(times):
            again = re.sub(rb'id="s1-s(\d+)', lambda one, n=number: b'id="s1-s%d' % (int(one[1]) + n * suites), found[2])
            target.write(again + (b"\n" if number + 1 < times else b""))
        target.write(content[found.end(2) :])
    return to


def written_to_fail(file: Path) -> list[str]:
    """Return the ids of the tests that `written` made fail; reading a large file's model would take longer than all else."""
    return _FAILED.findall(file.read_text(encoding="utf-8"))


def failed_tests(file: Path) -> list[str]:
    from robot.api import ExecutionResult

    return [test.id for test in ExecutionResult(str(file)).suite.all_tests if test.failed]


if __name__ == "__main__":
    main()
