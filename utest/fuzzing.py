"""What fuzzing tests share: how many examples they try, and texts that others got wrong."""

import os
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

fuzzed = settings(
    max_examples=int(os.environ.get("DDN_FUZZ_EXAMPLES", "30")),
    deadline=timedelta(seconds=20),  # what takes longer on a small input would hang a run on a large one
    suppress_health_check=list(HealthCheck),
    phases=[phase for phase in Phase if phase is not Phase.explain],  # which takes minutes with results as large as these
    derandomize="DDN_FUZZ_EXAMPLES" not in os.environ,  # CI sees the same each time
)

WORDS = st.sampled_from(
    [
        *("Error", "Exception:", "password=", "Traceback (most recent call last):", "://", "token", "1e999", "…", "[Errno 111]"),
        *("\n", "\r\n", "\t", "\0", "\x1b[31m", "\ud800", "\u202e", "<script>", "]]>", "&amp;", "'", '"', "\\", "${x}", "%41", "@"),
        *(
            "-----BEGIN RSA PRIVATE KEY-----",
            "Authorization: Bearer ",
            '  File "a.py", line 3, in f',
            "---",
            "## ",
            "```",
            "- ",
            ":",
        ),
        *("a" * 300, "=" * 80),
    ]
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=40)), max_size=12).map("".join)
