"""What channels keep in the store for clients that come back: one stream for each channel. Pure, no I/O.

It is what `runtime.history.Ring` is on a node alone, once for all nodes. Beside the stream there is the channel's
*place*, a hash with the epoch, the last offset and what the channel keeps. Everything is done by scripts, each of which
the store runs as one: a message gets its offset, is kept and is published in one step, so that the order of offsets is
the order in which all nodes hear it. An entry's id is the time in milliseconds and the offset. Both keys are forgotten
when nobody used them for the channel's `ttl` and up to a quarter more; the next message begins another epoch, as it
does after the store lost them in any other way. Messages that are too old are passed over by who reads, and dropped now
and then.

A message is published as the bytes before its frame, the frame, and behind it its offset and epoch, which the script
writes: to the reader it is an array that ends in these two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.envelope import Position
from runtime.history import MESSAGE_BYTES, Keep, Missed, missed_after

STORE_CLOCK: Final = "redis.call('TIME')"
"""Gives seconds and microseconds."""
NOT_KEPT: Final = 0
REFUSED: Final = -1
"""The store has no room: the message was published and not kept, and the channel's place is gone."""
FULL: Final = 2
"""Older messages were dropped because of their bytes."""

DROPPED_MOST: Final = 1_000
"""So many messages are dropped in one step."""
SIZE_MOST: Final = 1_000_000_000
TTL_MOST_MS: Final = 10 * 365 * 24 * 3_600_000
"""What stores can count; longer is for ever, where nobody uses the channel."""

_SHARED: Final = r"""
local COST, MOST = MESSAGE_BYTES, DROPPED_MOST
local function now()
  local time = CLOCK
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function whole(number) return string.format('%.0f', number) end
local function parts(id)
  local time, offset = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(time), tonumber(offset)
end
-- A quarter more than its time, so that a busy channel need not say with every message that it is used.
local function used(ttl)
  local time = whole(math.ceil(ttl * 1.25))
  redis.call('PEXPIRE', KEYS[1], time)
  redis.call('PEXPIRE', KEYS[2], time)
end
-- epoch, offset, time: of the last message; sum: the bytes of all there were; base: of those that were dropped,
-- when that was looked at last; used: when both keys were told last to live on; size, ttl: the terms.
local EPOCH, OFFSET, TIME, SUM, BASE, USED, SIZE, TTL = 1, 2, 3, 4, 5, 6, 7, 8
local function place()
  return redis.call('HMGET', KEYS[2], 'epoch', 'offset', 'time', 'sum', 'base', 'used', 'size', 'ttl')
end
-- A new place, or nothing where the store has no room for it: it says so before a script has changed anything only.
local function begin(epoch, size, ttl)
  local done = redis.pcall('HSET', KEYS[2], 'epoch', epoch, 'offset', '0', 'time', '0', 'sum', '0', 'base', '0',
    'used', '0', 'size', size, 'ttl', ttl)
  if type(done) == 'table' and done.err then return nil end
  redis.call('DEL', KEYS[1])
  return {epoch, '0', '0', '0', '0', '0', size, ttl}
end
-- Where routes ask for different terms, the larger hold.
local function widen(kept, size, ttl)
  if size ~= '' and tonumber(size) > tonumber(kept[SIZE]) then
    kept[SIZE] = size
    redis.pcall('HSET', KEYS[2], 'size', size)
  end
  if ttl ~= '' and tonumber(ttl) > tonumber(kept[TTL]) then
    kept[TTL] = ttl
    redis.pcall('HSET', KEYS[2], 'ttl', ttl)
  end
end
"""

