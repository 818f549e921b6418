"""What operators need beside Flower, one capability a file; `ddn` (see cli) is thin above it.

running      the stack of one machine: started, watched, ended; Flower; how it is
monitoring   events and broker into task runs, metrics, what was lost
alerting     rules, incidents, messages
steering     pause, revoke, purge, requeue, limits, and what is in the queue
reporting    reports and capacity
doctor, probes, settings_table, durations
"""
