"""Limits on documents and their cost, checked before execution."""
