"""A real server on a free port, for a test: route files in, an address out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from compiler.bytecode.codec import encode
from compiler.diagnostics.render import render_full
from compiler.pipeline import Settings as CompilerSettings
from compiler.pipeline import compile_source
from runtime.app import App
from runtime.loader import load
from runtime.server.catalogue import entries_of
from runtime.server.settings import Settings


def program_bytes(route: Path) -> bytes:
    """The program file of a route file. Raises AssertionError, with the diagnostics, where it has errors."""
    compilation = compile_source(route.name, route.read_bytes(), CompilerSettings())
    assert compilation.program is not None, render_full(compilation.report.diagnostics)
    return encode(compilation.program)


@asynccontextmanager
async def serving(*routes: Path) -> AsyncIterator[str]:
    """Serve route files, compiled, written and loaded as in production; gives `ws://host:port`."""
    app = App(Settings(port=0))
    await app.start([entry for route in routes for entry in entries_of(load(program_bytes(route), app.context))])
    host, port = app.addresses[0]
    try:
        yield f"ws://{host}:{port}"
    finally:
        await app.drain()
