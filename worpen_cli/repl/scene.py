"""The scope of a live connection: which route, which hook, which message; what a name means there, and `:fire`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from compiler.bytecode.program import Program, RouteProgram
from compiler.diagnostics.suggest import did_you_mean
from compiler.language.faults import Fault
from compiler.language.functions import parse_json
from compiler.language.hooks import HOOKS, INPUTS
from compiler.language.values import Value, text
from worpen_cli.console import Stop
from worpen_cli.files import describe_os_error
from worpen_cli.repl.mistakes import Refused
from worpen_cli.repl.rehearsal import Performance, Rehearsal
from worpen_cli.repl.statements import MESSAGE_FILES

if TYPE_CHECKING:
    from compiler.pipeline import Settings

DEFAULT_HOOK: Final = "on_message"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a scene is played with: the values of the path, of the query, and the names that `env` may read."""

    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    environment: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled route: the file as it is shown, its text, the program, and which of its routes is meant."""

    name: str
    source: str
    program: Program
    number: int

    @property
    def route(self) -> RouteProgram:
        """The route that is meant."""
        return self.program.routes[self.number]

    @property
    def hooks(self) -> list[str]:
        """The hooks it has, in the order in which they run."""
        return [hook for hook in HOOKS if hook in self.route.hooks]

    def line(self, number: int) -> str:
        """A line of the file, without its indentation."""
        lines = self.source.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def read_script(place: str, settings: Settings) -> Script:
    """The route `FILE`, or `FILE#name`. Raises Refused where there is none, or it has errors."""
    from compiler.pipeline import compile_source

    path, _, name = place.partition("#")
    try:
        raw = Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise Refused(describe_os_error(path, error) if isinstance(error, OSError) else f"{path}: {error}") from None
    compilation = compile_source(path, raw, settings)
    if compilation.program is None:
        raise Refused(f"{path} has errors", diagnostics=compilation.report.sorted())
    return Script(path, compilation.source.text, compilation.program, _find_route(compilation.program, path, name))


def _find_route(program: Program, path: str, name: str) -> int:
    names = [route.name for route in program.routes]
    if name in names:
        return names.index(name)
    shown = ", ".join(f"`{path}#{known}`" for known in names)
    if name:
        raise Refused(f"{path} has no route called `{name}`", did_you_mean(name, names) or f"there are {shown}")
    if len(names) > 1:
        raise Refused(f"{path} has {len(names)} routes: which one?", f"write one of {shown}")
    return 0


class Scene:
    """A route with a virtual connection that has come to one of its hooks. Mutable, one a prompt."""

    def __init__(self, script: Script, setting: Setting, hook: str = "", message: Value = "") -> None:
        """Raises Refused for a hook or path parameter that the route does not have."""
        self.script = script
        self.setting = setting
        self.message = message
        self.waiting: list[Value] = []
        self.taken = 0
        self.performed: list[tuple[Value, Performance]] = []
        self.before: tuple[Performance, ...] = ()
        self._given = self._handshake()
        self.enter(hook or self._first_hook())

    def _first_hook(self) -> str:
        hooks = self.script.hooks
        return DEFAULT_HOOK if DEFAULT_HOOK in hooks or not hooks else hooks[0]

    def _handshake(self) -> dict[str, Value]:
        parameters = [part[1:] for part in self.script.route.path.split("/") if part.startswith(":")]
        for name in self.setting.params:
            if name not in parameters:
                known = f"the path is {self.script.route.path}"
                raise Refused(f"the path has no `:{name}`", did_you_mean(name, parameters) or known)
        return {
            "params": {name: self.setting.params.get(name, name) for name in parameters},
            "query": dict(self.setting.query),
            "headers": {},
            "user": None,
            "remote_addr": "127.0.0.1",
        }

    def enter(self, hook: str) -> None:
        """Begin with a fresh connection, and let it live up to this hook. Raises Refused for an unknown one."""
        if hook not in HOOKS:
            raise Refused(f"there is no hook `{hook}`", did_you_mean(hook, HOOKS) or f"there are {', '.join(HOOKS)}")
        self.hook = hook
        self.performed = []
        self.rehearsal = Rehearsal(
            self.script.program, self.script.number, self._given, frozenset(self.setting.environment)
        )
        earlier = [name for name, row in HOOKS.items() if row.order < HOOKS[hook].order and name != DEFAULT_HOOK]
        self.before = tuple(self.rehearsal.perform(name) for name in earlier if self._is_played(name))

    def _is_played(self, hook: str) -> bool:
        """`on_connect` also places the connection in its channels, whether the route has that hook or not."""
        return hook == "on_connect" or hook in self.script.route.hooks

    def fire(self) -> Performance:
        """Run the hook. Raises Refused where the connection is closed."""
        if (self.hook == "on_message" and self.rehearsal.is_over) or (self.performed and not self._repeats):
            if self.hook == "on_message":
                raise Refused("the connection is closed", f"`:hook {self.hook}` opens another one")
            self.enter(self.hook)
        message = self._decoded()
        performance = self.rehearsal.perform(self.hook, message)
        self.performed.append((message, performance))
        return performance

    @property
    def _repeats(self) -> bool:
        return HOOKS[self.hook].repeats

    def _decoded(self) -> Value:
        """The message as the hook sees it. Raises Refused for one that the route's codec cannot read."""
        if self.script.route.options.get("codec", "text") == "text":
            return self.message
        try:
            return parse_json(text(self.message)) if isinstance(self.message, str) else self.message
        except Fault as fault:
            raise Refused(f"the message is not JSON: {fault.message}") from None

    def scope(self) -> dict[str, Value]:
        """What the names of the hook stand for now."""
        inputs = self.rehearsal.inputs()
        if self.hook == "on_message":
            inputs["message"], inputs["message_type"] = self._decoded_or_text(), "text"
        if self.hook == "on_disconnect":
            inputs["close_code"], inputs["close_reason"] = inputs["close_code"] or 1000, inputs["close_reason"] or ""
        visible = {name: inputs[name] for name, row in INPUTS.items() if self.hook in row.hooks}
        return {**visible, **self.rehearsal.variables()}

    def _decoded_or_text(self) -> Value:
        try:
            return self._decoded()
        except Refused:
            return self.message

    def assign(self, name: str, value: Value) -> bool:
        """Set the message, or a variable of the connection; False for a name that is neither."""
        if name == "message" and self.hook == "on_message":
            self.message = value
            return True
        return self.rehearsal.assign(name, value)

    def expects(self, name: str) -> bool:
        """Whether the route sets a variable of this name somewhere."""
        return any(slot.name == name for slot in self.script.route.slots)

    # Messages.

    def queue(self, messages: Sequence[Value]) -> None:
        """Let these messages come one after the other."""
        self.waiting = list(messages)
        self.taken = 0

    def next(self) -> bool:
        """Take the next message; False where there is none."""
        if self.taken >= len(self.waiting):
            return False
        self.message = self.waiting[self.taken]
        self.taken += 1
        return True

    @property
    def address(self) -> str:
        """The path and query of the virtual connection."""
        params = self._given["params"]
        assert isinstance(params, dict)
        parts = [
            quote(text(params[part[1:]]), safe="") if part.startswith(":") else part
            for part in self.script.route.path.split("/")
        ]
        query = urlencode(self.setting.query)
        return "/".join(parts) + (f"?{query}" if query else "")

    def replayed(self, script: Script) -> Scene:
        """The same scene with another text of its route."""
        fresh = Scene(script, self.setting, self.hook, self.message)
        fresh.waiting, fresh.taken = self.waiting, self.taken
        return fresh


def read_messages(path: str) -> list[Value]:
    """The messages of a file: one a line in `.ndjson` and `.jsonl`, else the whole text. Raises Refused.

    A line that is a JSON text stands for that text; any other line is the message as it stands.
    """
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{path}: the file is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        raise Refused(describe_os_error(path, error) if isinstance(error, OSError) else f"{path}: {error}") from None
    if not path.endswith(MESSAGE_FILES):
        return [content]
    return list(_lines(content, path))


def _lines(content: str, path: str) -> Iterator[Value]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = parse_json(line)
        except Fault as fault:
            raise Refused(f"{path}:{number}: {fault.message}") from None
        yield value if isinstance(value, str) else line.strip()


def read_pairs(pairs: Sequence[str], flag: str) -> dict[str, str]:
    """`k=v` texts of the command line. Raises Stop for one without `=`."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Stop(f"{flag} takes NAME=VALUE, not {pair!r}")
        found[name] = value
    return found
