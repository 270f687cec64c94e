"""Remit: runtime identity governance for agents that decide while they run what to call."""

__version__ = "0.1.0"
