"""Try and Throw: faults and what is done about them."""

from __future__ import annotations

from compiler.bytecode.opcodes import Opcode
from compiler.diagnostics import codes
from compiler.lower import Assembler
from compiler.operations import fields
from compiler.operations.model import Attempts, Block, Flow, Leaves, Operation, Runs, Way, operation
from compiler.syntax.fields import TextField
from compiler.syntax.findings import Findings


@operation(
    synonyms=("TryCatch", "Attempt", "Rescue", "Catch"),
    example='- Try:\n    operations:\n      - WsOp: {command: broadcast, message: "{{ message }}"}\n'
    '    catch:\n      - Log: {message: "Broadcast failed: {{ error }}", level: error}',
)
class Try(Operation):
    """Runs operations; a fault in them runs `catch`, where `error` has `message`, `code`, `source` and `line`.

    `finally` runs on every way out. A fault inside `catch` or `finally` goes outward.
    """

    operations: Block = fields.operations(
        "What is tried.", aliases=("actions", "body"), synonyms={"try": "operations", "do": "operations"}
    )
    catch: Block | None = fields.operations(
        "Run on a fault, with `error`.",
        required=False,
        synonyms={"except": "catch", "rescue": "catch", "on_error": "catch", "error": "catch"},
    )
    finally_: Block | None = fields.operations(
        "Run in every case.", required=False, synonyms={"always": "finally", "ensure": "finally"}
    )

    def check(self, found: Findings) -> None:
        """One of `catch` and `finally` must be there."""
        if self.catch is None and self.finally_ is None:
            found.add(
                codes.MISSING_KEY, self.place, "Try needs `catch` or `finally`: alone it changes nothing",
                help="add `catch:` with what is to be done about an error",
            )  # fmt: skip

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
    synonyms=("Raise", "Error", "Fail", "Abort", "Assert"),
    example="- Try:\n    operations:\n      - Throw: {message: no such room, code: no_room}\n"
    '    catch:\n      - WsOp: {command: send, message: "{{ error.code }}"}',
)
class Throw(Operation):
    """Ends the hook with an error, unless a Try around it catches it."""

    message: TextField = fields.text(
        "What went wrong.", synonyms={"error": "message", "text": "message", "value": "message", "reason": "message"}
    )
    code: TextField | None = fields.text("A word for programs: `error.code`.", required=False, default="thrown")

    def flow(self) -> Flow:
        """Reads its fields and leaves."""
        return (*self.reads(), Leaves(Way.FAULT))

    def lower(self, asm: Assembler) -> None:
        """`message; code; THROW`."""
        asm.text(self.message)
        if self.code is None:
            asm.constant("thrown")
        else:
            asm.text(self.code)
        asm.emit(Opcode.THROW)
