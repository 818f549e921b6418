"""What redact.py knows of secrets: names, values and their derived forms, assignments, headers, tokens."""
