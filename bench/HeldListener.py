"""Our listener, with the seconds that each failed test held its thread written to HELD_FILE: those of end_test and of keywords."""

import json
import os
import time

from robot_ddn_listener.listener import DdnListener


class HeldListener(DdnListener):
    def __init__(self):
        super().__init__()
        self._held = []
        self._keywords = 0.0

    def start_test(self, data, result):
        super().start_test(data, result)
        self._keywords = 0.0

    def end_library_keyword(self, data, implementation, result):
        self._timed(super().end_library_keyword, data, implementation, result)

    def end_user_keyword(self, data, implementation, result):
        self._timed(super().end_user_keyword, data, implementation, result)

    def end_invalid_keyword(self, data, implementation, result):
        self._timed(super().end_invalid_keyword, data, implementation, result)

    def end_test(self, data, result):
        start = time.perf_counter()
        super().end_test(data, result)
        if result.status == "FAIL":
            self._held.append(time.perf_counter() - start + self._keywords)

    def close(self):
        super().close()
        with open(os.environ["HELD_FILE"], "w") as file:
            json.dump(self._held, file)

    def _timed(self, event, data, implementation, result):
        start = time.perf_counter()
        event(data, implementation, result)
        if result.status == "FAIL":
            self._keywords += time.perf_counter() - start
