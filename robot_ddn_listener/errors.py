"""Errors of robot-ddn-listener, one sentence each on who must act.

    DdnError                 anything this product raises on purpose
    ├── SettingsError        the user: an argument or a variable has a value that cannot be used
    ├── ContractError        nobody at once: a message on the wire is not readable by this version
    ├── RedactionError       the user: a secret could not be taken out, so the report stays in the process
    ├── BrokerError          the operator: Redis did not take or give something
    ├── SpoolError           the user: the disk did not take a report that Redis did not take either
    ├── RuntimeStartError    the user: the embedded runtime did not start on this machine
    └── OutputError          the user: an output file cannot be read, or cannot be written

Messages read ``<Doing> <thing> '<name>' failed: <cause>`` and then say what happens next.
"""


class DdnError(Exception):
    """Base of all errors raised on purpose."""


class SettingsError(DdnError):
    """A setting has an unusable value; the message names it, the value and what was expected."""


class ContractError(DdnError):
    """A report or analysis could not be decoded; `path` says where, e.g. ``keywords[2].lineno``."""

    def __init__(self, path: str, problem: str):
        super().__init__(f"Decoding '{path}' failed: {problem}")
        self.path = path


class RedactionError(DdnError):
    """Secrets could not be taken out of a report, so it must not leave the process."""


class BrokerError(DdnError):
    """Redis could not be reached or refused."""


class SpoolError(DdnError):
    """A report could not be written to, or read from, the spool."""


class RuntimeStartError(DdnError):
    """The embedded runtime could not be found or started."""


class OutputError(DdnError):
    """An output.xml or output.json could not be read or written."""
