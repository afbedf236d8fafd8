"""`worpen serve`: the production form. No board, no watcher, no console; logs for machines, good order at the end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import click

from runtime import events
from runtime.app import STOP_SIGNALS, App, signals_lead_to
from runtime.events import Event, Events
from runtime.server.catalogue import RouteEntry
from runtime.server.settings import Settings
from worpen_cli import __version__
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.deployment import Deployment, NotGood
from worpen_cli.files import STDIN
from worpen_cli.journal import EVENTS_SCHEMA, Journal
from worpen_cli.limits import choose_limits
from worpen_cli.listening import RELOAD_SIGNALS, cannot_listen, run_to_the_end, serving_options, show_limits
from worpen_cli.outside import check_addresses, choose_addresses
from worpen_cli.project import Project
from worpen_cli.readiness import READY, RELOADING, STOPPING, tell
from worpen_cli.supervisor import Supervisor, is_worker, own_place

PARENT_SECONDS: Final = 1.0
"""How often a worker looks whether its supervisor is still there."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    paths: tuple[str, ...]
    settings: Settings
    prefix: str | None
    eager: bool
    as_json: bool
    payloads: bool
    """Whether the log shows what clients send and what routes answer."""


class Production:
    """A server with the files it was started on. One a process; all of it belongs to the event loop."""

    def __init__(self, options: Options, project: Project, console: Console) -> None:
        self.options = options
        self._console = console
        heard = Events()
        self.app = App(options.settings, heard)
        self._deployment = Deployment(options.paths, project, options.prefix, self.app.context, options.eager)
        color = console.colors(sys.stdout) and not options.as_json
        self.journal = Journal(console.print_past_buffers, as_json=options.as_json, color=color)
        heard.subscribe(self._hear, detailed=options.payloads)
        self._signals: list[int] = []
        self._stopping = asyncio.Event()
        self._reloading: asyncio.Task[None] | None = None
        self._is_asked_again = False

    def _hear(self, event: Event) -> None:
        """Log an event, without the values that clients sent where they are not asked for."""
        if isinstance(event, events.HookFaulted) and not self.options.payloads:
            event = replace(event, operands=())
        self.journal.hear(event)

    async def serve(self) -> int:
        """Serve until a signal comes, then drain; the exit code. Raises Stop where the start fails."""
        try:
            entries = self._load()
        except NotGood as bad:
            return self._show_findings(bad)
        self.journal.note({"schema": EVENTS_SCHEMA, "event": "started", "level": "info", "version": __version__})
        await self._start(entries)
        gc.freeze()  # what is loaded now stays: the collector need not look at it for every thousandth connection
        self.journal.open()  # a start that fails says why and nothing else
        with signals_lead_to(self.signalled, (*STOP_SIGNALS, *RELOAD_SIGNALS)), self.app.watching_hooks():
            self._greet()
            tell(READY)
            if is_worker():
                self._look_for(os.getppid())
            await self._stopping.wait()
            tell(STOPPING)
            await self.app.drain()
        return ExitCode.INTERRUPTED if self._signals[0] == signal.SIGINT else ExitCode.FINE

    def _load(self) -> list[RouteEntry]:
        """What is to be served. Raises Stop and NotGood."""
        entries = self._deployment.load()
        check_addresses(entries, self.options.settings.services)
        return entries

    def _look_for(self, supervisor: int) -> None:
        """Stop in good order when the supervisor is gone: nobody would end this process, and it holds the port."""
        if self._stopping.is_set():
            return
        if os.getppid() != supervisor:
            self.signalled(signal.SIGTERM)
        else:
            asyncio.get_running_loop().call_later(PARENT_SECONDS, self._look_for, supervisor)

    def _show_findings(self, bad: NotGood) -> int:
        from worpen_cli.findings import render_for, summary

        found = bad.examined.diagnostics
        full = sys.stdout.isatty()
        self._console.print_rendered(render_for(self._console, found, full=full))
        self._console.talk(summary(bad.examined, found))
        return ExitCode.FINDINGS

    async def _start(self, entries: Iterable[RouteEntry]) -> None:
        settings = self.options.settings
        try:
            await self.app.start(entries)
        except OSError as error:
            raise cannot_listen("serve", settings.host, settings.port, error) from None

    def _greet(self) -> None:
        for served in self.app.routes():
            condition = served.condition.value
            self.journal.say(f"  {condition:<12}{served.pattern}  {served.name}")
            document = {"path": str(served.pattern), "name": served.name, "condition": condition}
            self.journal.note({"event": "route", "level": "info", **document})
        self.journal.say("ready; SIGHUP reloads, SIGTERM stops in good order")
        self.journal.note({"event": "ready", "level": "info"})

    # Signals.

    def signalled(self, number: int) -> None:
        """Reload, begin to stop, or hurry."""
        if number in RELOAD_SIGNALS:
            self._ask_to_reload()
            return
        if self._signals:
            self.app.hurry()
        self._signals.append(number)
        self._stopping.set()

    def _ask_to_reload(self) -> None:
        self._is_asked_again = True
        if self._reloading is None and not self._stopping.is_set():
            self._reloading = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        """Serve what the files are now, once more for a signal that came meanwhile; a bad set changes nothing."""
        while self._is_asked_again:
            self._is_asked_again = False
            tell(RELOADING)
            try:
                entries = await asyncio.to_thread(self._load)
                if not self._stopping.is_set():
                    self.app.swap(entries)
            except NotGood as bad:
                self._complain(_reasons(bad))
            except Stop as stop:
                self._complain([stop.message])
            except Exception as bug:
                # The server must outlive a bug, and read the files again at the next signal.
                self._complain([f"a bug of worpen: {type(bug).__name__}: {bug}"])
            if self._stopping.is_set():
                return
            tell(READY)
        self._reloading = None

    def _complain(self, reasons: list[str]) -> None:
        """Say why nothing was reloaded."""
        for reason in reasons:
            self.journal.say(f"not reloaded: {reason}", "error")
        self.journal.note({"event": "not_reloaded", "level": "error", "reasons": reasons})


