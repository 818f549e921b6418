"""The composition root: builds everything from adapters. The only importer of adapters; connects to nothing by itself.

    services    each service and store by its settings
    model       the model and what belongs to it
    pipelines   made of both
    checks      for `ddn doctor`

What needs an extra is imported where it is built: `offline_pipeline` works on the install without any.
"""

from .checks import checks
from .model import check_model
from .pipelines import (
    backend_pipeline,
    desk,
    evaluated_pipeline,
    local_pipeline,
    offline_pipeline,
    prepare,
    prompt_preview,
    reranked_library,
)
from .services import (
    alerting,
    alerts,
    code_hosts,
    confirmed_failures,
    dead_analyses,
    history,
    project_library,
    shipped_knowledge,
    used_up_today,
)

__all__ = [
    "alerting",
    "alerts",
    "backend_pipeline",
    "check_model",
    "checks",
    "code_hosts",
    "confirmed_failures",
    "dead_analyses",
    "desk",
    "evaluated_pipeline",
    "history",
    "local_pipeline",
    "offline_pipeline",
    "prepare",
    "project_library",
    "prompt_preview",
    "reranked_library",
    "shipped_knowledge",
    "used_up_today",
]
