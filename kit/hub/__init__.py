"""The Hub: what is fetched from it, and the only code that writes to it."""
