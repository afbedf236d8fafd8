"""What is told of what goes wrong on a connection: hooks that do not end well, messages that no hook sees."""

from __future__ import annotations

import math
import os
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compiler.language.faults import Fault, OutOfFuel, Uncatchable
from runtime.events import HookCancelled, HookFaulted, Trouble, show_operands
from runtime.server.floor import Floor
from runtime.session import Cancelled, Outcome

if TYPE_CHECKING:
    from runtime.server.link import Link

BUG: Final = 1011
COMPLAINT_SECONDS: Final = 1.0
"""A connection's bad payloads are told of this seldom; all are counted."""


def result_of(outcome: Outcome) -> str:
    """How a hook ended: `ok`, `cancelled`, the fault's name, or `bug`."""
    if outcome is None:
        return "ok"
    if isinstance(outcome, Cancelled):
        return "cancelled"
    return outcome.kind.fault_name if isinstance(outcome, Fault | Uncatchable) else "bug"


def tell_trouble(floor: Floor, link: Link, hook: str, outcome: BaseException, seconds: float) -> None:
    """A hook did not end well. Where that was a bug of ours, the connection is closed."""
    events = floor.node.events
    if isinstance(outcome, Cancelled):
        if events.wanted:
            events.publish(HookCancelled(link.connection_id, link.route_name, hook))
    elif not isinstance(outcome, Fault | Uncatchable):
        _confess(floor, link, hook, outcome)
    else:
        if isinstance(outcome, OutOfFuel):
            floor.reached("fuel")
        if events.wanted:
            events.publish(_fault_of(link, hook, outcome, seconds))


def _fault_of(link: Link, hook: str, fault: Fault | Uncatchable, seconds: float) -> HookFaulted:
    return HookFaulted(
        connection_id=link.connection_id,
        route=link.route_name,
        hook=hook,
        code=fault.code,
        message=fault.message,
        file=link.source_name,
        mark=fault.mark,
        operands=show_operands(fault.operands),
        seconds=seconds,
        run=link.runs,
    )


def _confess(floor: Floor, link: Link, hook: str, bug: BaseException) -> None:
    """A bug of ours ended a hook: this connection is closed, with an id that the log has too."""
    error_id = os.urandom(6).hex()
    floor.counters.troubles += 1
    if floor.node.events.wanted:
        trace = "".join(traceback.format_exception(bug))
        floor.node.events.publish(Trouble(error_id, f"{link.route_name}: {hook}", trace))
    link.shut(BUG, f"error {error_id}")


@dataclass(slots=True)
class _Complaint:
    """When something was told of last, and how often it has happened since."""

    at: float = -math.inf
    unsaid: int = 0


class Complaints:
    """What was told of the messages of a connection that no hook saw, by reason."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, _Complaint] = {}

    def said(self, reason: str, sentence: str, now: float) -> str | None:
        """What is to be said of one more of them; None where that is too soon. `now` in seconds, of any clock."""
        complaint = self._known.setdefault(reason, _Complaint())
        if now - complaint.at < COMPLAINT_SECONDS:
            complaint.unsaid += 1
            return None
        others = f" (and {complaint.unsaid} more before)" if complaint.unsaid else ""
        complaint.at, complaint.unsaid = now, 0
        return sentence + others
