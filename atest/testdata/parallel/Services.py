"""What the suites of one run share: a service that is down for all of them."""

import urllib.request


class Services:
    def ask(self, path: str) -> str:
        """Return the service's answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:9/{path}", timeout=2) as answer:
            return answer.read().decode()
