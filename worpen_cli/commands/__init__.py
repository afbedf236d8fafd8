"""One command, one file: each module has a click command called `command`."""
