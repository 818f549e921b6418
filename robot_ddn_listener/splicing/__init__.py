"""How attach.py edits an output file byte by byte: scan, plan, copy, and keeping the original."""
