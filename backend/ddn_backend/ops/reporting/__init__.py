"""Looking back: reports of a time, and what more workers would give."""
