"""Everything wired together: programs in, a server out. Read `App` from top to bottom.

`start` serves what `entries_of(load(raw, app.context))` gives, `swap` serves other routes while connections stay
open, `drain` ends everything in good order.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import sys
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from runtime.bus import Bus
from runtime.bus.local import LocalBus
from runtime.bus.presence import Presence
from runtime.channels import Hub
from runtime.events import Draining, Events, Listening, Stopped, Swapped
from runtime.history import History, keep_of, new_epoch
from runtime.host import NORMAL_CLOSURE, Far, Node, Surroundings, hand_over
from runtime.memory import close_gaps, give_back, pack
from runtime.metrics import Sample, ServerCounters, WireCounters, count, exposition, samples
from runtime.recall import Recall
from runtime.seam import Context
from runtime.server.admission import Gate
from runtime.server.catalogue import BrokenRoute, Catalogue, Changes, RouteEntry, Served
from runtime.server.console import ANYWHERE, PAGE, Console
from runtime.server.descriptors import make_room
from runtime.server.draining import SERVICE_RESTART, Drain
from runtime.server.feed import BrokenFile, Feed
from runtime.server.floor import Floor
from runtime.server.link import Link
from runtime.server.lives import Lives
from runtime.server.reception import Reception
from runtime.server.settings import Settings
from runtime.server.watchdog import watching
from runtime.services import Services
from runtime.siblings import EVERY_SECONDS, Siblings
from runtime.transport import frames
from runtime.transport.acceptor import Acceptor
from runtime.transport.outbox import Outbox
from runtime.transport.wire import Wire

if TYPE_CHECKING:
    from runtime.bus.recovery import SharedRecall
    from runtime.bus.redis import RedisBus

ROUTE_REMOVED: Final = 1001
LOOPBACK: Final = ("127.0.0.1", "::1")
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
COLLECTION: Final = (5_000, 20, 50)
"""How seldom garbage is looked for (`gc.set_threshold`): connections live long, and each look at many of them that
finds nothing costs handshakes a fifth of their time. What can wait for it is a few hundred ended connections."""
COLLECT_SECONDS: Final = 1.0
"""After a reload, or the end of many connections, before the garbage that it left is looked for."""
_NO_SUCH_FAMILY: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_FREE_PORT_ATTEMPTS: Final = 16

Result = TypeVar("Result")


class App:
    """A server with its routes. Make it anywhere; `start`, `swap` and `drain` belong to one running loop."""

    def __init__(self, settings: Settings | None = None, events: Events | None = None) -> None:
        self.settings = settings or Settings()
        self.events = events or Events()
        self.hub: Hub[Far] = Hub(self.settings.limits.channels, lambda: self.wire_counters.reached("channels"))
        self._elsewhere = Presence()
        surroundings = Surroundings(self.hub, self.settings.environment, elsewhere=self._elsewhere)
        self.context = Context(surroundings, self.settings.limits.fuel)
        """What programs must be linked with to be served here."""
        self.counters = ServerCounters()
        self._collecting: asyncio.TimerHandle | None = None
        self.wire_counters = WireCounters()
        self.services = Services(self.settings.services, self.settings.limits)
        """Databases, Redis, HTTP: opened when a hook asks for them, closed after the drain."""
        self.addresses: tuple[tuple[str, int], ...] = ()
        """Where it listens, once it has started."""
        self._catalogue: Catalogue[Link] = Catalogue(self.settings.prefix)
        self._acceptor: Acceptor | None = None
        self._floor: Floor | None = None
        self._reception: Reception | None = None
        self._wire: Wire | None = None
        self._drain: Drain | None = None
        self._console: Console | None = None
        self._bus: RedisBus[Far] | None = None
        self._recall: SharedRecall | None = None
        self._broken_files: tuple[BrokenFile, ...] = ()
        self._siblings: Siblings | None = None

    # The beginning.

    async def start(self, entries: Iterable[RouteEntry | BrokenRoute] = ()) -> None:
        """Serve these routes. Raises OSError where it cannot listen."""
        make_room(self.settings.limits.connections)
        self._assemble()
        self.swap(entries)
        if self._bus is not None:
            await self._bus.start()
        await self._listen()
        if self.settings.siblings is not None and self.settings.metrics:
            folder, place = self.settings.siblings
            self._siblings = Siblings(Path(folder), place, self._numbers)
            self._tell_siblings()
        self.events.publish(Listening(tuple(show_address(host, port) for host, port in self.addresses)))
        close_gaps()  # importing and compiling left some

    def _assemble(self) -> None:
        loop = asyncio.get_running_loop()
        limits, hub, reached = self.settings.limits, self.hub, self.wire_counters.reached

        def write(members: Collection[Far], frame: bytes, exclude: Far | None) -> int:
            return wire.fan_out.publish(cast("Collection[Outbox]", members), frame, cast("Outbox | None", exclude))

        def deliver(members: Collection[Far], frame: bytes, exclude: Far | None) -> int:
            if recall.wrapped:
                return recall.deliver(write, members, frame, exclude)
            return write(members, frame, exclude)

        bus: Bus[Far] = LocalBus(hub, deliver)
        most_bytes = self.settings.wire.unsent_bytes // 2
        if self.settings.bus_url:
            recall: Recall = self._shared_recall(loop, most_bytes)
            bus = self._bus = self._make_bus(deliver)
        else:
            history = History(limits.history_bytes, new_epoch, lambda: reached("history_bytes"))
            recall = Recall(frames, loop.time, history, most_bytes, self._recovered)
        node = Node(hub, bus, frames, self.events, self.services, recall)
        self._floor = Floor(node, limits, self.counters, Gate(limits, loop.time(), reached), reached)
        if self._bus is not None:
            lives = self._floor.lives = Lives(self._floor, self._catalogue, self._bus.records)
            self._bus.records.serve(lives)
        if self.settings.console_token:
            feed = Feed(self._floor, self._catalogue, self.events, self.settings.prefix)
            feed.tell_findings(self._broken_files)
            self._console = Console(self.settings.console_token, self.settings.host, feed)
        self._reception = Reception(
            self._floor,
            self._catalogue,
            message_bytes=self.settings.wire.max_message_bytes,
            compression=self.settings.compression,
            exposition=self.exposition if self.settings.metrics else None,
            console=self._console,
        )
        wire = self._wire = Wire(self._reception, self.settings.wire, self.wire_counters, ebbed=self._collect_later)

    def _shared_recall(self, loop: asyncio.AbstractEventLoop, most_bytes: int) -> SharedRecall:
        from runtime.bus.recovery import SharedRecall

        def healed(messages: int) -> None:
            self.counters.history_healed += messages

        reads = self.settings.limits.history_reads
        self._recall = SharedRecall(frames, loop.time, most_bytes, reads, self._recovered, healed)
        return self._recall

    def _make_bus(self, deliver: Callable[[Collection[Far], bytes, Far | None], int]) -> RedisBus[Far]:
        return _bus_class()(
            self.settings.bus_url,
            self.hub,
            deliver,
            hand_over,
            self.events,
            self.counters,
            self._elsewhere,
            self._recall,
            channel_bytes=self.settings.limits.history_channel_bytes,
            channel_full=lambda: self.wire_counters.reached("history_channel_bytes"),
        )

    def _recovered(self, result: str) -> None:
        count(self.counters.recoveries, result)

    async def _listen(self) -> None:
        assert self._wire is not None
        hosts = LOOPBACK if self.settings.host == "localhost" else (self.settings.host,)
        limits = self.settings.limits
        self._acceptor = Acceptor(self._wire, limits.connection_rate, limits.connection_burst)
        for attempt in range(_FREE_PORT_ATTEMPTS):
            try:
                await self._listen_on(hosts)
                return
            except OSError as error:
                self._acceptor.close()
                # A free port of one family may be taken in the other: look for another one.
                if self.settings.port or error.errno != errno.EADDRINUSE or attempt + 1 == _FREE_PORT_ATTEMPTS:
                    raise

    async def _listen_on(self, hosts: tuple[str, ...]) -> None:
        assert self._acceptor is not None
        port = self.settings.port
        for host in hosts:
            try:
                await self._acceptor.open(host, port, reuse_port=self.settings.reuse_port)
            except OSError as error:
                if host == LOOPBACK[1] and self._acceptor.addresses and error.errno in _NO_SUCH_FAMILY:
                    continue
                raise
            port = self._acceptor.addresses[-1][1]
        self.addresses = self._acceptor.addresses
        if self._console is not None:
            self._console.port = port

    # Routes.

    def swap(self, entries: Iterable[RouteEntry | BrokenRoute], *, restart: bool = False) -> Swapped:
        """Serve exactly these routes from now on, in one step.

        Connections of a route that is still served stay open: a hook that runs ends on the old program, the next
        event runs the new one. With `restart` they are closed with 1012 instead, where the program changed.
        Connections of routes that are gone are closed with 1001.
        """
        entries = list(entries)
        self.services.prepare(effects_of(entries))
        if self._recall is not None:
            self._recall.serve(kept_channels_of(entries))
        changes = self._catalogue.swap(entries)
        for served in changes.ended:
            for link in list(served.links):
                link.shut(ROUTE_REMOVED, "the route was removed")
        for served, renewal in changes.renewed:
            for link in list(served.links):
                if restart:
                    link.shut(SERVICE_RESTART, "the route was changed")
                else:
                    link.renew(renewal)
        for served, renewal in changes.relinked:
            for link in list(served.links):
                link.renew(renewal)
        return self._tell_swap(changes)

    def _tell_swap(self, changes: Changes[Link]) -> Swapped:
        told = Swapped(
            added=_paths(changes.added),
            changed=_paths(served for served, _ in changes.renewed),
            unchanged=_paths((*changes.unchanged, *(served for served, _ in changes.relinked))),
            removed=_paths(changes.ended),
            refused=_paths(changes.refused),
        )
        for result in ("added", "changed", "unchanged", "removed", "refused"):
            if number := len(getattr(told, result)):
                count(self.counters.reloads, result, by=number)
        self.events.publish(told)
        if told.changed or told.removed:
            self._collect_later()
        return told

    def _collect_later(self) -> None:
        """Give memory back soon: after a reload, when the hooks of old programs have ended, which are cycles, and the
        collector looks at what is old so seldom that a server which is reloaded often would grow; and when most of
        many connections are gone."""
        if self._collecting is None and self._drain is None:
            self._collecting = asyncio.get_running_loop().call_later(COLLECT_SECONDS, self._collect)

    def _collect(self) -> None:
        self._collecting = None
        if self._floor is not None and self._wire is not None:
            pack(self._floor.links)
            self._wire.wheel.pack()
        for served in self._catalogue:
            pack(served.links)
        self.hub.pack()
        give_back()

    def tell_findings(self, files: Iterable[BrokenFile]) -> None:
        """Show these files as the ones that do not compile, in the browser console."""
        self._broken_files = tuple(files)
        if self._console is not None:
            self._console.feed.tell_findings(self._broken_files)

    def routes(self) -> Iterator[Served[Link]]:
        """Every address with what is served there, in the order of the last swap."""
        return iter(self._catalogue)

    # Looking in.

    @property
    def console_address(self) -> str:
        """The page of the browser console, with the token that opens it; "" where there is none."""
        if self._console is None or not self._console.port:
            return ""
        host = self.settings.host
        if host in ANYWHERE:
            host = LOOPBACK[":" in host]
        return f"http://{show_address(host, self._console.port)}{PAGE}#token={self.settings.console_token}"

    @property
    def connections(self) -> int:
        """Connections whose `on_disconnect` is not done yet."""
        return len(self._floor.links) if self._floor else 0

    @property
    def links(self) -> Mapping[str, Link]:
        """Those connections by id, in the order in which they came."""
        return self._floor.links if self._floor else {}

    @property
    def traffic(self) -> Mapping[str, int]:
        """How many messages went to each channel that there is, counted while `events.measure` asks for it."""
        if self._floor is None:
            return {}
        traffic = self._floor.node.traffic
        for channel in [name for name in traffic if not self.hub.size(name)]:
            del traffic[channel]
        return traffic

    def settle(self) -> WireCounters:
        """The wire's counters, with all that was counted until now."""
        if self._wire is not None:
            self._wire.settle()
        return self.wire_counters

    # Acting on connections, as somebody at a console does.

    def send(self, connection_id: str, text: str) -> bool:
        """Send a text to a connection, by its route's codec; False where there is none with this id.

        Raises UnicodeEncodeError."""
        far, link = self.hub.find(connection_id), self.links.get(connection_id)
        if far is None or link is None or not far.is_open:
            return False
        far.send(link.frame_of(text))
        return True

    def broadcast(self, channel: str, text: str) -> int:
        """Send a text to everybody in a channel, by the codec of whom is longest in it; how many those are.

        Raises UnicodeEncodeError."""
        link = next((self.links[member] for member in self.hub.ids(channel) if member in self.links), None)
        if self._floor is None or link is None:
            return 0
        node, frame = self._floor.node, link.frame_of(text)
        if node.recall is not None and node.recall.busy:
            return node.recall.publish(channel, frame, None, None, lambda: node.bus.publish(channel, frame, None))
        return node.bus.publish(channel, frame, None)

    def close(self, connection_id: str, code: int = NORMAL_CLOSURE, reason: str = "") -> bool:
        """Close a connection; False where there is none with this id."""
        link = self.links.get(connection_id)
        if link is not None:
            link.shut(code, reason)
        return link is not None

    async def idle(self) -> None:
        """Return when there is no connection whose `on_disconnect` is not done."""
        if self._floor is not None and self._floor.links:
            await self._floor.emptied.wait()

    def exposition(self) -> str:
        """All counters in the text form that Prometheus scrapes; those of all processes that share the port."""
        self.settle()
        return exposition(self._numbers() if self._siblings is None else self._siblings.samples())

    def _numbers(self) -> Iterator[Sample]:
        """What this process counted; what connections have still to add is about a second's."""
        self.counters.tasks = len(asyncio.all_tasks())
        if self._bus is not None:
            self.counters.bus_lag_seconds = self._bus.lag
            self.counters.bus_queued_bytes = self._bus.queued_bytes
        return samples(self.wire_counters, self.counters)

    def _tell_siblings(self) -> None:
        if self._siblings is not None:
            self._siblings.write()
            asyncio.get_running_loop().call_later(EVERY_SECONDS, self._tell_siblings)

    # The end.

    async def drain(self) -> None:
        """Take nobody any more, close all connections with 1012, run every `on_disconnect`; bounded in time."""
        if self._drain is not None or self._floor is None or self._reception is None:
            return
        self._reception.is_draining = True
        if self._acceptor is not None:
            self._acceptor.close()
        if self._collecting is not None:
            self._collecting.cancel()
        limits = self.settings.limits
        self._drain = Drain(self._floor, limits, self._reception.reconnect_delay)
        self.events.publish(Draining(len(self._floor.links), limits.drain_seconds))
        abandoned = await self._drain.run()
        if self._wire is not None:
            self._wire.penalties.end_all()
        await self._drain.close(self.services.close(), *(() if self._bus is None else (self._bus.stop(),)))
        if abandoned:
            self.wire_counters.reached("drain_seconds")
        if self._siblings is not None:
            self.settle()
            self._siblings.write()
        self.events.publish(Stopped(abandoned))
        if self._console is not None:
            self._console.feed.close()

    def watching_hooks(self) -> AbstractContextManager[None]:
        """Have hooks end that compute for longer than they may. One server of a process can; see `watchdog`."""
        return watching(self.settings.limits, self.wire_counters.reached)

    def hurry(self) -> None:
        """Finish a drain that is under way in less time."""
        if self._drain is not None:
            self._drain.hurry()


