"""kai-tui: a terminal chat for AI assistants that can change things."""

__version__ = "0.1.0"
