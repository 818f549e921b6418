"""Alerts: rules over what the monitor sees, incidents that begin and end, messages that arrive."""
