"""The listener, with the milliseconds and the memory that telling of the run took, on stderr."""

import json
import sys
import time
import tracemalloc
from pathlib import Path

from robot_ddn_listener.listener import DdnListener


class RecordedListener(DdnListener):
    def __init__(self, *arguments: str):
        self._traces = "trace" in arguments
        super().__init__(*(argument for argument in arguments if argument != "trace"))

    def output_file(self, path: "Path | str | None") -> None:
        if self._traces:
            tracemalloc.start()
        start = time.perf_counter()
        super().output_file(path)
        spent = (time.perf_counter() - start) * 1000
        peak = tracemalloc.get_traced_memory()[1] / 1e6 if self._traces else 0.0
        print(json.dumps({"ms": spent, "mb": peak}), file=sys.__stderr__)