def _reasons(bad: NotGood) -> list[str]:
    from compiler.diagnostics.render import place

    return [f"{place(found)}: {found.message}" for found in bad.examined.diagnostics]


@click.command(
    "serve",
    cls=Command,
    short_help="Serve routes in production.",
    examples=(
        ("worpen serve build/chat.wbc", "a program file, without the compiler"),
        ("worpen serve routes --host 0.0.0.0 --port 8080", "all routes of a folder, to the world"),
        ("worpen serve build --workers 2 --bus redis://localhost:6379", "two processes on one port"),
        ("worpen serve routes --log-format text", "a log for people"),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path())
@serving_options
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, show_default=True,
    help="So many processes on the same port; more than one need --bus.",
)  # fmt: skip
@click.option("--reuse-port", is_flag=True, help="Let other processes listen on the same port.")
@click.option("--bus", metavar="URL", default="", help="The Redis or Valkey that joins several servers into one.")
@click.option("--eager", is_flag=True, help="Translate all hooks before listening.")
@click.option("--metrics/--no-metrics", default=True, show_default=True, help="Answer /metrics.")
@click.option(
    "--log-format", type=click.Choice(["json", "text"]), default="json", show_default=True,
    help="One JSON object a line, or lines for people; on stdout.",
)  # fmt: skip
@click.option("--log-payloads", is_flag=True, help="Log what clients send and what they are sent.")
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    reuse_port: bool,
    prefix: str | None,
    bus: str,
    eager: bool,
    limit: tuple[str, ...],
    print_limits: bool,
    compression: bool | None,
    metrics: bool,
    log_format: str,
    log_payloads: bool,
) -> int:
    """Serve program files (.wbc) or routes until SIGTERM, which closes all connections in good order; SIGHUP reads the
    files anew. Nothing is served where anything has an error."""
    project = invocation.project
    limits = choose_limits(project, limit)
    as_json = log_format == "json"
    if print_limits:
        show_limits(limits, invocation.console, as_json=False)
        return ExitCode.FINE
    if STDIN in paths:
        raise Stop("routes that are served come from files")
    _check_bus(bus)
    if workers > 1 and not is_worker():
        _check_workers(port, bus)
        supervised = _supervised(workers, limits.server().drain_seconds, invocation.console, as_json=as_json)
        return run_to_the_end(supervised, invocation)
    chosen = Settings(
        host=host,
        port=port,
        prefix=project.chosen_prefix(prefix),
        environment=project.environment,
        bus_url=bus,
        reuse_port=reuse_port or is_worker(),
        metrics=metrics,
        siblings=own_place(),
        compression=project.compression if compression is None else compression,
        limits=limits.server(),
        wire=limits.wire(),
        services=choose_addresses(project),
    )
    options = Options(paths or project.default_paths, chosen, prefix, eager, as_json, log_payloads)
    return run_to_the_end(_served(options, project, invocation.console), invocation)


def _check_bus(url: str) -> None:
    """Raises Stop for an address that is none. What is wrong is said without the address: it may have a password."""
    if url:
        from runtime.bus.redis import check_address

        try:
            check_address(url)
        except ValueError as bad:
            raise Stop(f"--bus: {bad}") from None


def _check_workers(port: int, bus: str) -> None:
    """Raises Stop where workers could not be one server."""
    if not hasattr(socket, "SO_REUSEPORT"):
        raise Stop("this system cannot share a port among processes: use one worker")
    if not bus:
        raise Stop(
            "workers hear each other's broadcasts over a bus only", help="--bus redis://localhost:6379, or one worker"
        )
    if not port:
        raise Stop("workers share one port: give its number")


async def _supervised(workers: int, drain_seconds: float, console: Console, *, as_json: bool) -> int:
    journal = Journal(console.print_past_buffers, as_json=as_json)
    journal.open()

    def note(document: dict[str, Any]) -> None:
        rest = ", ".join(f"{key} {value}" for key, value in document.items() if key not in ("event", "level"))
        journal.say(f"{document['event'].replace('_', ' ')}: {rest}", document["level"])
        journal.note(document)

    try:
        return await Supervisor(sys.argv[1:], drain_seconds, note).run(workers)
    finally:
        journal.close()


async def _served(options: Options, project: Project, console: Console) -> int:
    production = Production(options, project, console)
    try:
        return await production.serve()
    finally:
        production.journal.close()
