"""`worpen repl` at a terminal: a prompt with several lines, a history, completion and commands."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compiler.diagnostics.suggest import did_you_mean
from compiler.language.faults import Fault
from compiler.language.functions import FUNCTIONS, SPELLINGS
from compiler.language.values import Value, describe, to_json
from worpen_cli.console import Console, ExitCode
from worpen_cli.evaluation import Evaluator, Mistake, Statement, is_open, read_statement
from worpen_cli.findings import render_for

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer

PROMPT: Final = "worpen> "
CONTINUED: Final = "   ...> "
HISTORY_MODE: Final = 0o600
_WORD: Final = re.compile(r":?[A-Za-z_][A-Za-z0-9_]*")


class Leave(Exception):
    """The user asked to end."""


@dataclass(slots=True)
class Conversation:
    """What a prompt remembers: the variables, and what was entered. Mutable, one a prompt."""

    evaluator: Evaluator
    console: Console
    variables: dict[str, Value] = field(default_factory=dict)
    entered: list[str] = field(default_factory=list)

    def take(self, text: str) -> None:
        """Act on one input and show what comes of it."""
        stripped = text.strip()
        if not stripped:
            return
        try:
            if stripped.startswith(":"):
                self._obey(stripped)
            else:
                self._evaluate(text)
                self.entered.append(text)
        except Mistake as mistake:
            self._show(mistake)
        except Fault as fault:
            self.console.problem(fault.message, kind=fault.kind)

    def value(self, statement: Statement) -> Value:
        """The value of a statement. Raises Mistake."""
        return self.evaluator.evaluate(statement.position, statement.text, self.variables)

    def _evaluate(self, text: str) -> None:
        statement = read_statement(text)
        value = self.value(statement)
        if statement.name is not None:
            self.variables[statement.name] = value
        self.console.print_document(to_json(value))

    def _show(self, mistake: Mistake) -> None:
        if mistake.diagnostics:
            self.console.talk_rendered(render_for(self.console, mistake.diagnostics, full=True, to_stderr=True))
        else:
            self.console.problem(f"{mistake.message} (column {mistake.column})", kind=mistake.code)

    def _obey(self, line: str) -> None:
        name, _, argument = line[1:].partition(" ")
        if (action := COMMANDS.get(name)) is None:
            self.console.problem(f"no such command: :{name}", did_you_mean(name, COMMANDS))
            return
        action.run(self, argument.strip())


@dataclass(frozen=True, slots=True)
class Action:
    """A command of the prompt."""

    usage: str
    doc: str
    run: Callable[[Conversation, str], None]


def _help(conversation: Conversation, name: str) -> None:
    say = conversation.console.print_line
    if not name:
        say("An expression shows its value, `name = expression` sets a variable, {{ }} text is a template.")
        for action in COMMANDS.values():
            say(f"  {action.usage:<14}{action.doc}")
    elif (function := SPELLINGS.get(name)) is not None:
        say(function.signature)
        say(function.doc)
        for text, value in function.examples:
            say(f"  {text}  →  {to_json(value)}")
    else:
        conversation.console.problem(f"no function is called {name}", did_you_mean(name, SPELLINGS))


def _quit(_: Conversation, __: str) -> None:
    raise Leave


def _type(conversation: Conversation, text: str) -> None:
    conversation.console.print_line(describe(conversation.value(read_statement(text))))


def _vars(conversation: Conversation, _: str) -> None:
    for name, value in conversation.variables.items():
        conversation.console.print_document(f"{name} = {to_json(value)}")


def _load(conversation: Conversation, path: str) -> None:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        conversation.console.problem(f"{path}: {error}")
        return
    for block in blocks(text.splitlines()):
        conversation.take(block)


def _save(conversation: Conversation, path: str) -> None:
    try:
        Path(path).expanduser().write_text("".join(text + "\n" for text in conversation.entered), encoding="utf-8")
    except (OSError, ValueError) as error:
        conversation.console.problem(f"{path}: {error}")


def _bytecode(conversation: Conversation, text: str) -> None:
    from compiler.bytecode.disassembler import disassemble

    statement = read_statement(text)
    names = tuple(conversation.variables)
    unit = conversation.evaluator.prepare(statement.position, statement.text, names).unit
    assert unit.program is not None
    conversation.console.print_rendered(disassemble(unit.program, unit.source.text, None))


def _time(conversation: Conversation, text: str) -> None:
    statement = read_statement(text)
    conversation.value(statement)  # compiled and warm
    rounds, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < 0.2:
        conversation.value(statement)
        rounds += 1
    conversation.console.print_line(f"{spent / rounds * 1e6:.2f} µs a run, {rounds} runs")


COMMANDS: Final = {
    "help": Action(":help [NAME]", "this list, or what a function does", _help),
    "type": Action(":type EXPR", "the type of a value", _type),
    "vars": Action(":vars", "all variables", _vars),
    "bytecode": Action(":bytecode EXPR", "the instructions of an expression", _bytecode),
    "time": Action(":time EXPR", "how long it takes", _time),
    "load": Action(":load FILE", "enter the lines of a file", _load),
    "save": Action(":save FILE", "write what was entered to a file", _save),
    "quit": Action(":quit", "leave; so does Ctrl-D", _quit),
}
"""The commands of the prompt."""


def blocks(lines: Iterable[str]) -> list[str]:
    """Lines put together to inputs: one goes on while a bracket or quote is open."""
    found: list[str] = []
    pending = ""
    for line in lines:
        pending = f"{pending}\n{line}" if pending else line
        if not is_open(pending):
            found.append(pending)
            pending = ""
    return [*found, pending] if pending else found


def history_path() -> Path | None:
    """The file of the history, which only its owner can read; None where none can be kept."""
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    path = Path(home).expanduser() / "worpen" / "repl-history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=HISTORY_MODE)
        path.chmod(HISTORY_MODE)
    except OSError:
        return None
    return path


def converse(evaluator: Evaluator, console: Console) -> int:
    """Prompt until the user leaves; Ctrl-C empties the line, Ctrl-D ends."""
    conversation = Conversation(evaluator, console)
    session = _session(conversation)
    while True:
        try:
            text = session.prompt(PROMPT)
        except KeyboardInterrupt:
            continue
        except EOFError:
            return ExitCode.FINE
        try:
            conversation.take(text)
        except Leave:
            return ExitCode.FINE
        except KeyboardInterrupt:
            console.talk("interrupted")


def _session(conversation: Conversation) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    path = history_path()
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(path)) if path is not None else InMemoryHistory(),
        completer=_completer(conversation),
        complete_while_typing=False,
        prompt_continuation=CONTINUED,
    )
    session.multiline = Condition(lambda: _goes_on(session.default_buffer.text))
    return session


def _goes_on(text: str) -> bool:
    """Whether Enter starts a new line; an empty line always ends the input."""
    return not text.startswith(":") and not text.endswith("\n") and is_open(text)


def _completer(conversation: Conversation) -> Completer:
    from prompt_toolkit.completion import WordCompleter

    def words() -> list[str]:
        return [*conversation.variables, *FUNCTIONS, *(f":{name}" for name in COMMANDS)]

    return WordCompleter(words, WORD=False, pattern=_WORD)
