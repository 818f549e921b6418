"""Errors of pydantic-ai and of the SDKs below it, as ours: who must act, in the provider's own words and without its request."""

from typing import Any

from ..errors import BackendError, DdnError, PermanentError, SettingsError, TransientError
from .budgets import LaterError

CAUSE_CHARACTERS = 200
STANDS = "The answer found without it stands."


def mapped(error: Exception, model: str, seconds: float) -> Exception:
    """Return the error of ours for `error`, which came up while `model` was asked; `seconds` is what one call may take.

    Errors that nobody foresaw are returned as they are: they are defects, and their stack tells where.
    """
    from pydantic_ai import exceptions as theirs

    what = f"Asking model '{model}' failed: "
    if isinstance(error, (DdnError, BackendError)):
        return error
    if isinstance(error, theirs.ContentFilterError):
        return PermanentError(f"{what}it refused to answer ({clipped(error.message)}). {STANDS}")
    if isinstance(error, theirs.ModelRequestRejectedError):
        return _rejected(error, what)
    if isinstance(error, theirs.ModelAPIError):
        return _unavailable(error, what, seconds)
    if isinstance(error, theirs.UnexpectedModelBehavior):
        return TransientError(f"{what}its answer cannot be read ({clipped(error.message)}). It is tried again.")
    if isinstance(error, theirs.UserError):
        return SettingsError(f"{what}{clipped(error.message)}. {STANDS}")
    return _of_the_sdk(error, what)


def clipped(text: str) -> str:
    """Return `text` on one line, short, without the full stop at its end."""
    flat = " ".join(text.split()).rstrip(".")
    return flat if len(flat) <= CAUSE_CHARACTERS else f"{flat[: CAUSE_CHARACTERS - 1]}…"


def _rejected(error: Any, what: str) -> Exception:
    from pydantic_ai import exceptions as theirs

    cause = _cause(error)
    if isinstance(error, theirs.ModelNotFoundError):
        return SettingsError(f"{what}it is not served under this id ({cause}). Set DDN_MODEL to one that is. {STANDS}")
    if isinstance(error, theirs.ModelAuthenticationError) or "api key" in cause.lower():  # Gemini answers 400 to a wrong key
        return SettingsError(f"{what}the key is not accepted, or not for this ({cause}). {STANDS}")
    return PermanentError(f"{what}the request was rejected ({cause}). {STANDS}")


def _unavailable(error: Any, what: str, seconds: float) -> Exception:
    from pydantic_ai import exceptions as theirs

    delay = float(error.retry_after or 0.0)
    again = f"It is tried again in {delay:g} s." if delay else "It is tried again."
    if isinstance(error, (theirs.ModelTimeoutError, theirs.ModelRequestTimeout)):
        return TransientError(f"{what}no answer within {seconds:g} s. {again}")
    return LaterError(f"{what}{_cause(error)}. {again}", delay)


def _of_the_sdk(error: Exception, what: str) -> Exception:
    status = getattr(error, "code", None)
    cause = clipped(str(getattr(error, "message", "") or error)) or type(error).__name__
    if status in (400, 401, 403, 404):
        return SettingsError(f"{what}{status}: {cause}. Check DDN_MODEL and its key.")
    if isinstance(error, (OSError, ValueError)) or status or type(error).__module__.startswith(("httpx", "httpcore")):
        return TransientError(f"{what}{cause}. It is tried again.")
    return error


def _cause(error: Any) -> str:
    """Return the provider's own words, which are in the error's body, or what pydantic-ai says."""
    body = error.body
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else None
    if message:
        return f"{getattr(error, 'status_code', '?')}: {clipped(str(message))}"
    return clipped(error.message.split(", body:")[0])
