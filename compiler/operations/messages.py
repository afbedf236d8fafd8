"""WsOp, Log and Return: what goes out."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.language import effects
from compiler.language.values import Kind
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.model import Flow, Leaves, Operation, Reads, Sets, Variant, Way, operation
from compiler.syntax.fields import TextField, ValueField, Written
from compiler.syntax.findings import Findings

LEVELS: Final = ("debug", "info", "warn", "error")
"""Levels of Log, from talkative to grave."""

_COMMANDS: Final = {
    "send": Variant(("message",), ("to", "binary", "output_var"), "to this connection, or to another one by its id"),
    "broadcast": Variant(
        ("message",), ("channel", "exclude_self", "binary", "output_var"), "to everybody, or to a channel"
    ),
    "subscribe": Variant(("channel",), ("output_var",), "join a channel"),
    "unsubscribe": Variant(("channel",), ("output_var",), "leave a channel"),
    "close": Variant((), ("code", "reason", "output_var"), "close this connection"),
}
_CLOSE_REASON_BYTES: Final = 123


@operation(
    synonyms=("WebSocket", "WebSocketOp", "Ws", "Socket", "Send", "Broadcast", "Emit", "Publish", "Reply"),
    hooks=("on_connect", "on_message", "on_disconnect"),
    variants=("command", _COMMANDS),
    example='- WsOp: {command: broadcast, message: "{{ message }}", channel: lobby}',
)
class WsOp(Operation):
    """Sends frames, joins and leaves channels, closes the connection."""

    command: Written[str] = fields.word(
        "What to do.", tuple(_COMMANDS),
        word_synonyms={"publish": "broadcast", "emit": "broadcast", "join": "subscribe", "leave": "unsubscribe",
                  "disconnect": "close", "reply": "send"},
    )  # fmt: skip
    message: TextField | ValueField | None = fields.payload(
        "The text of the frame.",
        required=False,
        synonyms={"text": "message", "data": "message", "body": "message", "value": "message"},
    )
    channel: TextField | None = fields.channel(
        "The channel's name.", required=False, synonyms={"room": "channel", "topic": "channel", "group": "channel"}
    )
    to: TextField | None = fields.text(
        "The id of the connection that gets it.",
        required=False,
        synonyms={"connection_id": "to", "target": "to", "recipient": "to"},
    )
    exclude_self: Written[bool] | None = fields.flag(
        "Leave this connection out.", synonyms={"except_self": "exclude_self"}
    )
    binary: Written[bool] | None = fields.flag("The message is base64 text and goes out as a binary frame.")
    code: Written[int] | None = fields.integer("The close code: 1000, or 3000 to 4999.", default="1000")
    reason: TextField | None = fields.text("The reason in the close frame, at most 123 bytes.", required=False)
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the number of recipients.", required=False
    )

    def check(self, found: Findings) -> None:
        """Close codes, constant reasons and constant base64."""
        if self.code is not None and self.code.value != 1000 and not 3000 <= self.code.value <= 4999:
            found.add(
                codes.BAD_VALUE,
                self.code.span,
                f"the close code {self.code.value} is not 1000, nor one of 3000 to 4999",
            )
        if self.reason is not None and len((self.reason.template.constant or "").encode()) > _CLOSE_REASON_BYTES:
            found.add(codes.BAD_VALUE, self.reason.span, f"a close reason has at most {_CLOSE_REASON_BYTES} bytes")
        if self.binary is not None and self.binary.value and isinstance(self.message, TextField):
            self._check_base64(found, self.message)

    def _check_base64(self, found: Findings, message: TextField) -> None:
        constant = message.template.constant
        try:
            base64.b64decode(constant or "", validate=True)
        except (binascii.Error, ValueError):
            found.add(
                codes.SEND_REFUSED, message.span, "with `binary: true` the message is base64 text, and this is not"
            )

    def flow(self) -> Flow:
        """Reads its fields in the order of evaluation, then sets `output_var`."""
        read: tuple[TextField | ValueField | None, ...] = (self.message, self.channel, self.to, self.reason)
        steps: Flow = tuple(Reads(field) for field in read if field is not None)
        return (*steps, Sets(self.output_var, Kind.NUMBER)) if self.output_var is not None else steps

    def lower(self, asm: Assembler) -> None:
        """Arguments, then the command's effect."""
        match self.command.value:
            case "send":
                self._send(asm)
            case "broadcast":
                self._broadcast(asm)
            case "subscribe":
                self._membership(asm, effects.SUBSCRIBE)
            case "unsubscribe":
                self._membership(asm, effects.UNSUBSCRIBE)
            case _:
                self._close(asm)
        if self.output_var is not None:
            asm.store(self.output_var.value)
        else:
            asm.emit(Opcode.DROP)

    def _payload(self, asm: Assembler) -> None:
        assert self.message is not None
        if isinstance(self.message, TextField):
            asm.text(self.message)
        else:
            asm.value(self.message)
        asm.constant(self.binary is not None and self.binary.value)

    def _send(self, asm: Assembler) -> None:
        self._payload(asm)
        if self.to is None:
            asm.effect(effects.SEND)
        else:
            asm.text(self.to)
            asm.effect(effects.SEND_TO)

    def _broadcast(self, asm: Assembler) -> None:
        self._payload(asm)
        asm.constant(self.exclude_self is not None and self.exclude_self.value)
        if self.channel is None:
            asm.effect(effects.BROADCAST)
        else:
            asm.channel(self.channel)
            asm.effect(effects.PUBLISH)

    def _membership(self, asm: Assembler, effect: effects.Effect) -> None:
        assert self.channel is not None
        asm.channel(self.channel)
        asm.effect(effect)

    def _close(self, asm: Assembler) -> None:
        asm.constant(1000 if self.code is None else self.code.value)
        if self.reason is None:
            asm.constant("")
        else:
            asm.text(self.reason)
        asm.effect(effects.CLOSE)


@operation(
    synonyms=("Print", "Console", "Echo", "Debug", "Logger", "Trace"),
    example='- Log: {message: "{{ connection_id }} sent {{ message }}", level: debug}',
)
class Log(Operation):
    """Writes a line to the server's log and the board. Control characters are escaped."""

    message: TextField = fields.text("The line.", synonyms={"text": "message", "msg": "message", "value": "message"})
    level: Written[str] | None = fields.word(
        "How grave it is.", LEVELS, required=False, default="info",
        word_synonyms={"warning": "warn", "err": "error", "fatal": "error", "critical": "error", "trace": "debug", "notice": "info"},
    )  # fmt: skip

    def lower(self, asm: Assembler) -> None:
        """`level; message; EMIT log`."""
        asm.constant("info" if self.level is None else self.level.value)
        asm.text(self.message)
        asm.effect(effects.LOG)
        asm.emit(Opcode.DROP)


@operation(
    synonyms=("Respond", "Exit", "Stop", "End"), example="- Return: {value: \"Hello {{ query.name ?? 'you' }}\"}"
)
class Return(Operation):
    """Ends the whole hook, through every nesting. A value that is not null is sent to this connection."""

    value: ValueField | None = fields.value(
        "What is sent: text as it is, anything else as JSON.", required=False, default="null",
        synonyms={"message": "value", "result": "value", "data": "value", "body": "value"},
    )  # fmt: skip

    def flow(self) -> Flow:
        """Reads the value and leaves."""
        return (*self.reads(), Leaves(Way.HOOK))

    def lower(self, asm: Assembler) -> None:
        """`value; RETURN`."""
        if self.value is None:
            asm.constant(None)
        else:
            asm.value(self.value)
        asm.emit(Opcode.RETURN)
