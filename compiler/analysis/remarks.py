"""What is seen of a route only as a whole: variables that nobody reads, replies that go nowhere or claim too much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from compiler.analysis.flow import ChannelUse
from compiler.analysis.names import RouteVariables
from compiler.analysis.outline import Outline
from compiler.diagnostics import codes
from compiler.operations.messages import Return, WsOp
from compiler.operations.model import Operation
from compiler.operations.route import Route
from compiler.syntax.fields import TemplateField, TextField
from compiler.syntax.findings import Findings

_CLAIM: Final = re.compile(r"\b(?:subscribed to|joined)\b", re.IGNORECASE)
_JOINING: Final = frozenset({"subscribe", "broadcast"})
_SILENT: Final = frozenset({"on_auth", "on_disconnect"})
"""Hooks whose returned value is not sent."""


def remark(route: Route, found: Findings, variables: RouteVariables, channels: Sequence[ChannelUse]) -> None:
    """Say what there is to say about the route as a whole."""
    _note_nothing_sent(variables.outline, found)
    if not route.broken:
        _note_unused(found, variables)
        _note_claims(variables.outline, found, channels)


def _note_unused(found: Findings, variables: RouteVariables) -> None:
    for name, places in variables.outline.settings.items():
        # Results that nobody named (`sql_result`) may go unread.
        is_read = name in variables.read or name in variables.misspelt
        if not is_read and any(place.name.field for place in places):
            found.add(codes.UNUSED_VARIABLE, places[0].name.span, f"`{name}` is set, but never read")


def _note_claims(outline: Outline, found: Findings, channels: Sequence[ChannelUse]) -> None:
    """A reply that speaks of a subscription, in a route whose operations join no such channel."""
    if any(use.command in _JOINING for use in channels):
        return
    for _, operation in outline.operations:
        field = _reply(operation)
        if isinstance(field, (TextField, TemplateField)) and _CLAIM.search(field.scalar.value):
            help = "join it: `- WsOp: {command: subscribe, channel: …}`"
            found.add(codes.CLAIMED_SUBSCRIPTION, field.span, "no operation of this route joins a channel", help=help)


def _reply(operation: Operation) -> object:
    if isinstance(operation, WsOp):
        return operation.message
    return operation.value if isinstance(operation, Return) else None


def _note_nothing_sent(outline: Outline, found: Findings) -> None:
    for hook, operation in outline.operations:
        if hook not in _SILENT or hook not in operation.hooks:  # where it cannot stand at all, that was said
            continue
        if isinstance(operation, Return) and operation.value is not None:
            found.add(codes.NOTHING_SENT, operation.place, f"what Return gives in {hook} is not sent")
        elif isinstance(operation, WsOp) and operation.command.value == "send" and operation.to is None:
            message = "`send` in on_disconnect reaches nobody: the connection is closed"
            help = "`broadcast` reaches the others, `to` one of them"
            found.add(codes.NOTHING_SENT, operation.place, message, help=help)
