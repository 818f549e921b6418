"""The spool: nothing is lost, nothing is removed before it was sent, and broken files are told of."""

import json
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from robot_ddn_listener.contract import FailureReport, LogLine, Run, encode
from robot_ddn_listener.errors import BrokerError, SpoolError
from robot_ddn_listener.spool import MAX_FILE_BYTES, SPOOL, pending, read, replay, write

ROOT = Path(__file__).parents[2]


def report(name: str = "one") -> FailureReport:
    return FailureReport(
        id=name,
        project="shop",
        fingerprint="f",
        run=Run("r"),
        suite_name="Süite",
        test_name="T",
        error_message="boom",
        log=(LogLine("a line"),),
        redactions={"password": 2},
    )


class Sent(list[str]):
    """A submit that takes everything, until it meets the id in `refused`."""

    def __init__(self, refused: str = ""):
        super().__init__()
        self.refused = refused

    def __call__(self, report: FailureReport) -> None:
        if report.id == self.refused:
            raise BrokerError("Redis is away")
        self.append(report.id)


def test_a_report_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path, report())
    assert path == tmp_path / SPOOL / "one.json"
    assert read(path) == report()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = write(tmp_path / "not there yet", report())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_report_again_is_the_same_file_and_no_other_remains(tmp_path: Path) -> None:
    assert write(tmp_path, report()) == write(tmp_path, report())
    assert [path.name for path in (tmp_path / SPOOL).iterdir()] == ["one.json"]


def test_text_that_utf8_cannot_hold_is_written(tmp_path: Path) -> None:
    path = write(tmp_path, FailureReport("a", "p", "f", Run("r"), "S", "T", "lone \udcff surrogate", redactions={"\udcff": 1}))
    assert read(path).error_message == "lone ? surrogate"


@pytest.mark.parametrize("name", ["", "../one", "a/b", "a\0b", ".", "x" * 101])
def test_an_id_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpoolError, match="Expected an id of letters, digits and '-'"):
        write(tmp_path, report(name))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_nothing_is_named_with_what_happens_next(tmp_path: Path) -> None:
    (tmp_path / SPOOL).write_text("a file where the folder should be")
    with pytest.raises(SpoolError) as caught:
        write(tmp_path, report())
    assert str(caught.value) == (
        f"Spooling failure report 'one' to '{tmp_path / SPOOL}' failed: File exists. "
        "The backend will not see this failure; its card keeps the verdict of the rules."
    )