_APPEND: Final = r"""
local topic, head, frame, fresh, most, size, ttl = unpack(ARGV)
local function publish(offset, epoch)
  redis.call('PUBLISH', topic, head .. frame .. cmsgpack.pack(offset) .. cmsgpack.pack(epoch))
end
local kept = place()
if not kept[EPOCH] then
  if size == '' then
    publish(0, '')
    return 0
  end
  kept = begin(fresh, size, ttl)
end
local offset, time, sum
if kept then
  if size ~= kept[SIZE] or ttl ~= kept[TTL] then widen(kept, size, ttl) end
  offset, time, sum = kept[OFFSET] + 1, math.max(now(), tonumber(kept[TIME])), kept[SUM] + #frame + COST
  local done = redis.pcall('XADD', KEYS[1], 'MAXLEN', kept[SIZE], whole(time) .. '-' .. whole(offset),
    'frame', frame, 'sum', whole(sum))
  if type(done) == 'table' and done.err then kept = nil end
end
if not kept then
  redis.call('DEL', KEYS[1], KEYS[2])
  publish(0, '')
  return -1
end
-- Drops the oldest while this holds of one, by its time and by what it and all after it hold; the rest next time, where
-- they are so many that others would wait for it.
local function drop(is_due)
  local page, dropped = 1, 0
  while true do
    local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', page)
    if #first == 0 then return dropped, 0 end
    for _, entry in ipairs(first) do
      local held = sum - entry[2][4] + #entry[2][2] + COST
      if dropped == MOST or not is_due(parts(entry[1]), held) then return dropped, held end
      redis.call('XDEL', KEYS[1], entry[1])
      dropped = dropped + 1
    end
    page = math.min(2 * page, 64)
  end
end
local result = 1
redis.call('HSET', KEYS[2], 'offset', whole(offset), 'time', whole(time), 'sum', whole(sum))
if sum - kept[BASE] > tonumber(most) then
  local dropped, held = drop(function(_, held) return held > tonumber(most) end)
  if dropped > 0 then result = 2 end
  redis.call('HSET', KEYS[2], 'base', whole(sum - held))
end
if time - kept[USED] >= kept[TTL] / 4 then
  if drop(function(at) return at < time - kept[TTL] end) < MOST then
    redis.call('HSET', KEYS[2], 'used', whole(time))
  end
  used(kept[TTL])
end
publish(offset, kept[EPOCH])
return result
"""

_READ: Final = r"""
local epoch, seen, room, fresh, size, ttl = unpack(ARGV)
local kept = place()
if not kept[EPOCH] then
  if size == '' then return {''} end
  kept = begin(fresh, size, ttl)
  if not kept then return {''} end
end
widen(kept, size, ttl)
used(kept[TTL])
seen, room = tonumber(seen), tonumber(room)
local last = tonumber(kept[OFFSET])
local is_known = epoch == kept[EPOCH] and seen >= 0 and seen <= last
local oldest = math.max(now(), tonumber(kept[TIME])) - kept[TTL]
local frames, sizes, number, upto, is_done = {}, {}, last, '+', false
if is_known and seen == last then is_done = true end
while not is_done do
  local page = redis.call('XREVRANGE', KEYS[1], upto, '-', 'COUNT', 32)
  is_done = #page == 0
  for _, entry in ipairs(page) do
    local time, offset = parts(entry[1])
    room = room - #entry[2][2] - COST
    if time < oldest or room < 0 or (is_known and offset <= seen) then
      is_done = true
      break
    end
    table.insert(frames, entry[2][2])
    table.insert(sizes, #entry[2][2])
    number, upto = offset - 1, whole(time) .. '-' .. whole(offset - 1)
  end
end
return {kept[EPOCH], last, is_known and math.max(0, number - seen) or -1,
  table.concat(sizes, ' '), table.concat(frames)}
"""

_TOUCH: Final = r"""
local ttl = redis.call('HGET', KEYS[2], 'ttl')
if ttl then used(ttl) end
return 0
"""

_RENEW: Final = r"""
local topic, head, fresh = unpack(ARGV)
local kept = place()
if not kept[EPOCH] then return 0 end
if not begin(fresh, kept[SIZE], kept[TTL]) then
  redis.call('DEL', KEYS[2])
  return 0
end
used(kept[TTL])
redis.call('PUBLISH', topic, head .. cmsgpack.pack(0) .. cmsgpack.pack(fresh))
return 1
"""

_OPEN_TAIL: Final = b"\x00\xa0"
"""What stands at the end of a message whose offset is still to be written: 0 and an empty text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the store says of a channel: where it is, and what it missed whom the question was about."""

    at: Position
    missed: Missed

    def after(self, seen: Position, most_bytes: int) -> Missed:
        """The same for somebody else who saw no less, of at most so many bytes."""
        is_known = seen.epoch == self.at.epoch and 0 <= seen.offset <= self.at.offset
        newest_first = (frame for _, frame in reversed(self.missed.messages))
        return missed_after(seen.offset if is_known else None, self.at.offset, newest_first, most_bytes)


