"""Steering the queue: pause, revoke, purge, requeue, limits, and what is in it."""
