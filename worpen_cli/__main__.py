"""`python -m worpen_cli`."""

from worpen_cli.main import run

run()
