"""What operators need beside Flower, one capability a file; `ddn` (see cli) is thin above it."""