@dataclass(frozen=True, slots=True)
class Streams:
    """Makes the commands. `prefix` begins the names of keys and ends in a separator; `clock` is for tests."""

    prefix: str
    most_bytes: int
    """What one channel keeps at most, its messages' own cost included."""
    clock: str = STORE_CLOCK
    _append: bytes = field(init=False)
    _read: bytes = field(init=False)
    _touch: bytes = field(init=False)
    _renew: bytes = field(init=False)

    def __post_init__(self) -> None:
        for name, body in (("_append", _APPEND), ("_read", _READ), ("_touch", _TOUCH), ("_renew", _RENEW)):
            object.__setattr__(self, name, hashlib.sha1(self._whole(body)).hexdigest().encode())

    def _whole(self, body: str) -> bytes:
        given = {"MESSAGE_BYTES": str(MESSAGE_BYTES), "DROPPED_MOST": str(DROPPED_MOST), "CLOCK": self.clock}
        shared = _SHARED
        for name, value in given.items():
            shared = shared.replace(name, value)
        return (shared + body).encode()

    def load(self) -> tuple[tuple[bytes, ...], ...]:
        """The commands that teach a store the scripts: to be given before all others."""
        return tuple((b"SCRIPT", b"LOAD", self._whole(body)) for body in (_APPEND, _READ, _TOUCH, _RENEW))

    def append(
        self, channel: str, topic: bytes, message: bytes, frame_bytes: int, fresh: str, keep: Keep | None
    ) -> tuple[bytes, ...]:
        """Keep and publish a message, which ends in its frame, 0 and an empty text. `fresh`: the epoch where the
        channel has none; without `keep` it is kept only where the channel keeps messages already.

        The store answers NOT_KEPT, 1, FULL or REFUSED.
        """
        assert message.endswith(_OPEN_TAIL)
        end = len(message) - len(_OPEN_TAIL)
        start = end - frame_bytes
        most = b"%d" % self.most_bytes
        return self._command(
            self._append, channel, topic, message[:start], message[start:end], fresh.encode(), most, *_terms(keep)
        )

    def read(
        self, channel: str, seen: Position | None, most_bytes: int, fresh: str, keep: Keep | None
    ) -> tuple[bytes, ...]:
        """Ask where a channel is and what came after a position: see `parse`. With `keep` the channel begins, where
        it kept nothing."""
        epoch, offset = (seen.epoch, seen.offset) if seen is not None else ("", -1)
        room = max(0, most_bytes) if seen is not None else 0
        written = epoch.encode("utf-8", "surrogatepass")
        return self._command(
            self._read, channel, written, b"%d" % offset, b"%d" % room, fresh.encode(), *_terms(keep)
        )  # fmt: skip

    def touch(self, channel: str) -> tuple[bytes, ...]:
        """A channel is used: its time begins anew."""
        return self._command(self._touch, channel)

    def renew(self, channel: str, topic: bytes, notice: bytes, fresh: str) -> tuple[bytes, ...]:
        """Begin a new epoch of a channel that keeps messages, and tell all nodes with this notice."""
        assert notice.endswith(_OPEN_TAIL)
        return self._command(self._renew, channel, topic, notice[: -len(_OPEN_TAIL)], fresh.encode())

    def _command(self, script: bytes, channel: str, *arguments: bytes) -> tuple[bytes, ...]:
        name = channel.encode("utf-8", "surrogatepass")
        prefix = self.prefix.encode()
        return (b"EVALSHA", script, b"2", prefix + b"kept:" + name, prefix + b"place:" + name, *arguments)


def parse(answer: Any) -> Answer | None:
    """The answer to `read`; None where the channel keeps nothing."""
    if not answer[0]:
        return None
    epoch, last, lost, sizes, frames = answer
    messages: list[tuple[int, bytes]] = []
    # The newest is the first, and `last`. In one piece they take a fifth of the time to read.
    start = 0
    for number, size in enumerate(map(int, sizes.split())):
        messages.append((last - number, frames[start : start + size]))
        start += size
    return Answer(Position(epoch.decode(), last), Missed(None if lost < 0 else lost, tuple(reversed(messages))))


def _terms(keep: Keep | None) -> tuple[bytes, bytes]:
    return (
        (b"", b"")
        if keep is None
        else (
            b"%d" % min(keep.size, SIZE_MOST),
            b"%d" % max(1, round(min(keep.ttl * 1000, TTL_MOST_MS))),
        )
    )