def _bus_class() -> type[RedisBus[Far]]:
    """Imported where it is used: most servers are alone, and start sooner without it."""
    from runtime.bus.redis import RedisBus

    return RedisBus


def effects_of(entries: Iterable[RouteEntry | BrokenRoute]) -> frozenset[str]:
    """The effects that the programs of these routes can ask for."""
    programs = (entry.owner for entry in entries if isinstance(entry, RouteEntry))
    return frozenset(effect for program in programs for effect in program.manifest.effects)


def kept_channels_of(entries: Iterable[RouteEntry | BrokenRoute]) -> Iterator[str]:
    """The patterns of channels that routes with `history` reach, those of other routes in their files included."""
    for entry in entries:
        if isinstance(entry, RouteEntry) and keep_of(entry.route.program.options) is not None:
            yield from entry.owner.manifest.channels


def _paths(routes: Iterable[Served[Link]]) -> tuple[str, ...]:
    return tuple(str(served.pattern) for served in routes)


def show_address(host: str, port: int) -> str:
    """`127.0.0.1:3000`, `[::1]:3000`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve_until_signal(app: App, *, on_signal: Callable[[], None] | None = None) -> None:
    """Keep a started app going until SIGINT or SIGTERM, then drain it; another signal hurries."""
    asked = asyncio.Event()

    def stop(_: int) -> None:
        if asked.is_set():
            app.hurry()
        asked.set()
        if on_signal is not None:
            on_signal()

    with signals_lead_to(stop), app.watching_hooks():
        await asked.wait()
        await app.drain()


@contextmanager
def signals_lead_to(act: Callable[[int], None], numbers: Iterable[int] = STOP_SIGNALS) -> Iterator[None]:
    """Have `act` called on the running loop with the number of each of these signals that comes."""
    loop = asyncio.get_running_loop()
    # Not `loop.add_signal_handler`: that is not to be had on Windows.
    before = {number: signal.signal(number, lambda got, _: loop.call_soon_threadsafe(act, got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, on uvloop where that is installed."""
    with runner() as running:
        return running.run(main)


def runner() -> asyncio.Runner:
    """What runs a server, on uvloop where that is installed. To close it waits for its threads, which may hang."""
    gc.set_threshold(*COLLECTION)
    return asyncio.Runner(loop_factory=_loop_factory())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
