"""Our listener, with the seconds of output_file() written to END_FILE."""

import json
import os
import time

from robot_ddn_listener.listener import DdnListener


class EndListener(DdnListener):
    def output_file(self, path):
        start = time.perf_counter()
        super().output_file(path)
        with open(os.environ["END_FILE"], "w") as file:
            json.dump(time.perf_counter() - start, file)
