import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from robot_ddn_listener.waiting import ProgressLine, StopOnSignal

PROGRESS = """
from robot_ddn_listener.waiting import ProgressLine
with ProgressLine() as progress:
    progress(2, 5, 12.4)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_and_not_the_process(number):
    before = signal.getsignal(number)
    with StopOnSignal() as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(30)
    assert signal.getsignal(number) is before


def test_in_another_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def wait():
        with StopOnSignal():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join()
    assert seen == [before]


def test_progress_is_shown_on_a_terminal_and_removed():
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRESS], stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    lines = shown.split("\r")
    assert "2 of 5 answered, at most 12 s more" in lines[1]
    assert max(map(len, lines)) <= 78
    assert lines[-2].strip() == lines[-1] == ""


def test_nothing_is_shown_where_there_is_no_terminal():
    done = subprocess.run([sys.executable, "-c", PROGRESS], capture_output=True, check=True)
    assert done.stderr == b""


def test_a_closed_stream_is_no_problem():
    with ProgressLine() as progress:
        progress._stream = open(os.devnull)  # noqa: SIM115 - it is closed at once
        progress._stream.close()
        progress(0, 1, 1.0)
