"""Text to trees, without meaning."""
