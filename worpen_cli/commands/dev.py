"""`worpen dev`: compile routes, serve them, and serve what they become on every save."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import secrets
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from compiler.diagnostics.machine_formats import diagnostic_json
from compiler.diagnostics.render import render_full
from compiler.language.faults import Fault
from runtime.app import App, signals_lead_to
from runtime.events import Events
from runtime.loader import link
from runtime.server.settings import Settings
from worpen_cli import __version__
from worpen_cli.board.launch import is_possible
from worpen_cli.changes import remember, summary
from worpen_cli.command import Command, Invocation, pass_invocation
from worpen_cli.console import Console, ExitCode, Stop
from worpen_cli.files import STDIN, InputFile, NoRouteFiles, read_bytes, read_inputs, read_present
from worpen_cli.findings import plural
from worpen_cli.greeting import greeting, open_page, server_address
from worpen_cli.journal import EVENTS_SCHEMA, Journal
from worpen_cli.limits import Limits, choose_limits
from worpen_cli.listening import cannot_listen, run_to_the_end, serving_options, show_limits
from worpen_cli.outside import asks_for, choose_addresses, read_addresses
from worpen_cli.project import Project
from worpen_cli.reload import Generation, RouteSet
from worpen_cli.settling import ignore_leases, settled_files
from worpen_cli.watching import watched

if TYPE_CHECKING:
    from worpen_cli.board.desk import Desk
    from worpen_cli.embedded import EmbeddedValkey

TOKEN_BYTES: Final = 16
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]{16,}")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for."""

    paths: tuple[str, ...]
    host: str
    port: int
    watch: bool
    restart: bool
    verbose: bool
    as_json: bool
    limits: Limits
    compression: bool
    token: str
    """What opens the browser console; empty: there is none."""
    opens: bool
    """Whether to open it in the user's browser."""
    schema: str
    """A file with SQL to run before serving; empty: none."""
    board: bool
    """Whether to draw the live board instead of writing lines."""


