"""The prompts: one Markdown file each, with its version in the front matter. Raise it with every change of meaning."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from robot_ddn_listener.errors import DdnError


class PromptError(DdnError):
    """The author of a prompt must act: the file is not there, or its front matter is not as it must be."""


@dataclass(frozen=True, slots=True)
class Prompt:
    name: str
    version: str
    text: str


@cache
def load(name: str) -> Prompt:
    """Return the prompt in the file `name`.md."""
    try:
        source = (files(__package__) / f"{name}.md").read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(f"Loading prompt '{name}' failed: {error}.") from error
    return parse(name, source)


def parse(name: str, source: str) -> Prompt:
    """Return the prompt in `source`: ``---``, ``version: N``, ``---``, the text."""
    opening, _, rest = source.partition("\n")
    head, closing, text = rest.partition("\n---\n")
    key, _, version = head.partition(":")
    if opening != "---" or not closing or key != "version" or not version.strip().isdigit() or not text.strip():
        raise PromptError(f"Reading prompt '{name}' failed: Expected '---', 'version: <number>', '---' and a text below them.")
    return Prompt(name, version.strip(), text.strip())
