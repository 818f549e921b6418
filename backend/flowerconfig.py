"""Flower's configuration for a checkout: `celery -A ddn_backend flower --conf=backend/flowerconfig.py`."""

from ddn_backend.ops.running.flower_view import configuration

globals().update(configuration())
