"""The shell around the core: listeners, handshakes, tasks for hooks that wait, timers, the end."""
