"""Our listener, with the seconds of each end_test of a failed test written to HELD_FILE."""

import json
import os
import time

from robot_ddn_listener.listener import DdnListener


class HeldListener(DdnListener):
    def __init__(self):
        super().__init__()
        self._held = []

    def end_library_keyword(self, data, implementation, result):
        start = time.perf_counter()
        super().end_library_keyword(data, implementation, result)
        self._keyword = time.perf_counter() - start if result.status == "FAIL" else 0.0

    def end_test(self, data, result):
        start = time.perf_counter()
        super().end_test(data, result)
        if result.status == "FAIL":
            self._held.append(time.perf_counter() - start + getattr(self, "_keyword", 0.0))

    def close(self):
        super().close()
        with open(os.environ["HELD_FILE"], "w") as file:
            json.dump(self._held, file)