class Development:
    """A server with the files behind it. One a process; everything but compiling belongs to the event loop."""

    def __init__(self, options: Options, project: Project, prefix: str, console: Console) -> None:
        self.options = options
        self.console = console
        events = Events()
        self.app = App(_server_settings(options, prefix, project), events)
        self.routes = RouteSet(project.settings(prefix), lambda program: link(program, self.app.context))
        self.color = console.colors(sys.stdout) and not options.as_json
        self.journal = Journal(console.print_past_buffers, as_json=options.as_json, color=self.color)
        events.subscribe(self.journal.hear, detailed=options.verbose)
        self.changed = asyncio.Event()
        self.asked_to_reload = False
        self.signals: list[int] = []
        """The signals that came to stop it, or what the board sent in their place."""
        self.stopping = asyncio.Event()
        self.valkey: EmbeddedValkey | None = None
        self.desk = self._make_desk() if options.board else None

    async def serve(self, inputs: Sequence[InputFile]) -> int:
        """Serve these files until a signal comes, then drain; the exit code. Raises Stop where the start fails."""
        ignore_leases()
        self.journal.note({"schema": EVENTS_SCHEMA, "event": "started", "version": __version__})
        with self._watching():
            self.changed.set()  # they may have changed between reading and watching
            generation = self.routes.compile(inputs)
            self._tell(generation)
            await self._prepare_outside(generation)
            await self._start(generation)
            gc.freeze()  # what is loaded now stays: the collector need not look at it for every thousandth connection
            self.journal.open()  # a start that fails says why and nothing else
            if self.desk is not None:
                self.desk.open()
            self._greet(generation)
            reloading = asyncio.create_task(self._reload_on_change())
            try:
                return await self._until_signal()
            finally:
                reloading.cancel()
                if self.desk is not None:
                    await self.desk.close()
                    self.journal.say("stopped")

    async def _prepare_outside(self, generation: Generation) -> None:
        """Run the schema file, and start a Redis where routes need one. Raises Stop."""
        read_addresses(generation.entries, self.app.services.addresses)
        if self.options.schema:
            try:
                await self.app.services.run_script(read_bytes(self.options.schema).decode())
            except (Fault, ValueError) as error:
                raise Stop(f"{self.options.schema}: {error}") from None
            self.journal.say(f"schema    {self.options.schema} was run")
        await self._start_valkey(generation)

    async def _start_valkey(self, generation: Generation) -> None:
        """Start a Redis of our own where routes ask for one and no address is set; without it they fault."""
        if self.app.services.addresses.redis_url or not asks_for(generation.entries, "redis"):
            return
        from worpen_cli.embedded import EmbeddedValkey, NotEmbedded

        try:
            self.valkey = EmbeddedValkey()  # here, so that whoever ends all this knows of it from its beginning
            await asyncio.to_thread(self.valkey.wait)
        except NotEmbedded as reason:
            self._complain(str(reason))
            self._stop_valkey()
            return
        self.app.services.use_redis(self.valkey.url)
        self.journal.say(
            "redis     an embedded Valkey, which forgets all when this ends; WORPEN_REDIS_URL sets another"
        )

    def _stop_valkey(self) -> None:
        """Not by a thread of the loop: all of them may hang."""
        valkey, self.valkey = self.valkey, None
        if valkey is not None:
            valkey.stop()

    async def _start(self, generation: Generation) -> None:
        try:
            await self.app.start(generation.entries)
        except OSError as error:
            raise cannot_listen("dev", self.options.host, self.options.port, error) from None

    async def close(self) -> None:
        """Let go of what is outside, also after a start that failed."""
        await self.app.services.close()
        self._stop_valkey()
        self.journal.close()

    def _greet(self, generation: Generation) -> None:
        watched = self.options.paths if self.options.watch else ()
        for line in greeting(self.app, watched=watched, broken=generation.broken):
            self.journal.say(*line)
        self.journal.note({"event": "ready", "console": self.app.console_address, "watched": list(watched)})
        if self.options.opens and self.app.console_address:
            open_page(self.app.console_address, self._complain)

    async def _until_signal(self) -> int:
        """Wait for SIGINT or SIGTERM and drain; another signal hurries."""
        with signals_lead_to(self.stop), self.app.watching_hooks():
            await self.stopping.wait()
            if self.desk is not None:
                self.desk.stopping()
            await self.app.drain()
        return ExitCode.INTERRUPTED if self.signals[0] == signal.SIGINT else ExitCode.FINE

    def stop(self, number: int) -> None:
        """Begin to stop, or hurry."""
        if self.signals:
            self.app.hurry()
        self.signals.append(number)
        self.stopping.set()

    # The board.

    def _make_desk(self) -> Desk:
        from worpen_cli.board.desk import Desk, Means

        means = Means(self.reload, self.stop, self._show_console, lambda: server_address(self.app))
        return Desk(self.app, self.journal, means, color=self.color)

    def _show_console(self) -> None:
        if self.app.console_address:
            open_page(self.app.console_address, self._complain)

    def reload(self) -> None:
        """Read all files again, now."""
        self.asked_to_reload = True
        self.changed.set()

    # Reload.

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Have changes of the files announced, from before they are first read."""
        loop = asyncio.get_running_loop()

        def announce() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(self.changed.set)

        with watched(self.options.paths if self.options.watch else (), announce, self._complain):
            yield

    def _complain(self, sentence: str) -> None:
        self.journal.say(sentence, "error")
        self.journal.note({"event": "problem", "message": sentence})

    async def _reload_on_change(self) -> None:
        while True:
            await self.changed.wait()
            try:
                await self._reload()
            except (OSError, Stop) as error:
                self._complain(f"not reloaded: {error}")
            except Exception as bug:
                # The server must outlive a bug of the compiler; what is served stays as it is.
                self._complain(f"not reloaded, a bug of worpen: {type(bug).__name__}: {bug}")

    async def _reload(self) -> None:
        known, routes = set(self.routes.files), self.routes
        inputs = await settled_files(
            self.changed, lambda: read_present(self.options.paths, known), routes.fresh, routes.cut_off
        )
        generation = await asyncio.to_thread(routes.compile, inputs)
        was_asked, self.asked_to_reload = self.asked_to_reload, False
        if not generation.changed and known == set(routes.files):
            if was_asked:
                self.journal.say("reloaded; nothing has changed")
            return
        self._tell(generation)
        await self._start_valkey(generation)
        read_addresses(generation.entries, self.app.services.addresses)
        self._swap(generation)

    def _swap(self, generation: Generation) -> None:
        """Serve what was compiled, and say in a line for each route what that changed."""
        before = remember(self.app.routes())
        told = self.app.swap(generation.entries, restart=self.options.restart)
        lines = list(summary(before, told, self.app.routes(), restart=self.options.restart))
        for line in lines:
            self.journal.say(line)
        if lines:
            self.journal.note({"event": "reloaded", "changes": lines})

    def _tell(self, generation: Generation) -> None:
        color = self.color and self.desk is None
        self.journal.show(render_full(generation.diagnostics, color=color, width=self.console.width))
        self.journal.say(sentence_of(generation), "error" if generation.broken else "info")
        self.app.tell_findings(self.routes.broken_files())
        self.journal.note(
            {
                "event": "compiled",
                "files": generation.files,
                "changed": generation.changed,
                "broken": generation.broken,
                "stale": generation.stale,
                "diagnostics": [diagnostic_json(diagnostic) for diagnostic in generation.diagnostics],
            }
        )


def _server_settings(options: Options, prefix: str, project: Project) -> Settings:
    return Settings(
        host=options.host,
        port=options.port,
        prefix=prefix,
        environment=project.environment,
        console_token=options.token,
        compression=options.compression,
        limits=options.limits.server(),
        wire=options.limits.wire(),
        services=choose_addresses(project),
    )


def sentence_of(generation: Generation) -> str:
    """`3 files compiled, 1 broken: chat.yaml (its last good version is served)`."""
    broken = ", ".join(
        f"{name} (its last good version is served)" if name in generation.stale else name for name in generation.broken
    )
    counted = f"{plural(generation.files, 'file')} compiled, {len(generation.changed)} of them new or changed"
    return f"{counted}, {len(generation.broken)} broken: {broken}" if broken else counted


def check_token(_: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A token that was chosen by hand: hard to guess, and the same in an address. Raises BadParameter."""
    if value is not None and not _TOKEN.fullmatch(value):
        raise click.BadParameter("a token has at least 16 characters of A-Z, a-z, 0-9 and ._~-", param=param)
    return value


