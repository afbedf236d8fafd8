"""Try and Throw: faults and what is done about them."""

from __future__ import annotations

from compiler.bytecode.opcodes import Opcode
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.lowering import lower_or
from compiler.operations.model import Attempts, Block, Flow, Leaves, Operation, Runs, Way, operation
from compiler.syntax.fields import TextField


@operation(
    nests=True,
    one_of=("catch", "finally"),
    synonyms="TryCatch Attempt Rescue Catch",
    example='- Try:\n    operations:\n      - WsOp: {command: broadcast, message: "{{ message }}"}\n'
    '    catch:\n      - Log: {message: "Broadcast failed: {{ error }}", level: error}',
)
class Try(Operation):
    """Runs operations; a fault in them runs `catch`, where `error` has `message`, `code`, `source` and `line`.

    `finally` runs on every way out. A fault inside `catch` or `finally` goes outward.
    """

    operations: Block = fields.operations("What is tried.", aliases=("actions", "body"), synonyms="try do then")
    catch: Block | None = fields.operations(
        "Run on a fault, with `error`; an empty list passes over it in silence.",
        required=False,
        synonyms="except rescue on_error error",
        may_be_empty=True,
    )
    finally_: Block | None = fields.operations("Run in every case.", required=False, synonyms="always ensure")

    def flow(self) -> Flow:
        """The three blocks."""
        recovery = None if self.catch is None else (Runs(self.catch),)
        cleanup = () if self.finally_ is None else (Runs(self.finally_),)
        return (Attempts((Runs(self.operations),), recovery, cleanup),)

    def lower(self, asm: Assembler) -> None:
        """`TRY; operations; CATCH; catch; FINALLY; finally; END`."""
        with asm.block(Opcode.TRY):
            asm.operations(self.operations.operations)
            if self.catch is not None:
                error = asm.new_local("error")
                asm.catch(error)
                with asm.scope(error=error):
                    asm.operations(self.catch.operations)
            if self.finally_ is not None:
                asm.finally_()
                asm.operations(self.finally_.operations)


@operation(
    synonyms="Raise Error Fail Abort Assert",
    example="- Try:\n    operations:\n      - Throw: {message: no such room, code: no_room}\n"
    '    catch:\n      - WsOp: {command: send, message: "{{ error.code }}"}',
)
class Throw(Operation):
    """Ends the hook with an error, unless a Try around it catches it."""

    message: TextField = fields.text("What went wrong.", synonyms="error text value reason msg")
    code: TextField | None = fields.text("A word for programs: `error.code`.", required=False, default="thrown")

    def flow(self) -> Flow:
        """Reads its fields and leaves."""
        return (*self.reads(), Leaves(Way.FAULT))

    def lower(self, asm: Assembler) -> None:
        """`message; code; THROW`."""
        asm.text(self.message)
        lower_or(asm, self.code, "thrown")
        asm.emit(Opcode.THROW)
