"""Flower's configuration: `ddn flower` and `celery -A ddn_backend flower` take it. It is all in ops/running/flower_view.py."""

from ddn_backend.ops.running.flower_view import configuration

globals().update(configuration())
