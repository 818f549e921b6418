"""A library that does what libraries must not do, and yet do."""

import locale
import multiprocessing
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path


class Odd:
    def leave_through_sys_exit(self) -> None:
        sys.exit(3)

    def change_the_locale(self) -> None:
        os.environ["LC_ALL"] = "C"
        locale.setlocale(locale.LC_ALL, "C")

    def lose_the_working_directory(self) -> None:
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        shutil.rmtree(folder)

    def close_stderr(self) -> None:
        sys.stderr.close()
        sys.__stderr__.close()

    def write_bytes_that_are_no_utf8(self) -> None:
        os.write(1, b"\xff\xfe\x80 no text\n")

    def say_half_a_pair(self) -> None:
        print("*INFO* half of a pair: \ud800")

    def call_itself(self, depth: int = 0) -> int:
        return self.call_itself(depth + 1) + 1

    def fail_with_nul(self) -> None:
        raise AssertionError("before\x00after \x1b[31mred\x07 \ufffe and \U0001f980")

    def fail_in_a_text_that_raises(self) -> None:
        class UnspeakableError(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no words")

        raise AssertionError("It failed.") from UnspeakableError()

    def fork_and_fail(self) -> None:
        """Both ways: a child that ends at once, and one of multiprocessing that works for a moment."""
        child = os.fork()
        if not child:
            os._exit(7)
        _, status = os.waitpid(child, 0)
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(0.05,))
        worker.start()
        worker.join()
        raise AssertionError(f"The children ended with {os.waitstatus_to_exitcode(status)} and {worker.exitcode}.")

    def leave_a_thread_behind(self) -> None:
        threading.Thread(target=time.sleep, args=(0.2,)).start()
        raise AssertionError("A thread is left behind.")

    def log_and_fail_with_megabytes(self, count: str) -> None:
        text = "x" * (int(count) * 1024 * 1024)
        print(f"*INFO* {text}")
        raise AssertionError(text)

    def protect(self, folder: str) -> None:
        """Let nobody write into `folder` any more."""
        Path(folder).chmod(0o555)

    def tell_and_wait(self, told: str, wanted: str) -> None:
        """Make the file `told`, and wait until somebody makes the file `wanted`."""
        Path(told).touch()
        deadline = time.monotonic() + 30
        while not Path(wanted).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
