"""Tells people by email about Teleport Access Requests; see docs/architecture.md for the way of the data."""

__version__ = "1.0.0"
