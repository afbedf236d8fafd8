"""Mistakes as values: where, which, how to say it. Knows no language."""
