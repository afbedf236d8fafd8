"""The commands of the prompt: one row each, with what completion, help and the bottom line need to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from compiler.diagnostics.suggest import did_you_mean
from compiler.language.functions import SPELLINGS, Function
from compiler.language.hooks import HOOKS, INPUTS
from compiler.language.values import Value, to_json
from worpen_cli.repl.conversation import Conversation, Leave
from worpen_cli.repl.evaluation import Evaluator, Mistake
from worpen_cli.repl.inspection import listing, measure, python, trace, tree
from worpen_cli.repl.mistakes import Refused
from worpen_cli.repl.saving import Unsaved, written
from worpen_cli.repl.shown import type_name
from worpen_cli.repl.statements import MESSAGE_FILES, blocks, read_statement

if TYPE_CHECKING:
    from worpen_cli.repl.scene import Scene

EXAMPLE_ENVIRONMENT: Final = frozenset({"WORPEN_EXAMPLE"})
"""What the examples of `env` may read."""
ROUTE_FILES: Final = (".yaml", ".yml", ".json")

Argument = Literal["", "expression", "hook", "file", "name", "text", "address"]
"""What stands behind a command's name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A command: how it is written, what it does in one line, what its argument is, and the doing."""

    usage: str
    doc: str
    argument: Argument
    run: Callable[[Conversation, str], None]

    def __call__(self, conversation: Conversation, argument: str) -> None:
        """Do it. Raises Mistake, Fault, Refused, Leave."""
        if self.argument == "expression" and not argument:
            raise Refused(f"write {self.usage}")
        self.run(conversation, argument)


def _help(conversation: Conversation, name: str) -> None:
    say = conversation.say
    bare = name.removeprefix(":")
    if not name:
        say("An expression shows its value, `name = expression` sets a variable, {{ }} text is a template.")
        for row in COMMANDS.values():
            say(f"  {row.usage:<20}{row.doc}")
    elif (function := SPELLINGS.get(name)) is not None:
        _show_function(conversation, function)
    elif bare in COMMANDS:
        say(COMMANDS[bare].usage)
        say(COMMANDS[bare].doc)
    elif name in INPUTS:
        say(f"{name}: {INPUTS[name].doc}")
        say(f"in {', '.join(hook for hook in HOOKS if hook in INPUTS[name].hooks)}")
    elif name in HOOKS:
        say(f"{name}: {HOOKS[name].doc}")
    else:
        raise Refused(f"no function is called {name}", did_you_mean(name, (*SPELLINGS, *COMMANDS, *INPUTS)))


def _show_function(conversation: Conversation, function: Function) -> None:
    """Signature, doc, and the examples, run now."""
    conversation.say(function.signature)
    for line in function.doc.splitlines():
        conversation.say(line)
    examples = Evaluator(EXAMPLE_ENVIRONMENT)
    for text, _ in function.examples:
        try:
            value = to_json(examples.evaluate("expression", text, {}))
        except Mistake as mistake:
            value = f"error[{mistake.code.name}]"
        conversation.say(f"  {text}  →  {value}")


def _quit(_: Conversation, __: str) -> None:
    raise Leave


def _type(conversation: Conversation, text: str) -> None:
    conversation.say(type_name(conversation.value(read_statement(text))))


def _ast(conversation: Conversation, text: str) -> None:
    for line in tree(conversation.evaluator, read_statement(text), tuple(conversation.scope)):
        conversation.say(line)


def _bytecode(conversation: Conversation, text: str) -> None:
    shown = listing(conversation.evaluator, read_statement(text), tuple(conversation.scope))
    for line in shown.splitlines():
        conversation.say(line)


def _python(conversation: Conversation, text: str) -> None:
    for line in python(conversation.evaluator, read_statement(text), tuple(conversation.scope)).splitlines():
        conversation.say(line)


def _trace(conversation: Conversation, text: str) -> None:
    for line in trace(conversation.evaluator, read_statement(text), conversation.scope):
        conversation.say(line)


def _time(conversation: Conversation, text: str) -> None:
    statement = read_statement(text)
    run = conversation.evaluator.prepared_run(statement.position, statement.text, conversation.scope)
    nanoseconds, samples, runs = measure(run)
    conversation.say(f"{nanoseconds / 1000:.2f} µs a run of CPU, the median of {samples} × {runs} runs")


def _vars(conversation: Conversation, _: str) -> None:
    for name, value in conversation.scope.items():
        conversation.show_value(value, name)


def _load(conversation: Conversation, place: str) -> None:
    path, _, name = place.partition("#")
    if not place:
        raise Refused("write :load FILE[#name]")
    if path.endswith(ROUTE_FILES):
        conversation.scene = _scene(conversation, place)
        conversation.detach()
        _show_entrance(conversation, conversation.scene)
    elif path.endswith(MESSAGE_FILES):
        _queue(conversation, path)
    else:
        for block in blocks(_read_text(f"{path}#{name}" if name else path).splitlines()):
            conversation.take(block)


def _scene(conversation: Conversation, place: str) -> Scene:
    """The route at a place; the one that was there keeps its parameters and message."""
    from worpen_cli.repl.scene import Scene, Setting, read_script

    settings = conversation.settings()
    script = read_script(place, settings)
    old = conversation.scene
    if old is not None and old.script.name == script.name and old.script.number == script.number:
        return old.replayed(script)
    return Scene(script, Setting(environment=settings.environment), message="")


