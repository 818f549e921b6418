"""Which lines a patch changed, and where a line stood before it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class Block:
    """`removed` lines from `old` on were replaced by `added` lines from `new` on."""

    old: int
    removed: int
    new: int
    added: int

    def distance(self, line: int) -> int:
        """Return how far `line`, counted after the patch, is from what changed: 0 for the changed lines, 1 for those beside."""
        last = self.new + self.added - 1
        if line < self.new:
            return self.new - line
        return max(0, line - last)


def changed_lines(patch: str) -> tuple[Block, ...]:
    """Return what the hunks of a unified diff replaced, without the lines that only surround it."""
    return tuple(_blocks(patch))


def distance(blocks: Sequence[Block], line: int) -> int | None:
    """Return how far `line` is from the nearest change; None where nothing changed."""
    return min((block.distance(line) for block in blocks), default=None)


def line_before(blocks: Sequence[Block], line: int) -> int | None:
    """Return where `line` stood before the patch; None where the patch wrote it."""
    if any(block.added and block.distance(line) == 0 for block in blocks):
        return None
    return line - sum(block.added - block.removed for block in blocks if block.new + block.added <= line)


def _blocks(patch: str) -> Iterator[Block]:
    old = new = removed = added = 0
    for line in [*patch.split("\n"), "@@"]:
        if line.startswith("-"):
            removed += 1
        elif line.startswith("+"):
            added += 1
        elif not line.startswith("\\"):  # "\ No newline at end of file" belongs to the line before
            if removed or added:
                yield Block(old, removed, new, added)
            old, new, removed, added = old + removed + 1, new + added + 1, 0, 0
            if hunk := _HUNK.match(line):
                old, new = _start(hunk[1], hunk[2]), _start(hunk[3], hunk[4])


def _start(line: str, count: str | None) -> int:
    """Return a hunk's first line; one without lines names the line before it."""
    return int(line) + (count == "0")
