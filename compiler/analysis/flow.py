"""Following the flow of hooks: which variables are set where, what can be reached, what each field may hold.

The walk knows no operation by name but `WsOp`, whose channels decide membership; everything else comes from
`Operation.flow()`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from compiler.analysis.expressions import Checker
from compiler.analysis.known import ANYTHING, BOOLEAN, MAYBE_TEXT, NUMBER, TEXT, VARIES, Known, constant, either
from compiler.analysis.state import State, merged
from compiler.diagnostics import codes
from compiler.diagnostics.suggest import nearest
from compiler.language.functions import SPELLINGS
from compiler.language.hooks import HOOKS, INPUTS, Hook
from compiler.language.values import Kind, truthy
from compiler.operations.messages import WsOp
from compiler.operations.model import (
    Attempts,
    Block,
    Chooses,
    Flow,
    Leaves,
    Operation,
    Reads,
    Repeats,
    Runs,
    Sets,
    Step,
    Way,
    leaves_loop,
    names_set,
)
from compiler.operations.route import Route
from compiler.syntax.fields import (
    AnyField,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
    Written,
)
from compiler.syntax.findings import Findings, Locate
from compiler.syntax.nodes import Call, Expression, Index, Member, Name, unwrap, walk

ERROR_FIELDS = {
    "message": TEXT,
    "code": TEXT,
    "source": Known(Kind.TEXT | Kind.NULL),
    "line": Known(Kind.NUMBER | Kind.NULL),
}
"""Members of `error` in a catch block."""
_LOOP_KNOWN = {"index": NUMBER, "counter": NUMBER, "total": NUMBER, "is_first": BOOLEAN, "is_last": BOOLEAN}


@dataclass(frozen=True, slots=True)
class Setting:
    """A place where a variable is set."""

    hook: Hook
    name: Written[str]


@dataclass(slots=True)
class RouteVariables:
    """What is collected over all hooks of a route. Mutable, one per walk over the hooks.

    `read` has what a variable counted as when it was read, `kept` the variables that must be slots.
    """

    settings: dict[str, list[Setting]] = field(default_factory=dict)
    kinds: dict[str, Known] = field(default_factory=dict)
    read: dict[str, Known] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    message_kinds: Known | None = None
    message_read: bool = False


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A `channel` of a WsOp: where, with which command, and whether it reads what only lives for a while."""

    hook: str
    command: str
    field: TextField
    passing: bool