def _show_entrance(conversation: Conversation, scene: Scene) -> None:
    from worpen_cli.repl.account import tell_entrance

    for line in tell_entrance(scene):
        conversation.say(line)


def _read_text(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refused(f"{path}: {error}") from None


def _played(conversation: Conversation) -> Scene:
    if conversation.scene is None:
        raise Refused("no route is loaded", "`:load FILE` loads one; so does `worpen repl --route FILE`")
    return conversation.scene


def _hook(conversation: Conversation, name: str) -> None:
    scene = _played(conversation)
    if name:
        scene.enter(name)
        conversation.detach()
    _show_entrance(conversation, scene)


def _message(conversation: Conversation, given: str) -> None:
    scene = _played(conversation)
    if given.startswith("@") and given.endswith(MESSAGE_FILES):
        _queue(conversation, given[1:])
    elif given.startswith("@"):
        scene.message = _messages(given[1:])[0]
    elif given:
        scene.message = given
    conversation.show_value(scene.message, "message")


def _messages(path: str) -> list[Value]:
    from worpen_cli.repl.scene import read_messages

    return read_messages(path)


def _queue(conversation: Conversation, path: str) -> None:
    scene = _played(conversation)
    scene.queue(_messages(path))
    conversation.say(f"{len(scene.waiting)} messages wait: `:next` takes one")
    scene.next()


def _next(conversation: Conversation, _: str) -> None:
    scene = _played(conversation)
    if not scene.next():
        waiting = "no messages wait" if not scene.waiting else f"that was the last of {len(scene.waiting)} messages"
        raise Refused(waiting, "`:message @FILE.ndjson` reads some")
    conversation.say(f"{scene.taken} of {len(scene.waiting)}")
    conversation.show_value(scene.message, "message")


def _fire(conversation: Conversation, message: str) -> None:
    from worpen_cli.repl.account import tell_performance

    scene = _played(conversation)
    if message:
        scene.message = message
    before = scene.rehearsal.variables()
    performance = scene.fire()
    for line in tell_performance(performance, scene.script, before, scene.rehearsal.variables()):
        conversation.say(line)


def _attach(conversation: Conversation, place: str) -> None:
    from worpen_cli.repl.attachment import Attachment, read_address

    attached = Attachment(read_address(place))
    conversation.detach()
    conversation.attached = attached
    conversation.say(f"{attached.route}  {attached.id}  :vars shows its names; they are only looked at")


def _detach(conversation: Conversation, _: str) -> None:
    conversation.detach()


def _save(conversation: Conversation, path: str) -> None:
    if not path:
        raise Refused("write :save FILE", "`.json` for test vectors, `.test.yaml` for a conversation, else the lines")
    try:
        text = written(path, conversation.entered, conversation.scene)
        Path(path).expanduser().write_text(text, encoding="utf-8")
    except (OSError, ValueError, Unsaved) as error:
        raise Refused(f"{path}: {error}") from None
    conversation.say(f"wrote {path}")


COMMANDS: Final = {
    "help": Row(":help [NAME]", "this list, or what a function, command or variable is", "name", _help),
    "type": Row(":type EXPR", "the type of a value", "expression", _type),
    "ast": Row(":ast EXPR", "the tree of an expression", "expression", _ast),
    "bytecode": Row(":bytecode EXPR", "its instructions", "expression", _bytecode),
    "python": Row(":python EXPR", "the Python function that a server runs", "expression", _python),
    "trace": Row(":trace EXPR", "each step of the interpreter, with the stack before it", "expression", _trace),
    "time": Row(":time EXPR", "how much CPU a run takes: the median of many", "expression", _time),
    "vars": Row(":vars", "all names and their values", "", _vars),
    "load": Row(":load FILE[#NAME]", "a route to play, messages (.ndjson), or lines to enter", "file", _load),
    "hook": Row(":hook [NAME]", "begin anew, and come to this hook", "hook", _hook),
    "message": Row(":message TEXT|@FILE", "the message that on_message gets", "text", _message),
    "next": Row(":next", "take the next message of a file", "", _next),
    "fire": Row(":fire [MESSAGE]", "run the hook without a network, and show each effect", "text", _fire),
    "attach": Row(":attach ws://…#ID", "look at a connection of a running `worpen dev`", "address", _attach),
    "detach": Row(":detach", "look at it no more", "", _detach),
    "save": Row(":save FILE", "the session: vectors (.json), a conversation (.test.yaml), or lines", "file", _save),
    "quit": Row(":quit", "leave; so does Ctrl-D", "", _quit),
}
"""THE commands of the prompt."""


def expression_of(line: str) -> tuple[str, int] | None:
    """What a command's line evaluates, and where that begins in it; None where it evaluates nothing."""
    stripped = line.lstrip()
    name, blank, argument = stripped[1:].partition(" ")
    row = COMMANDS.get(name)
    if row is None or row.argument != "expression":
        return None
    return argument, len(line) - len(stripped) + 1 + len(name) + len(blank)


def names_of(argument: Argument) -> Iterator[tuple[str, str]]:
    """What can stand behind a command, with a line of doc each."""
    if argument == "hook":
        yield from ((hook.name, hook.doc) for hook in HOOKS.values())
    elif argument == "name":
        yield from ((name, row.summary) for name, row in SPELLINGS.items() if name == row.name)
        yield from ((f":{name}", row.doc) for name, row in COMMANDS.items())
        yield from ((name, row.doc) for name, row in INPUTS.items())
