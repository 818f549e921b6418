"""Errors of the backend, one sentence each on who must act.

    DdnError (robot_ddn_listener.errors)
    ├── SettingsError        the operator: a variable has a value that cannot be used; the worker does not start
    └── BackendError         anything that ends one analysis on purpose
        ├── TransientError   nobody at once: a service that is configured did not answer; Celery tries again
        └── PermanentError   the sender: this report cannot be analysed, now or later; it is answered "not analysed"

Celery stores a failed task's exception by its type and arguments, so each takes its message and nothing else.
"""

from robot_ddn_listener.errors import DdnError, SettingsError

__all__ = ["BackendError", "DdnError", "PermanentError", "SettingsError", "TransientError"]


class BackendError(DdnError):
    """One analysis ended without its answer."""


class TransientError(BackendError):
    """A configured service failed; trying again may help."""


class PermanentError(BackendError):
    """Trying again cannot help."""
