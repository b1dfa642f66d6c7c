"""Plan, apply, verify and undo a publication; the gates before it."""
