"""What a prompt remembers, and what it does with each input. Knows no terminal beyond the console."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from compiler.diagnostics.escape import escape, escape_json
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.faults import Fault
from compiler.language.values import Value, to_json
from worpen_cli.console import Console
from worpen_cli.findings import render_for
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.mistakes import Refused, show_mistake
from worpen_cli.repl.saving import Entry, names_read
from worpen_cli.repl.statements import COMMAND_MARK, Statement, read_statement

if TYPE_CHECKING:
    from compiler.pipeline import Settings
    from worpen_cli.repl.attachment import Attachment
    from worpen_cli.repl.scene import Scene


class Leave(Exception):
    """The user asked to end."""


class Command(Protocol):
    """A command of the prompt, as far as a conversation needs to know it."""

    def __call__(self, conversation: Conversation, argument: str) -> None:
        """Do it. Raises Mistake, Fault, Refused, Leave."""


@dataclass(slots=True)
class Conversation:
    """The variables, the scene, and what was entered. Mutable, one a prompt."""

    evaluator: Evaluator
    console: Console
    settings: Callable[[], Settings]
    """What a route is compiled with; the compiler of routes is loaded when it is needed."""
    commands: Mapping[str, Command]
    variables: dict[str, Value] = field(default_factory=dict)
    scene: Scene | None = None
    attached: Attachment | None = None
    """A connection of a running server, which is only looked at."""
    entered: list[Entry] = field(default_factory=list)
    _scope: dict[str, Value] | None = None

    @property
    def scope(self) -> dict[str, Value]:
        """All names there are: the connection's, hidden by those set here. The same object until one changes."""
        if self._scope is None:
            given = self.attached.scope if self.attached else self.scene.scope() if self.scene else {}
            self._scope = {**given, **self.variables}
        return self._scope

    def take(self, text: str) -> None:
        """Act on one input and show what comes of it. Raises Leave."""
        stripped = text.strip()
        if not stripped:
            return
        try:
            if stripped.startswith(COMMAND_MARK):
                with suppress(Refused):  # what is over cannot be asked any more, but left
                    self._look_again()
                self._obey(stripped[1:])
            else:
                self._look_again()
                self._evaluate(text)
        except Mistake as mistake:
            self.show_mistake(mistake)
        except Fault as fault:
            self.console.problem(fault.message, kind=fault.kind)
        except Refused as refusal:
            self._show_refusal(refusal)
        finally:
            self._scope = None

    def value(self, statement: Statement) -> Value:
        """The value of a statement. Raises Mistake."""
        return self.evaluator.evaluate(statement.position, statement.text, self.scope)

    def _look_again(self) -> None:
        """See what the server's connection is like now. Raises Refused where it is over."""
        if self.attached is not None:
            self.attached.refresh()
            self._scope = None

    def detach(self) -> None:
        """Look at a server's connection no more."""
        if self.attached is not None:
            self.attached.close()
        self.attached = None
        self._scope = None

    def assign(self, name: str, value: Value) -> None:
        """Set a variable: the connection's where the route has it, else one of the prompt."""
        if self.attached is not None or self.scene is None or not self.scene.assign(name, value):
            self.variables[name] = value
        self._scope = None

    def _evaluate(self, text: str) -> None:
        statement = read_statement(text)
        read = names_read(statement, self.scope)
        try:
            value = self.value(statement)
        except Mistake:
            self.entered.append(Entry(text, statement, read, failed=True))
            raise
        if statement.name is not None:
            self.assign(statement.name, value)
        self.entered.append(Entry(text, statement, read, value))
        self.show_value(value)

    def _obey(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        if (command := self.commands.get(name)) is None:
            self.console.problem(f"no such command: :{name}", did_you_mean(name, self.commands) or ":help lists them")
            return
        command(self, argument.strip())

    # What is shown.

    def say(self, line: str) -> None:
        """One line of text, escaped here."""
        self.console.print_line(escape(line))

    def show_value(self, value: Value, name: str = "") -> None:
        """A value as JSON on one line, coloured on a terminal."""
        shown = escape_json(f"{name} = {to_json(value)}" if name else to_json(value))
        self.console.print_line(self.painted(shown))

    def painted(self, shown: str) -> str:
        """Safe text of the language in its colours, where there are any."""
        from worpen_cli.repl.colors import paint

        return paint(shown, self.console)

    def show_mistake(self, mistake: Mistake) -> None:
        """Why there is no value."""
        show_mistake(mistake, self.console, self._hint(mistake))

    def _hint(self, mistake: Mistake) -> str:
        """A name that the route sets, but not before this moment."""
        if self.scene is None or mistake.code.name != "unknown-variable" or mistake.span is None:
            return ""
        text = mistake.diagnostics[0].source.text
        name = text[mistake.span[0] : mistake.span[1]]
        return f"the route sets `{name}`, but has not yet: `:fire`, or `{name} = …`" if self.scene.expects(name) else ""

    def _show_refusal(self, refusal: Refused) -> None:
        if refusal.diagnostics:
            shown = render_for(self.console, refusal.diagnostics, full=True, to_stderr=True)
            self.console.talk_rendered(shown)
        else:
            self.console.problem(refusal.message, refusal.help)
