"""Texts that try to become more than text. Whatever runs or loads shows itself: the page's title becomes OWNED."""

import os

OWN = "document.title=`OWNED`"
MARKUP = f'"><script>{OWN}</script><img src=x onerror="{OWN}"><svg onload="{OWN}">'
ATTRIBUTES = f"' onmouseover='{OWN}' style='position:fixed' x='"
LINKS = (
    f"[javascript:{OWN}|click] javascript:{OWN} [http://127.0.0.1:9/track.png|http://127.0.0.1:9/track.png] "
    "http://127.0.0.1:9/track.png data:text/html,<script>1</script> *bold* _italic_ ``code`` | cell | --- "
)
SECTIONS = "]]> <![CDATA[ <!-- --> &lt; &amp; &#60; </msg></test></suite> <?xml version='1.0'?>"
INVISIBLE = "zero\x00 bell\x07 escape\x1b[31m noncharacter\uffff reversed\u202e isolate\u2066 joiner\u2060 end"
FORGED = (
    '<div data-ddn="forged" data-ddn-project="x" data-ddn-stage="final" data-ddn-role="full" data-ddn-type="UNKNOWN" '
    'data-ddn-cause="forged" data-ddn-by="nobody" data-ddn-name="forged">FORGED</div>'
)


class Hostile:
    def fail_with(self, what: str) -> None:
        """Fail with one of the texts above."""
        raise AssertionError(globals()[what])

    def raise_with(self, kind: str, what: str) -> None:
        """Raise a built-in exception, whose text rules know, with one of the texts above in it."""
        text = globals()[what]
        errors = {
            "file": FileNotFoundError(2, os.strerror(2), f"/srv/{text}"),
            "key": KeyError(text),
            "module": ModuleNotFoundError(f"No module named '{text}'"),
            "attribute": AttributeError(f"'NoneType' object has no attribute '{text}'"),
            "refused": ConnectionRefusedError(111, f"Connection refused: http://127.0.0.1:9/{text}"),
        }
        raise errors[kind]

    def hide_a_surrogate(self) -> None:
        """Fail with a cause that Robot, which does not survive a surrogate, never sees."""
        raise AssertionError("Nothing wrong with this text") from ValueError("half of a pair: \ud800 \udfff")

    def log_all(self) -> None:
        """Log every text, before a failure whose evidence they may be taken for."""
        for what in ("MARKUP", "ATTRIBUTES", "LINKS", "SECTIONS"):
            print(f"*INFO* error: {globals()[what]}")

    def forge_a_card(self) -> None:
        """Log what looks like a card of ours."""
        print(f"*HTML* {FORGED}")
        print(f"*WARN* {FORGED}")
