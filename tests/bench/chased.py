"""A load as fast as it is answered: in this process, on asyncio.

The connections of a group all get what its first one sends: a group is one connection for an echo, many for a room. The
next message leaves when one more has reached the whole group, so that equally many are on their way at any time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.bench.paced import ANSWER_BYTES, FRAME, PATIENCE, REST, Client, Turn, answers
from tests.bench.pairs import spent


class Group:
    """Connections with so many messages on their way at a time."""

    def __init__(self, members: Sequence[Client], on_the_way: int) -> None:
        self.members = members
        self._on_the_way = on_the_way
        self._whole = len(members) * ANSWER_BYTES
        self._sent = 0
        self._received = 0
        self._goes_on = False
        for member in members:
            member.heard = self._heard

    @property
    def is_quiet(self) -> bool:
        """Whether everybody has received all that was sent."""
        return self._received == self._sent * self._whole

    def begin(self) -> None:
        """Send from now on."""
        self._goes_on = True
        self._heard(0)

    def end(self) -> None:
        """Send no more."""
        self._goes_on = False

    def _heard(self, received: int) -> None:
        self._received += received
        if self._goes_on:
            room = self._on_the_way - self._sent + self._received // self._whole
            if room > 0:
                self._sent += room
                self.members[0].transport.write(FRAME * room)


async def turn(groups: Sequence[Group], process: int, seconds: float) -> Turn:
    """Send for so long; what is counted are the frames that come. Raises AssertionError where some are missing."""
    clients = [member for group in groups for member in group.members]
    heard, before, began = answers(clients), spent(process), time.perf_counter()
    for group in groups:
        group.begin()
    await asyncio.sleep(seconds)
    for group in groups:
        group.end()
    while not all(group.is_quiet for group in groups):
        assert time.perf_counter() - began < seconds + PATIENCE, "messages got lost"
        await asyncio.sleep(REST / 10)
    took = time.perf_counter() - began
    return Turn(answers(clients) - heard, took, spent(process) - before)
