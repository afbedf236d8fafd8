"""Ends hooks that compute for longer than they may: the loop that they hold up cannot.

Hooks that do not wait run inside of one callback. Their fuel counts rounds, and a round may sort a list of a hundred
thousand: all of them together take minutes, in which nobody is served, no heartbeat is sent and no signal heard.

So a timer of the process is wound anew while the loop turns. Where it does not turn, the timer's signal interrupts
whatever runs, and what runs is looked at: a hook's own code, or a function of the language that it calls, may be left
at any place. What effects do may not; it is short, and the next signal comes soon. The same run of a hook that is
seen for `hook_seconds`, or for the `hook_timeout` of its route where that is less, ends with HookTimeout, in its
place, as one that waits does. An `on_auth`, run for who is not let in yet, has `auth_seconds` where that is less still.

The timer counts time of the processor: nothing is interrupted in a process that has nothing to do.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import FrameType
from typing import Final

from compiler.language.faults import HookTimeout
from runtime import interpreter, translator
from runtime.limits import ServerLimits, route_limit

LOOKS: Final = 20
"""So many times, within the time that a hook has, it is looked whether the loop turns and what runs."""
_LONGEST_SECONDS: Final = 0.1
"""Never less often: a hook has run for up to two pauses before it is seen first."""
_OURS: Final = ("runtime.", "asyncio.")
_OF_HOOKS: Final = ("runtime.interpreter", "runtime.translator")


class _Watchdog:
    """Mutable, one owner, one a process."""

    def __init__(self, limits: ServerLimits, reached: Callable[[str], None]) -> None:
        self._limits = limits
        self._reached = reached
        self._every = _pause_between_looks(limits.hook_seconds)
        self._hook: FrameType | None = None
        """The run of a hook that was seen last, since the loop turned."""
        self._since = 0.0
        self._may_run, self._limit = 0.0, ""
        """How long it may be seen, and the limit that is counted then."""
        self._is_over = False
        """Whether it has been told that its time is over."""

    def turn(self) -> None:
        """The loop turns: begin anew."""
        self._hook = None
        signal.setitimer(signal.ITIMER_VIRTUAL, 2 * self._every, self._every)
        self._timer = asyncio.get_running_loop().call_later(self._every, self.turn)

    def look(self, _: int, frame: FrameType | None) -> None:
        """The loop has not turned for a while. Raises HookTimeout into a hook that was seen for too long."""
        hook = hook_around(frame)
        if hook is None:
            return
        now = perf_counter()
        if hook is not self._hook:
            self._see(hook, now)
        elif now - self._since >= self._may_run:
            # Told again at each look: what was raised into a finaliser or a callback of the collector is lost.
            if not self._is_over:
                self._is_over = True
                self._reached(self._limit)
            raise HookTimeout(f"the hook ran longer than {self._may_run:g} s")

    def _see(self, hook: FrameType, now: float) -> None:
        """Another hook runs: have its time begin."""
        self._hook, self._since, self._is_over = hook, now, False
        self._may_run, self._limit = _time_for(hook, self._limits)
        every = _pause_between_looks(self._may_run)
        signal.setitimer(signal.ITIMER_VIRTUAL, every, every)

    def stop(self) -> None:
        """Look at nothing any more."""
        self._timer.cancel()
        self._hook = None
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _time_for(run: FrameType, limits: ServerLimits) -> tuple[float, str]:
    """How long this run of a hook may be seen, and the limit of the server that it has reached then."""
    seconds, limit = limits.hook_seconds, "hook_seconds"
    hook = translator.hook_in(run) or interpreter.hook_in(run)
    if hook is None:
        return seconds, limit
    route, chunk = hook
    if chunk is route.hooks.get("on_auth"):
        seconds, limit = min((seconds, limit), (limits.auth_seconds, "auth_seconds"))
    return route_limit(route.options, "hook_timeout", seconds), limit


def _pause_between_looks(seconds: float) -> float:
    return min(_LONGEST_SECONDS, seconds / LOOKS)


def hook_around(frame: FrameType | None) -> FrameType | None:
    """The hook that runs here, where it may be left here; None where something else runs, or does on its behalf."""
    found: FrameType | None = None
    while frame is not None:
        if translator.is_translated(frame) or interpreter.drives_a_hook(frame):
            found = frame
        elif _is_ours(frame.f_globals.get("__name__", "")):
            break
        frame = frame.f_back
    return found


def _is_ours(module: str) -> bool:
    return module.startswith(_OURS) and not module.startswith(_OF_HOOKS)


@contextmanager
def watching(limits: ServerLimits, reached: Callable[[str], None]) -> Iterator[None]:
    """Have hooks end that compute for too long, while the running loop is the main thread's and the system can tell.

    Their route may say less. `reached` counts the name of the limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    watchdog = _Watchdog(limits, reached)
    before = signal.signal(signal.SIGVTALRM, watchdog.look)
    watchdog.turn()
    try:
        yield
    finally:
        watchdog.stop()
        signal.signal(signal.SIGVTALRM, before)