class HookWalk:
    """Walks one hook. `route` is what is known of all hooks; the findings are made on the way."""

    def __init__(
        self, route: Route, hook: Hook, variables: RouteVariables, found: Findings, environment: frozenset[str]
    ) -> None:
        self.route = route
        self.hook = hook
        self.variables = variables
        self.found = found
        self.environment = environment
        self.state = State()
        self.exits: list[State] = []
        self.channels: list[ChannelUse] = []
        self._scopes: list[dict[str, Known | str]] = []
        self._fields: dict[int, Known] = {}

    def walk(self, block: Block, entry: State) -> State:
        """The state after the hook, whichever way it ended."""
        self.state = State(frozenset(), entry.normal, entry.maybe)
        self._block(block)
        return merged([*self.exits, self.state])

    # -- steps --------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> None:
        for step in flow:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Reads():
                self._field(step.field)
            case Sets():
                self._sets(step)
            case Chooses():
                self._chooses(step)
            case Repeats():
                self._repeats(step)
            case Attempts():
                self._attempts(step)
            case Runs():
                self._block(step.block)
            case Leaves():
                if step.way is Way.HOOK and not self.state.dead:
                    self.exits.append(self.state)
                self.state = self.state.ended()

    def _block(self, block: Block) -> None:
        ended_by: Operation | None = None
        reported = False
        for operation in block.operations:
            if self.state.dead and not reported and ended_by is not None:
                self._report_unreachable(operation, ended_by)
                reported = True
            was_dead = self.state.dead
            self.state = self.state.revived()
            self._operation(operation)
            if was_dead:
                self.state = self.state.ended()
            elif self.state.dead:
                ended_by = operation

    def _report_unreachable(self, operation: Operation, ended_by: Operation) -> None:
        label = self.found.label(ended_by.place, "always leaves")
        message = f"this operation can never run: `{ended_by.title}` above always leaves"
        self.found.add(codes.UNREACHABLE, operation.place, message, labels=(label,))

    def _operation(self, operation: Operation) -> None:
        self._flow(operation.flow())
        if isinstance(operation, WsOp) and operation.channel is not None:
            passing = self._reads_passing(operation.channel)
            self.channels.append(ChannelUse(self.hook.name, operation.command.value, operation.channel, passing))

    def _sets(self, step: Sets) -> None:
        name = step.name.value
        known = Known(step.kinds) if step.value is None else self._known(step.value)
        for scope in reversed(self._scopes):
            if name in scope:
                scope[name] = either(before, known) if isinstance(before := scope[name], Known) else before
                return
        if name == "message":
            self._set_message(step, known)
            return
        before_kinds = self.variables.kinds.get(name)
        varying = Known(known.kinds, VARIES, known.wordy, known.absent)
        self.variables.kinds[name] = varying if before_kinds is None else either(before_kinds, varying)
        self.state = self.state.after_setting(name)

    def _set_message(self, step: Sets, known: Known) -> None:
        if self.hook.name not in INPUTS["message"].hooks:
            self.found.add(codes.WRONG_HOOK, step.name.span, "`message` exists only in on_message; use another name")
            return
        varying = Known(known.kinds)
        before = self.variables.message_kinds
        self.variables.message_kinds = varying if before is None else either(before, varying)

    def _chooses(self, step: Chooses) -> None:
        if step.test is not None:
            self._check_constant(step.test)
        before = self.state
        after = []
        for alternative in step.alternatives:
            self.state = before
            self._flow(alternative)
            after.append(self.state)
        self.state = merged(after)

    def _check_constant(self, test: AnyField) -> None:
        value = self._constant(test)
        if value is not VARIES:
            word = "true" if truthy(value) else "false"  # type: ignore[arg-type]
            self.found.add(codes.CONSTANT_CONDITION, test.span, f"the condition is always {word}")

    def _constant(self, test: AnyField) -> object:
        if isinstance(test, ConstantField):
            return test.value
        return self._known(test).constant if isinstance(test, ConditionField) else VARIES

    def _repeats(self, step: Repeats) -> None:
        entry = self.state.possibly(names_set(step.body))
        self.state = entry
        if step.test is not None:
            self._field(step.test)
            self._check_endless(step)
        with self._scope(step):
            self._flow(step.body)
        after = self.state
        self.state = State(entry.sure, entry.normal, entry.maybe | after.maybe)

    @contextmanager
    def _scope(self, step: Repeats) -> Iterator[None]:
        names: dict[str, Known | str] = {name.value: Known(kinds) for name, kinds in step.binds}
        if step.has_loop:
            names["loop"] = "loop"
        self._scopes.append(names)
        yield
        self._scopes.pop()

    def _check_endless(self, step: Repeats) -> None:
        assert step.test is not None
        if leaves_loop(step.body):
            return
        if isinstance(step.test, ConstantField):
            endless = truthy(step.test.value)
        elif isinstance(step.test, ConditionField) and step.test.expression is not None:
            expression = step.test.expression
            read = {node.name for node in walk(expression) if isinstance(node, Name)}
            changing = any(
                isinstance(n, Call) and (row := SPELLINGS.get(n.name)) and not row.constant for n in walk(expression)
            )
            endless = bool(read) and not changing and not read & set(names_set(step.body)) and not self.route.broken
            value = self._known(step.test).constant
            endless = endless or (value is not VARIES and truthy(value))  # type: ignore[arg-type]
        else:
            return
        if endless:
            message = "nothing in the body changes what the condition reads, and nothing leaves the loop"
            self.found.add(codes.ENDLESS_LOOP, step.test.span, message)

    def _attempts(self, step: Attempts) -> None:
        before = self.state
        self._flow(step.body)
        body = self.state
        after = body
        if step.recovery is not None:
            reached = before.normal | body.normal if not body.dead else before.normal | frozenset(names_set(step.body))
            self.state = State(before.sure, reached, body.maybe | frozenset(names_set(step.body)))
            self._scopes.append({"error": "error"})
            self._flow(step.recovery)
            self._scopes.pop()
            after = self._joined(body, self.state)
        if step.cleanup:
            self.state = State(before.sure, after.normal | before.normal, after.maybe)
            self._flow(step.cleanup)
            cleanup = self.state
            after = State(
                after.sure | cleanup.sure,
                after.normal | cleanup.normal,
                after.maybe | cleanup.maybe,
                after.dead or cleanup.dead,
            )
        self.state = after

    @staticmethod
    def _joined(body: State, recovery: State) -> State:
        """Behind a Try with a catch: faults are no paths, unless the body always ends in one."""
        both = merged((body, recovery))
        return both if body.dead else State(both.sure, body.normal, both.maybe)

    # -- fields -------------------------------------------------------------------------------------

    def _checker(self, locate: Locate) -> Checker:
        return Checker(self.found, locate, self, self.environment)

    def _field(self, field: AnyField) -> Known:
        known = self._fields[id(field)] = self._check_field(field)
        return known

    def _check_field(self, field: AnyField) -> Known:
        match field:
            case TextField():
                known = self._checker(self.found.locator(field.scalar)).template(
                    field.template, text=field.field != "WsOp.channel"
                )
                self._check_rendering(field, known)
                return known
            case TemplateField():
                return self._checker(self.found.locator(field.scalar)).template(field.template, text=False)
            case ConditionField():
                if field.expression is None:
                    return ANYTHING
                known = self._checker(self.found.locator(field.scalar)).check(field.expression)
                if field.field == "Loop.collection" and not known.kinds & (Kind.LIST | Kind.NULL):
                    self.found.add(codes.WRONG_KIND, field.span, "a Loop goes over a list, and this never is one")
                return known
            case ConstantField():
                return constant(field.value)
            case ListField():
                for item in field.items:
                    self._field(item)
                return Known(Kind.LIST)
            case ObjectField():
                for _, item in field.entries:
                    self._field(item)
                return Known(Kind.OBJECT)

    def _known(self, field: AnyField) -> Known:
        """What the check of a field found out about its value."""
        return self._fields[id(field)]

    def _check_rendering(self, field: TextField, known: Known) -> None:
        if field.field == "WsOp.channel":
            if known.absent:
                help = "give a channel for that case: `{{ … || 'lobby' }}`"
                self.found.add(
                    codes.NULLABLE_CHANNEL,
                    field.span,
                    "the channel is null where the client did not send this",
                    help=help,
                )
            return
        for expression in field.template.expressions:
            if self._renders_null(expression):
                place = self.found.locator(field.scalar)(expression.span)
                help = "give a text for that case: `{{ … ?? 'nobody' }}`"
                self.found.add(
                    codes.MAY_RENDER_NULL,
                    place,
                    "this is null, and the text says `null`, where the client did not send it",
                    help=help,
                )

    def _renders_null(self, expression: Expression) -> bool:
        node = unwrap(expression)
        if isinstance(node, Name) and node.name in self.variables.kinds:
            return self.variables.kinds[node.name].absent
        if isinstance(node, (Member, Index)) and isinstance(owner := unwrap(node.owner), Name):
            return owner.name in ("query", "headers")
        return False

    def _reads_passing(self, field: TextField) -> bool:
        """Whether a template reads what lives shorter than the connection, or is not there when `on_connect` ends."""
        return any(
            isinstance(node, Name) and self._is_passing(node.name)
            for expression in field.template.expressions
            for node in walk(expression)
        )

    def _is_passing(self, name: str) -> bool:
        if any(name in scope for scope in self._scopes):
            return True
        return name in INPUTS and not {"on_connect", "on_disconnect"} <= INPUTS[name].hooks

    # -- names (the Names protocol of Checker) ----------------------------------------------------------

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """A variable is read."""
        name = node.name
        for scope in reversed(self._scopes):
            if name in scope:
                known = scope[name]
                return known if isinstance(known, Known) else Known(Kind.OBJECT)
        if name in INPUTS and self.hook.name in INPUTS[name].hooks:
            return self._input(name)
        if name in self.variables.settings or name in self.route.possibly_set:
            return self._variable(node, lenient, checker)
        if lenient:
            if name not in INPUTS:
                message = f"`{name}` is not set in any hook of this route: only its default counts"
                checker.report(codes.UNSET_DEFAULT, node.span, message, label=self._suggestion(name))
            return Known(Kind.NULL)
        return self._unknown(node, checker)

    def _input(self, name: str) -> Known:
        if name == "message":
            self.variables.message_read = True
            sent = TEXT if self.route.codec == "text" else ANYTHING
            extra = self.variables.message_kinds
            return sent if extra is None else either(sent, extra)
        if name == "user":
            return Known(Kind.OBJECT | Kind.NULL)
        return Known(INPUTS[name].kinds)

    def _variable(self, node: Name, lenient: bool, checker: Checker) -> Known:
        name = node.name
        known = self.variables.kinds.get(name, ANYTHING)
        before = self.variables.read.setdefault(name, known)
        if before != known:
            self.variables.read[name] = either(before, known)
        if name not in self.state.sure:
            self.variables.kept.add(name)
        if name in self.route.possibly_set:
            return ANYTHING
        if lenient or name in self.state.normal:
            return known
        if name in self.state.maybe:
            self._report_maybe(node, checker)
        else:
            self._report_too_late(node, checker)
        self.state = self.state.excused(name)
        return known

    def _report_maybe(self, node: Name, checker: Checker) -> None:
        first = self.variables.settings[node.name][0]
        labels = (self.found.label(first.name.span, f"set here, in {first.hook.name}"),)
        help = f"set it before, or write `{node.name} ?? …`"
        checker.report(
            codes.MAYBE_UNSET,
            node.span,
            f"`{node.name}` may not be set here: it is set on some paths only",
            labels=labels,
            help=help,
        )

    def _report_too_late(self, node: Name, checker: Checker) -> None:
        first = self.variables.settings[node.name][0]
        where = (
            "further down"
            if first.hook is self.hook
            else f"only in {first.hook.name}, which runs after {self.hook.name}"
        )
        message = (
            f"`{node.name}` is used here, but set only later: {where}"
            if first.hook is self.hook
            else f"`{node.name}` is set {where}"
        )
        labels = (self.found.label(first.name.span, "set here"),)
        checker.report(codes.SET_TOO_LATE, node.span, message, labels=labels)

    def _unknown(self, node: Name, checker: Checker) -> Known:
        name = node.name
        if name in INPUTS:
            hooks = " and ".join(hook for hook in HOOKS if hook in INPUTS[name].hooks)
            return checker.report(
                codes.WRONG_HOOK, node.span, f"`{name}` exists only in {hooks}, this is {self.hook.name}"
            )
        if name in ("loop", "error"):
            where = "inside a Loop" if name == "loop" else "in a catch block"
            return checker.report(codes.WRONG_HOOK, node.span, f"`{name}` exists only {where}")
        message = f"`{name}` is not set in any hook of this route"
        suggestion = self._suggestion(name)
        help = checker.bracket_hint(node)
        if not help and not suggestion and name in SPELLINGS:
            help = f"`{name}` is a function: write `{name}(…)` or `… | {name}`"
        return checker.report(
            codes.UNKNOWN_VARIABLE, node.span, message, label=suggestion, help=help, labels=self._similar(name)
        )

    def _in_scope(self) -> list[str]:
        inputs = [row.name for row in INPUTS.values() if self.hook.name in row.hooks]
        return [*inputs, *self.variables.settings, *(name for scope in self._scopes for name in scope)]

    def _suggestion(self, name: str) -> str:
        meant = nearest(name, self._in_scope())
        return f"did you mean `{meant}`?" if meant else ""

    def _similar(self, name: str) -> tuple[object, ...]:
        meant = nearest(name, list(self.variables.settings))
        if meant is None or meant != nearest(name, self._in_scope()):
            return ()
        setting = self.variables.settings[meant][0]
        return (self.found.label(setting.name.span, f"a similar name is set here, in {setting.hook.name}"),)

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """A member of `params`, `query`, `headers`, `user`, `loop` or `error`."""
        for scope in reversed(self._scopes):
            if owner.name in scope:
                marker = scope[owner.name]
                return None if isinstance(marker, Known) else self._fixed_member(owner, node, marker, checker)
        if owner.name not in INPUTS or self.hook.name not in INPUTS[owner.name].hooks:
            return None
        if owner.name == "params":
            return self._parameter(node, checker)
        if owner.name == "user":
            return self._claim(node, checker)
        return MAYBE_TEXT if INPUTS[owner.name].nullable_members else None

    def _fixed_member(self, owner: Name, node: Member, marker: str, checker: Checker) -> Known:
        fields = _LOOP_KNOWN if marker == "loop" else ERROR_FIELDS
        if node.key in fields:
            return fields[node.key]
        meant = nearest(node.key, tuple(fields))
        label = f"did you mean `{meant}`?" if meant else "known: " + ", ".join(fields)
        return checker.report(
            codes.UNKNOWN_VARIABLE, node.name_span, f"`{owner.name}` has no member `{node.key}`", label=label
        )

    def _parameter(self, node: Member, checker: Checker) -> Known:
        if self.route.pattern is None or node.key in self.route.pattern.parameters:
            return TEXT
        known = self.route.pattern.parameters
        meant = nearest(node.key, known)
        label = f"did you mean `{meant}`?" if meant else ""
        help = (
            f"the path's parameters: {', '.join(known)}"
            if known
            else f"a value after `?` in the address is `query.{node.key}`"
        )
        return checker.report(
            codes.UNKNOWN_PARAMETER, node.name_span, f"the path has no parameter `{node.key}`", label=label, help=help
        )

    def _claim(self, node: Member, checker: Checker) -> Known:
        if self.route.has_auth:
            return ANYTHING
        checker.report(
            codes.USER_WITHOUT_AUTH, unwrap(node.owner).span, "`user` is always null: this route has no `auth`"
        )
        return ANYTHING
