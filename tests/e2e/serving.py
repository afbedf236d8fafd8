"""A real server on a free port, for a test: route files in, an address out."""

from __future__ import annotations

import tempfile
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
from runtime.services import Addresses


def program_bytes(route: Path) -> bytes:
    """The program file of a route file. Raises AssertionError, with the diagnostics, where it has errors."""
    compilation = compile_source(route.name, route.read_bytes(), CompilerSettings())
    assert compilation.program is not None, render_full(compilation.report.diagnostics)
    return encode(compilation.program)


@asynccontextmanager
async def serving(*routes: Path) -> AsyncIterator[str]:
    """Serve route files, compiled, written and loaded as in production; gives `ws://host:port`.

    The schema file beside a route (`NAME.sql`) is run on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(Settings(port=0, services=Addresses(f"sqlite:///{folder}/test.db")))
        programs = [load(program_bytes(route), app.context) for route in routes]
        try:
            for schema in (route.with_suffix(".sql") for route in routes):
                if schema.exists():
                    await app.services.run_script(schema.read_text(encoding="utf-8"))
            await app.start([entry for program in programs for entry in entries_of(program)])
            host, port = app.addresses[0]
            yield f"ws://{host}:{port}"
        finally:
            await app.drain()
            await app.services.close()