def test_a_full_disk_leaves_neither_half_a_file_nor_a_temporary_one(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no limit for the size of a file")
    write(tmp_path, report("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # the kernel ends each write after 10 bytes, as a full disk does
    try:
        with pytest.raises(SpoolError, match=r"failed: File too large\. The backend will not see this failure"):
            write(tmp_path, report("after"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (tmp_path / SPOOL).iterdir()] == ["before.json"]


# --- reading and finding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"{half", "Expecting property name"),
        (b"\xff\xff", "codec can't decode"),
        (b"[]", "Expected dict, got"),
        (b"[" * 200_000, "recursion"),
        (b'{"id": "one"}', "'FailureReport.project' failed: Expected a value, got none"),
        (json.dumps(encode(report("two"))).encode(), "Expected 'one' as in the file's name, got 'two'"),
        (b" " * (MAX_FILE_BYTES + 1), f"Expected at most {MAX_FILE_BYTES} bytes"),
    ],
)
def test_a_broken_file_is_named_and_stays(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / SPOOL / "one.json"
    path.parent.mkdir()
    path.write_bytes(content)
    sent = Sent()
    replayed = replay(tmp_path, sent)
    assert (sent, replayed.sent, replayed.failed, replayed.left) == ([], [], {}, [])
    assert list(replayed.broken) == [path]
    assert replayed.broken[path].startswith(f"Reading spooled report '{path}' failed: ")
    assert why in replayed.broken[path]
    assert replayed.broken[path].endswith(" The file stays where it is.")
    assert path.read_bytes() == content


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"failed: No such file or directory\. The file stays"):
        read(tmp_path / "one.json")


def test_reports_are_found_from_the_output_folder_its_parent_pabots_and_the_spool_itself(tmp_path: Path) -> None:
    first = write(tmp_path / "run1", report())
    second = write(tmp_path / "run2", report())
    process = write(tmp_path / "run2" / "pabot_results" / "3", report())
    assert pending(tmp_path / "run1") == pending(tmp_path / "run1" / SPOOL) == (first,)
    assert pending(tmp_path / "run2") == (second, process)
    assert pending(tmp_path) == (first, second)
    assert pending(tmp_path / "elsewhere") == ()


def test_only_files_called_json_are_reports(tmp_path: Path) -> None:
    path = write(tmp_path, report())
    (path.parent / "folder.json").mkdir()
    (path.parent / ".two.x.tmp").write_text("half a report of a crashed process")
    assert pending(tmp_path) == (path,)


# --- replay --------------------------------------------------------------------------------------------------------------


def test_what_was_sent_is_removed_with_the_empty_folder_and_a_second_replay_finds_nothing(tmp_path: Path) -> None:
    write(tmp_path, report("a"))
    write(tmp_path, report("b"))
    sent = Sent()
    replayed = replay(tmp_path, sent)
    assert (replayed.sent, sent) == (["a", "b"], ["a", "b"])
    assert (replayed.failed, replayed.broken, replayed.left) == ({}, {}, [])
    assert list(tmp_path.iterdir()) == []
    assert replay(tmp_path, sent).sent == []


def test_a_replay_ends_where_redis_is_away_and_the_next_one_goes_on(tmp_path: Path) -> None:
    paths = [write(tmp_path, report(name)) for name in "abc"]
    replayed = replay(tmp_path, Sent(refused="b"))
    assert (replayed.sent, replayed.failed, replayed.left) == (["a"], {paths[1]: "Redis is away"}, paths[1:])
    assert pending(tmp_path) == tuple(paths[1:])
    assert replay(tmp_path, Sent()).sent == ["b", "c"]


def test_broken_files_do_not_hold_up_the_others(tmp_path: Path) -> None:
    paths = [write(tmp_path, report(name)) for name in "abc"]
    paths[0].write_text("broken")
    assert replay(tmp_path, Sent()).sent == ["b", "c"]
    assert pending(tmp_path) == (paths[0],)


def test_a_report_is_removed_only_after_it_was_sent(tmp_path: Path) -> None:
    path = write(tmp_path, report())
    seen = []
    replay(tmp_path, lambda report: seen.append(path.exists()))
    assert (seen, path.exists()) == ([True], False)


def test_an_error_that_is_not_of_redis_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, report())

    def submit(report: FailureReport) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replay(tmp_path, submit)
    assert pending(tmp_path) == (path,)
    assert replay(tmp_path, Sent()).sent == ["one"]


def test_a_file_that_another_replay_has_in_hand_is_left_to_it(tmp_path: Path) -> None:
    path = write(tmp_path, report())
    inner = []

    def submit(report: FailureReport) -> None:
        inner.append(replay(tmp_path, Sent()))

    assert replay(tmp_path, submit).sent == ["one"]
    assert (inner[0].sent, inner[0].left) == ([], [path])


def test_a_file_that_another_replay_sent_meanwhile_is_not_sent_again(tmp_path: Path) -> None:
    write(tmp_path, report("a"))
    write(tmp_path, report("b"))
    sent = Sent()

    def submit(report: FailureReport) -> None:
        sent(report)
        if report.id == "a":
            replay(tmp_path, sent)

    replayed = replay(tmp_path, submit)
    assert sorted(sent) == ["a", "b"]
    assert (replayed.sent, replayed.left, replayed.broken) == (["a"], [], {})


def test_a_report_can_be_written_while_a_replay_removes_the_empty_folder(tmp_path: Path) -> None:
    names = [f"r{number:03}" for number in range(100)]
    writer = threading.Thread(target=lambda: [write(tmp_path, report(name)) for name in names])
    sent = Sent()
    writer.start()
    while writer.is_alive():
        replay(tmp_path, sent)
    writer.join()
    replay(tmp_path, sent)
    assert sorted(sent) == names


REPLAY_AND_DIE = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from robot_ddn_listener.spool import replay
replay(Path(sys.argv[1]), lambda report: os.kill(os.getpid(), 9))
"""


def test_a_replay_killed_in_the_middle_leaves_its_report_to_the_next(tmp_path: Path) -> None:
    write(tmp_path, report())
    killed = subprocess.run([sys.executable, "-c", REPLAY_AND_DIE, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert replay(tmp_path, Sent()).sent == ["one"]


REPLAY_ALL = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from robot_ddn_listener.spool import replay
sys.stdin.readline()
replayed = replay(Path(sys.argv[1]), lambda report: None)
assert not replayed.broken, replayed.broken
print(*replayed.sent)
"""


def test_four_replays_at_once_send_each_report_exactly_once(tmp_path: Path) -> None:
    names = [f"r{number:03}" for number in range(300)]
    for name in names:
        write(tmp_path, report(name))
    command = [sys.executable, "-c", REPLAY_ALL, str(tmp_path)]
    racing = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in racing:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    sent = [name for process in racing for name in process.communicate()[0].split()]
    assert [process.returncode for process in racing] == [0] * 4
    assert sorted(sent) == names
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_was_sent_but_cannot_be_removed_is_told_of_and_the_rest_is_sent(tmp_path: Path) -> None:
    path = write(tmp_path, report("a"))
    write(tmp_path, report("b"))

    def submit(report: FailureReport) -> None:
        if report.id == "a":
            path.unlink()
            path.mkdir()  # a folder cannot be removed as a file, not even by root

    replayed = replay(tmp_path, submit)
    assert (replayed.sent, replayed.left) == (["a", "b"], [])
    assert list(replayed.failed) == [path]
    assert replayed.failed[path].startswith(f"Removing spooled report '{path}' failed: ")
    assert replayed.failed[path].endswith(" It will be sent again, to no effect.")
