"""What the feed says of a server: its routes, connections and channels as JSON objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias

from compiler.bytecode.opcodes import Opcode
from compiler.bytecode.program import Program, RouteProgram
from compiler.language.hooks import INPUT_NUMBERS, INPUTS
from compiler.language.values import UNSET
from runtime.channels import Hub
from runtime.host import Far
from runtime.router import addresses
from runtime.server.catalogue import Served
from runtime.server.link import Link

Document: TypeAlias = dict[str, Any]
"""A JSON object."""
MOST_ROUTES: Final = 250
MOST_CONNECTIONS: Final = 300
MOST_CHANNELS: Final = 200
MOST_MEMBERS: Final = 1_000
"""Of all channels together: so many ids are named, the rest is counted."""
REASON_CHARACTERS: Final = 200
PATH_CHARACTERS: Final = 200
_QUERY: Final = INPUT_NUMBERS["query"]
_MEMBERS: Final = frozenset({Opcode.MEMBER, Opcode.MEMBER_SAFE})
_INDEXES: Final = frozenset({Opcode.INDEX, Opcode.INDEX_SAFE})


def routes_document(routes: Iterable[Served[Link]], prefix: str) -> Document:
    """The routes there are, or as many as are shown, and their number."""
    served = list(routes)
    return {"total": len(served), "list": [route_document(one, prefix) for one in served[:MOST_ROUTES]]}


def route_document(served: Served[Link], prefix: str) -> Document:
    """A route with all that is needed to connect to it, and how it is served."""
    version = served.version
    program = version.route.program if version is not None else None
    return {
        "path": str(served.pattern),
        "addresses": [str(address) for address in addresses(served.pattern, prefix)],
        "name": served.name,
        "description": program.options.get("description", "") if program else "",
        "params": list(served.pattern.parameters),
        "query": list(query_keys(version.owner, program)) if version is not None and program else [],
        "hooks": list(program.hooks) if program else [],
        "condition": served.condition.value,
        "reason": served.reason.partition("\n")[0][:REASON_CHARACTERS],
        "generation": served.generation,
        "file": version.owner.source_name if version is not None else "",
        "connections": len(served.links),
    }


def query_keys(owner: Program, route: RouteProgram) -> tuple[str, ...]:
    """The query keys that a route's code asks for by name, in the order in which it does."""
    return tuple(dict.fromkeys(key for chunk in route.chunks for key in _keys(chunk.code, owner)))


def _keys(code: Iterable[Any], owner: Program) -> Iterator[str]:
    """`query.key` and `query['key']`: the input, then a member of it or a constant and an index."""
    steps = list(code)
    for at, step in enumerate(steps):
        if step.opcode is not Opcode.INPUT or step.operand != _QUERY:
            continue
        following = steps[at + 1 : at + 3]
        opcodes = [one.opcode for one in following]
        is_indexed = len(opcodes) == 2 and opcodes[0] is Opcode.CONST and opcodes[1] in _INDEXES
        if is_indexed or (opcodes and opcodes[0] in _MEMBERS):
            key = owner.constants[following[0].operand]
            if isinstance(key, str):
                yield key


def connection_document(link: Link) -> Document:
    """A connection, as the list of them has it."""
    session = link.session
    return {
        "id": session.id,
        "route": link.route_name,
        "path": link.path[:PATH_CHARACTERS],
        "pattern": str(link.served.pattern),
        "generation": session.version.generation,
        "remote_addr": link.remote_address,
    }


def connection_details(link: Link, hub: Hub[Far]) -> Document:
    """A connection with the hook that runs, what its hooks see, its variables and its channels."""
    session = link.session
    slots = session.route.program.slots
    seen = zip(INPUTS, session.inputs, strict=True)
    variables = zip(slots, session.slots, strict=False)  # a session that is over has none
    return {
        **connection_document(link),
        "hook": session.hook,
        "inputs": {name: value for name, value in seen if value is not None},
        "variables": {slot.name: value for slot, value in variables if value is not UNSET},
        "channels": list(hub.channels_of(link.far)),
        "queued_bytes": link.far.queued_bytes,
    }


def connections_document(links: Iterable[Link], number: int) -> Document:
    """The connections there are, or as many as are shown, and their number."""
    return {"total": number, "list": [connection_document(link) for link in islice(links, MOST_CONNECTIONS)]}


def channels_document(hub: Hub[Far]) -> Document:
    """The channels with their sizes and, as far as there is room, the ids of their members."""
    room, listed, total = MOST_MEMBERS, list[Document](), 0
    for name, size in hub.channels():
        total += 1
        if len(listed) < MOST_CHANNELS:
            members = hub.ids(name)[:room] if room > 0 else []
            room -= len(members)
            listed.append({"name": name, "size": size, "members": members})
    return {"total": total, "list": listed}
