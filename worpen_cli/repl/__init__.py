"""`worpen repl`: what stands behind the command."""
