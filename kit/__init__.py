"""kit: from an idea card, some data and a small model to a published tutorial."""

__version__ = "0.1.0"
