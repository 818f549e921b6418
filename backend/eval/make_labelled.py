"""Run the labelled suites and write what happened as labelled failures: labelled.jsonl, and an output.xml for each suite.

Each test says its label in a tag (``type:INFRA_ERROR``; a second defensible one ``or:CONFIG_ERROR``; ``inferable:no`` where
the text cannot tell), its root cause in its documentation, and there after ``Evidence:`` what a right answer must point to.

    python backend/eval/make_labelled.py

Folders of the machine it runs on are written as /srv/shop and /usr/lib/python3.
"""

import json
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from robot.api import ExecutionResult

HERE = Path(__file__).resolve().parent
SUITES = HERE / "suites"
XML = HERE / "xml"
LABELLED = HERE / "labelled.jsonl"


def main() -> None:
    XML.mkdir(exist_ok=True)
    records = [record for suite in sorted(SUITES.glob("*.robot")) for record in _run(suite)]
    LABELLED.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    print(f"{len(records)} labelled failures: {LABELLED}")


def _run(suite: Path) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "output.xml")
        options = ["--output", str(output), "--log", "NONE", "--report", "NONE", "--console", "none", "--nostatusrc"]
        paths = ["--pythonpath", str(SUITES / "libraries")]
        done = subprocess.run(
            [sys.executable, "-m", "robot", *options, *paths, str(suite)], capture_output=True, text=True, check=False
        )
        if not output.exists():
            raise SystemExit(f"Running '{suite}' failed: {done.stderr}")
        text = _without_this_machine(output.read_text(encoding="utf-8"), Path(folder))
    target = XML / f"{suite.stem}.xml"
    target.write_text(text, encoding="utf-8")
    for test in ExecutionResult(str(target)).suite.all_tests:
        yield _record(test, target)


def _without_this_machine(text: str, folder: Path) -> str:
    places = {str(SUITES): "/srv/shop/suites", str(folder): "/srv/shop/results"}
    places |= dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")), "/usr/lib/python3")
    places |= {sys.prefix: "/usr", sys.base_prefix: "/usr"}
    for path, stands_for in sorted(places.items(), key=lambda item: -len(item[0])):
        text = text.replace(path, stands_for)
    # What Robot adds of the search path is this machine's own, and tells nothing.
    return re.sub(r"\nPYTHONPATH:\n(?:  \S.*\n?)+?(?=</msg>)", "\nPYTHONPATH:\n  /srv/shop/suites/libraries", text)


def _record(test: Any, output: Path) -> dict[str, Any]:
    if not test.failed:
        raise SystemExit(f"Test '{test.full_name}' should fail.")
    tags = dict(tag.split(":", 1) for tag in test.tags)
    cause, _, evidence = test.doc.partition("Evidence:")
    return {
        "id": f"{output.stem}-{test.id}",
        "suite_name": test.parent.full_name,
        "test_name": test.name,
        "error_message": test.message,
        "output_xml": output.relative_to(HERE).as_posix(),
        "error_type": tags["type"],
        "alt_error_type": tags.get("or"),
        "inferable": tags.get("inferable", "yes"),
        "root_cause": cause.strip(),
        "evidence": evidence.strip(),
    }


if __name__ == "__main__":
    main()
