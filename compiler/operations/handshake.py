"""Reject: the one operation that belongs to the handshake."""

from __future__ import annotations

from compiler.bytecode.opcodes import Opcode
from compiler.language import effects
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.lowering import lower_or, written_or
from compiler.operations.model import Flow, Leaves, Operation, Way, operation
from compiler.syntax.fields import TextField, Written

_FORBIDDEN = 403


@operation(
    hooks=("on_auth",),
    synonyms="Deny Refuse Forbid Unauthorized",
    example='- If:\n    condition: "{{ query.token == null }}"\n    then:\n'
    "      - Reject: {status: 401, reason: no token}",
)
class Reject(Operation):
    """Refuses the handshake. Only in `on_auth`, and nothing of the hook runs behind it."""

    status: Written[int] | None = fields.integer(
        "The HTTP status.", default=str(_FORBIDDEN), minimum=400, maximum=499, synonyms="code"
    )
    reason: TextField | None = fields.text("The text of the answer.", required=False, synonyms="message")

    def flow(self) -> Flow:
        """Reads its fields. The handshake is refused and the hook is over."""
        return (*self.reads(), Leaves(Way.HOOK))

    def lower(self, asm: Assembler) -> None:
        """`status; reason; EMIT reject; RETURN`."""
        asm.constant(written_or(self.status, _FORBIDDEN))
        lower_or(asm, self.reason, "")
        asm.effect(effects.REJECT)
        asm.emit(Opcode.RETURN)
