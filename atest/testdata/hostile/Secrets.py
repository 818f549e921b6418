"""Secrets of many kinds, made when a test runs so that none stands in a file; each has a part that nothing else contains."""

import base64
import json
import random


def _letters(seed: int, length: int, alphabet: str = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789") -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


def _token(seed: int, length: int) -> str:
    return _letters(seed, length, "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789")


def _web_token() -> str:
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": "4711", "name": "alice"})]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, _token(8, 43)])


SECRETS = {
    "password": "Tr0ub4dor-" + _token(1, 10),
    "aws": "AKIA" + _letters(2, 16),
    "github": "ghp" + "_" + _token(3, 36),
    "gitlab": "glpat" + "-" + _token(4, 20),
    "slack": "xoxb" + "-" + "123456789012-1234567890123-" + _token(5, 24),
    "stripe": "sk" + "_live_" + _token(6, 24),
    "google": "AIza" + _token(7, 35),
    "jwt": _web_token(),
    "bearer": _token(9, 40),
    "basic": base64.b64encode(f"alice:{_token(10, 16)}".encode()).decode(),
    "cookie": _token(11, 32),
    "url": _token(12, 14),
    "key": base64.b64encode(_token(13, 48).encode()).decode(),
    "environment": _token(14, 22),
    "custom": "CUST-" + _letters(15, 9, "0123456789"),
}


class Secrets:
    def secret(self, kind: str) -> str:
        """Return a secret, e.g. for a variable."""
        return SECRETS[kind]

    def secret_parts(self) -> list[str]:
        """Return what must be found nowhere."""
        return list(SECRETS.values())

    def sign_in(self, name: str, password: str) -> None:
        """Fail with the password in the message, as some drivers do."""
        print(f"connecting as {name} with {password}")
        raise ConnectionRefusedError(111, f"Cannot connect as {name}:{password}")

    def call_service(self) -> None:
        """Fail as an HTTP client does that shows its request."""
        headers = f"Authorization: Bearer {SECRETS['bearer']}\nCookie: session={SECRETS['cookie']}; theme=dark"
        print(f"GET https://alice:{SECRETS['url']}@shop.example/orders\n{headers}")
        print(f"> Authorization: Basic {SECRETS['basic']}")
        raise RuntimeError(f"401 Unauthorized for https://alice:{SECRETS['url']}@shop.example/orders\n{headers}")

    def show_keys(self) -> None:
        """Fail with tokens of well-known form in the text."""
        names = ("aws", "github", "gitlab", "slack", "stripe", "google", "jwt")
        text = "\n".join(f"got {SECRETS[name]} back" for name in names)
        print(text)
        raise ValueError(f"Unexpected token in:\n{text}")

    def show_private_key(self) -> None:
        """Fail with a private key in the text."""
        dashes = "-" * 5
        key = f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{SECRETS['key']}\n{dashes}END RSA PRIVATE KEY{dashes}"
        print(key)
        raise ValueError(f"Could not read key:\n{key}")

    def show(self, kind: str) -> None:
        """Fail with a secret that only its variable, or the user's own pattern, tells."""
        print(f"The answer was {SECRETS[kind]}.")
        raise ValueError(f"Did not expect {SECRETS[kind]} here")
