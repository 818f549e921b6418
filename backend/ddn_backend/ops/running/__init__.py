"""The stack of one machine: its parts, started, watched, ended, and how they are."""
