"""Shows planted secrets in every place that a failure has: message, log, argument, traceback, names of files, environment."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "utest"))
from planted import BY_PATTERN, BY_VARIABLE, OF_THE_WORKER, planted

PART = 8  # secrets in one text


class Leaky:
    def secret_of_a_variable(self) -> str:
        """Return what only the name of its variable tells to be secret."""
        return BY_VARIABLE

    def fail_with(self, part: int) -> None:
        """Fail with some of the secrets in the message."""
        raise AssertionError(f"The gizmo of part {part} was not amused:\n{_texts(part)}")

    def log_and_fail(self, part: int) -> None:
        """Log some of the secrets, then fail without them."""
        for line in _texts(part).split("\n"):
            print(f"*INFO* {line}")
        print(f"*WARN* {_texts(part)}")
        raise AssertionError(f"The log of part {part} was not amused")

    def fail_with_cause(self, part: int) -> None:
        """Fail with some of the secrets in the exceptions behind the one that is seen."""
        try:
            raise KeyError(_texts(part))
        except KeyError as error:
            raise RuntimeError(f"The cause of part {part} was not amused") from error

    def refuse(self, part: int, *texts: str) -> None:
        """Fail without a word of the arguments."""
        raise ValueError(f"The argument of part {part} was not amused")

    def show(self, text: str) -> None:
        """Fail with a text."""
        raise ValueError(f"It was {text} that was not amused")

    def show_environment(self) -> None:
        """Fail with what programs print when they help to find an error."""
        print("\n".join(f"{name}={value}" for name, value in os.environ.items()))
        raise ValueError(f"The environment was not amused: {dict(os.environ)}")

    def show_what_is_secret_elsewhere(self) -> None:
        """Log what a variable, the environment and the user's own pattern tell to be secret, each without a name."""
        print(f"plain {BY_VARIABLE} and {os.environ['SHOP_API_TOKEN']} and {BY_PATTERN}")
        raise ValueError(f"Plain {BY_VARIABLE} and {os.environ['SHOP_API_TOKEN']} and {BY_PATTERN} were not amused")

    def take_screenshots(self) -> None:
        """Log pictures whose names hold secrets."""
        for one in planted():
            if not set("\"'<>\n") & set(one.shown):
                print(f'*HTML* <a href="shots/{one.shown}.png"><img src="shots/{one.shown}.png"></a>')
        raise AssertionError("The picture was not amused")

    def secret_of_the_worker(self) -> str:
        return OF_THE_WORKER


def _texts(part: int) -> str:
    return "\n".join(one.shown for one in planted()[part * PART : (part + 1) * PART])
