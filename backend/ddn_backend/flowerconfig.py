"""Flower's configuration: `ddn flower` and `celery -A ddn_backend flower` take it; everything in it is in ops/flower_view.py."""

from ddn_backend.ops.flower_view import configuration

globals().update(configuration())
