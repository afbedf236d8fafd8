"""WsOp, Log and Return: what goes out."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.language import effects
from compiler.language.values import Kind, Value
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.constants import constant_of
from compiler.operations.lowering import lower_or, written_or
from compiler.operations.model import Flow, Leaves, Operation, Reads, Sets, Way, operation
from compiler.operations.rows import Variant
from compiler.syntax.fields import ListField, ObjectField, TextField, ValueField, Written
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
_NORMAL_CLOSURE: Final = 1000
APPLICATION_CODES: Final = range(3000, 5000)
"""Close codes that are free for applications."""
_REASON_BYTES: Final = 123


def is_base64(value: Value) -> bool:
    """Whether a value is a text in base64."""
    try:
        base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


@operation(
    synonyms="WebSocket WebSocketOp WsOperation Ws Socket Send SendMessage Broadcast Emit Publish Reply Subscribe Close",
    hooks=("on_connect", "on_message", "on_disconnect"),
    variants=("command", _COMMANDS),
    example='- WsOp: {command: broadcast, message: "{{ message }}", channel: lobby}',
)
class WsOp(Operation):
    """Sends frames, joins and leaves channels, closes the connection."""

    command: Written[str] = fields.word(
        "What to do.", tuple(_COMMANDS), synonyms="cmd action op operation type",
        word_synonyms={"publish": "broadcast", "emit": "broadcast", "join": "subscribe", "leave": "unsubscribe",
                       "disconnect": "close", "reply": "send"},
    )  # fmt: skip
    message: TextField | ValueField | None = fields.payload(
        "The text of the frame; with a codec, any value.",
        required=False,
        synonyms="text msg data body value payload content",
    )
    channel: TextField | None = fields.channel(
        "The channel's name.",
        required=False,
        synonyms="room topic group",
        if_lost="the broadcast would go to everybody",
    )
    to: TextField | None = fields.text(
        "The id of the connection that gets it.", required=False, synonyms="connection_id target recipient"
    )
    exclude_self: Written[bool] | None = fields.flag(
        "Leave this connection out.", synonyms="except_self skip_self", if_lost="the sender would get its own message"
    )
    binary: Written[bool] | None = fields.flag(
        "The message is base64 text and goes out as a binary frame, past any codec."
    )
    code: Written[int] | None = fields.integer(
        "The close code: 1000, or 3000 to 4999.", default="1000", synonyms="status close_code"
    )
    reason: TextField | None = fields.text(
        "The reason in the close frame, at most 123 bytes.", required=False, synonyms="close_reason"
    )
    output_var: Written[str] | None = fields.variable(
        "The variable that gets the number of recipients.", required=False, synonyms="output result_var"
    )

    def check(self, found: Findings) -> None:
        """Close codes, constant reasons and constant base64."""
        code = written_or(self.code, _NORMAL_CLOSURE)
        if self.code is not None and code != _NORMAL_CLOSURE and code not in APPLICATION_CODES:
            message = f"the close code {code} is not 1000, nor one of 3000 to 4999"
            found.add(codes.BAD_VALUE, self.code.span, message)
        reason = constant_of(self.reason)
        if self.reason is not None and reason is not None and len(str(reason.value).encode()) > _REASON_BYTES:
            found.add(codes.BAD_VALUE, self.reason.span, f"a close reason has at most {_REASON_BYTES} bytes")
        if self.message is not None and written_or(self.binary, False):
            self._check_base64(found, self.message)

    def _check_base64(self, found: Findings, message: TextField | ValueField) -> None:
        constant = constant_of(message)
        fits = is_base64(constant.value) if constant else not isinstance(message, (ListField, ObjectField))
        if not fits:
            problem = "with `binary: true` the message is base64 text, and this is not"
            found.add(codes.SEND_REFUSED, message.span, problem)

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
        lower_or(asm, self.message, None)
        asm.constant(written_or(self.binary, False))

    def _send(self, asm: Assembler) -> None:
        self._payload(asm)
        if self.to is None:
            asm.effect(effects.SEND)
        else:
            asm.text(self.to)
            asm.effect(effects.SEND_TO)

    def _broadcast(self, asm: Assembler) -> None:
        self._payload(asm)
        asm.constant(written_or(self.exclude_self, False))
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
        asm.constant(written_or(self.code, _NORMAL_CLOSURE))
        lower_or(asm, self.reason, "")
        asm.effect(effects.CLOSE)


@operation(
    synonyms="Print Console Echo Debug Logger Trace",
    example='- Log: {message: "{{ connection_id }} sent {{ message }}", level: debug}',
)
class Log(Operation):
    """Writes a line to the server's log and the board. Control characters are escaped."""

    message: TextField = fields.text("The line.", synonyms="text msg value")
    level: Written[str] | None = fields.word(
        "How grave it is.", LEVELS, required=False, default="info", synonyms="severity",
        word_synonyms={"warning": "warn", "err": "error", "fatal": "error", "critical": "error", "trace": "debug",
                       "notice": "info"},
    )  # fmt: skip

    def lower(self, asm: Assembler) -> None:
        """`level; message; EMIT log`."""
        asm.constant(written_or(self.level, "info"))
        asm.text(self.message)
        asm.effect(effects.LOG)
        asm.emit(Opcode.DROP)


@operation(
    synonyms="Respond Exit Stop End",
    example="- Return: {value: \"Hello {{ query.name ?? 'you' }}\"}",
)
class Return(Operation):
    """Ends the whole hook, through every nesting. A value that is not null is sent to this connection."""

    value: ValueField | None = fields.value(
        "What is sent: text as it is, anything else as JSON; with a codec, encoded.",
        required=False,
        default="null",
        synonyms="message result data body",
    )

    def flow(self) -> Flow:
        """Reads the value and leaves."""
        return (*self.reads(), Leaves(Way.HOOK))

    def lower(self, asm: Assembler) -> None:
        """`value; RETURN`."""
        lower_or(asm, self.value, None)
        asm.emit(Opcode.RETURN)
