"""One door for each thing outside: databases, Redis, HTTP."""
