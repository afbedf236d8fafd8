"""Route text in, verified program out. No network, no event loop, no terminal."""