@click.command(
    "dev",
    cls=Command,
    short_help="Serve routes, and reload them on every save.",
    examples=(
        ("worpen dev", "every route of this project"),
        ("worpen dev chat.yaml --port 8080", "one route"),
        ("worpen dev --open", "and open the browser console"),
        ("worpen dev --json routes", "events for a program"),
    ),
)
@click.argument("paths", nargs=-1, type=click.Path())
@serving_options
@click.option("--watch/--no-watch", default=True, show_default=True, help="Reload when a file is saved.")
@click.option(
    "--reload", "reload", type=click.Choice(["keep", "restart"]), default="keep", show_default=True,
    help="restart closes the connections of a changed route (1012).",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open the browser console.")
@click.option("--console/--no-console", default=True, show_default=True, help="Serve the browser console.")
@click.option(
    "--token", metavar="TEXT", callback=check_token,
    help="What opens the browser console, at least 16 letters and digits (default: another one at each start).",
)  # fmt: skip
@click.option("--init-sql", metavar="FILE", type=click.Path(), help="Run a file of SQL before serving.")
@click.option("--no-tui", is_flag=True, help="Plain lines, also on a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON, one a line.")
@click.option("-v", "--verbose", is_flag=True, help="Show each message and hook run as well.")
@pass_invocation
def command(
    invocation: Invocation,
    paths: tuple[str, ...],
    host: str,
    port: int,
    prefix: str | None,
    watch: bool,
    reload: str,
    limit: tuple[str, ...],
    print_limits: bool,
    compression: bool | None,
    opens: bool,
    console: bool,
    token: str | None,
    init_sql: str | None,
    no_tui: bool,
    as_json: bool,
    verbose: bool,
) -> int:
    """Compile all route files and serve them; a save takes effect while connections stay open."""
    project = invocation.project
    limits = choose_limits(project, limit)
    if print_limits:
        show_limits(limits, invocation.console, as_json=as_json)
        return ExitCode.FINE
    paths = paths or project.default_paths
    if STDIN in paths:
        raise Stop("routes that are served come from files")
    compress = project.compression if compression is None else compression
    if opens and not console:
        raise Stop("--open needs the console that --no-console leaves out")
    key = (token or secrets.token_urlsafe(TOKEN_BYTES)) if console else ""
    plain = no_tui or as_json or verbose
    board = not plain and is_possible(invocation.console.environment)
    restart = reload == "restart"
    options = Options(
        paths, host, port, watch, restart, verbose, as_json, limits, compress, key, opens, init_sql or "", board
    )
    chosen = project.chosen_prefix(prefix)
    return run_to_the_end(_developed(options, project, chosen, invocation.console), invocation)


async def _developed(options: Options, project: Project, prefix: str, console: Console) -> int:
    try:
        inputs = read_inputs(options.paths)  # a wrong path ends the command before anything is started
    except NoRouteFiles as empty:
        advice = "worpen new chat --template chat makes one to start with"
        raise Stop(empty.message, help=f"{empty.help}\n{advice}") from None
    development = Development(options, project, prefix, console)
    try:
        return await development.serve(inputs)
    finally:
        await development.close()
