"""The monitor: events and broker into task runs, metrics, and what was lost sent again."""
