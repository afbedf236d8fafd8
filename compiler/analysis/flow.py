"""Following the flow of a hook: which variables are set where, what can be reached, what each field may hold.

The walk knows no operation by name but `WsOp`, whose channels decide membership; everything else comes from
`Operation.flow()`. It recurses into blocks, whose nesting the reader bounds, and into nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from compiler.analysis.expressions import Checker
from compiler.analysis.known import ANYTHING, LIST, OBJECT, VARIES, Known, constant, either
from compiler.analysis.names import ERROR_FIELDS, LOOP_FIELDS, HookNames, RouteVariables, Scope
from compiler.analysis.state import State, merged
from compiler.diagnostics import codes
from compiler.language.functions import SPELLINGS
from compiler.language.hooks import INPUTS, Hook
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
)
from compiler.operations.route import Route
from compiler.records import dataclass
from compiler.syntax.fields import (
    AnyField,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
    leaves,
)
from compiler.syntax.findings import Findings
from compiler.syntax.nodes import Call, Expression, Index, Member, Name, unwrap, walk

_CHANNELS: Final = frozenset({"WsOp.channel", "subscribe"})
"""Fields that name channels: null is no name, and never shown as text."""
_LASTING: Final = frozenset({"on_connect", "on_disconnect"})


@dataclass(frozen=True, slots=True)
class ChannelUse:
    """A `channel` of a WsOp: where, with which command, and whether it reads what only lives for a while."""

    hook: str
    command: str
    field: TextField
    passing: bool


class HookWalk(HookNames):
    """Walks one hook. `route` is what is known of all hooks; the findings are made on the way.

    `exits` are the states where the hook may end before its last operation; `breaks` those where each loop around
    the current point may be left.
    """

    def __init__(
        self, route: Route, hook: Hook, variables: RouteVariables, found: Findings, environment: frozenset[str]
    ) -> None:
        super().__init__(route, hook, variables, found)
        self.exits: list[State] = []
        self.breaks: list[list[State]] = []
        self.channels: list[ChannelUse] = []
        self._outline = variables.outline
        self._checker = Checker(found, lambda span: span, self, environment)
        self._fields: dict[int, Known] = {}

    def walk(self, block: Block, entry: State) -> State:
        """The state after the hook, whichever way it ended. It begins with nothing that is sure."""
        self.state = entry
        self._block(block)
        return merged([*self.exits, self.state])

    # -- steps --------------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        ended_by: Operation | None = None
        reported = False
        for operation in block.operations:
            if ended_by is None:
                self._operation(operation)
                if self.state.dead:
                    ended_by = operation
                continue
            if not reported:
                self._report_unreachable(operation, ended_by)
                reported = True
            self.state = self.state.revived()
            self._operation(operation)
            self.state = self.state.ended()

    def _report_unreachable(self, operation: Operation, ended_by: Operation) -> None:
        label = self.found.label(ended_by.place, "always leaves")
        message = f"this operation can never run: `{ended_by.title}` above always leaves"
        self.found.add(codes.UNREACHABLE, operation.place, message, labels=(label,))

    def _operation(self, operation: Operation) -> None:
        self._flow(self._outline.flow(operation))
        if isinstance(operation, WsOp) and operation.channel is not None:
            passing = self._reads_passing(operation.channel)
            self.channels.append(ChannelUse(self.hook.name, operation.command.value, operation.channel, passing))

    def _flow(self, flow: Flow) -> None:
        for step in flow:
            self._step(step)

    def _step(self, step: Step) -> None:
        match step:
            case Reads():
                self._field(step.field)
            case Sets():
                self._sets(step)
            case Runs():
                self._block(step.block)
            case Chooses():
                self._chooses(step)
            case Repeats():
                self._repeats(step)
            case Attempts():
                self._attempts(step)
            case Leaves():
                self._leaves(step.way)

    def _leaves(self, way: Way) -> None:
        if way is Way.HOOK:
            self.exits.append(self.state)
        elif way is Way.LOOP and self.breaks:
            self.breaks[-1].append(self.state)
        self.state = self.state.ended()

    # -- setting ------------------------------------------------------------------------------------

    def _sets(self, step: Sets) -> None:
        name = step.name.value
        known = Known(step.kinds) if step.value is None else self._known(step.value)
        for scope in reversed(self.scopes):
            if name in scope:
                return  # a loop's variable: it counts as anything already
        if name == "message":
            self._set_message(step, known)
            return
        self.variables.set_to(name, known)
        self.state = self.state.after_setting(self.bit(name))

    def _set_message(self, step: Sets, known: Known) -> None:
        if self.hook.name not in INPUTS["message"].hooks:
            self.found.add(codes.WRONG_HOOK, step.name.span, "`message` exists only in on_message; use another name")
            return
        before = self.variables.message_kinds
        self.variables.message_kinds = known.varying() if before is None else either(before, known.varying())

    # -- alternatives -------------------------------------------------------------------------------

    def _chooses(self, step: Chooses) -> None:
        if step.test is not None:
            self._check_constant(step.test)
        before = self.state
        after: list[State] = []
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

    # -- loops --------------------------------------------------------------------------------------

    def _repeats(self, step: Repeats) -> None:
        inside = self._outline.inside(step)
        entry = self.state = self.state.possibly(inside.sets)
        endless = certain = False
        if step.test is not None:
            self._field(step.test)
            certain = self._is_certain(step.test)
            endless = self._check_endless(step)
        self.breaks.append([])
        with self._scope(step):
            self._flow(step.body)
        breaks = self.breaks.pop()
        self.state = State(entry.sure, entry.normal, entry.maybe)
        if certain and not endless:
            # It is left by a Break, or not at all.
            left = merged(breaks) if breaks else entry.ended()
            self.state = State(entry.sure, left.normal, left.maybe | entry.maybe, left.dead)

    def _is_certain(self, test: AnyField) -> bool:
        """Whether the condition always holds; of one that never does, the author is told."""
        value = self._constant(test)
        if value is VARIES:
            return False
        if not truthy(value):  # type: ignore[arg-type]
            self._check_constant(test)
            return False
        return True

    @contextmanager
    def _scope(self, step: Repeats) -> Iterator[None]:
        # A variable of the loop that its body sets has its own value again in the next round.
        rebound = self._outline.inside(step).rebinds
        names: Scope = {name.value: ANYTHING if name.value in rebound else Known(kinds) for name, kinds in step.binds}
        if step.has_loop:
            names["loop"] = LOOP_FIELDS
        self.scopes.append(names)
        yield
        self.scopes.pop()

    def _check_endless(self, step: Repeats) -> bool:
        test = step.test
        assert test is not None
        if self._outline.inside(step).leaves or self.route.broken:
            return False
        if isinstance(test, ConstantField):
            endless = truthy(test.value)
        elif isinstance(test, ConditionField) and test.expression is not None:
            endless = self._never_changes(step, test.expression, self._known(test))
        else:
            return False
        if endless:
            message = "nothing in the body changes what the condition reads, and nothing leaves the loop"
            self.found.add(codes.ENDLESS_LOOP, test.span, message)
        return endless

    def _never_changes(self, step: Repeats, test: Expression, known: Known) -> bool:
        """Whether a condition that holds once holds always."""
        if known.constant is not VARIES:
            return truthy(known.constant)  # type: ignore[arg-type]
        names = {node.name for node in walk(test) if isinstance(node, Name)}
        sets = self._outline.inside(step).sets
        if not names or any(self.bit(name) & sets for name in names) or self._is_rebound(names):
            return False
        calls = (SPELLINGS.get(node.name) for node in walk(test) if isinstance(node, Call))
        return all(row is not None and row.constant for row in calls)

    def _is_rebound(self, names: set[str]) -> bool:
        """Whether some of the names are assigned that are no variables of the route: a loop's, or `message`."""
        return bool(names & self._outline.assigned.keys()) or any(self.scoped(name) is ANYTHING for name in names)

    # -- attempts -----------------------------------------------------------------------------------

    def _attempts(self, step: Attempts) -> None:
        before = self.state
        leaving = self._leaving()
        self._flow(step.body)
        after = body = self.state
        if step.recovery is not None:
            after = self._recovered(before, body, step)
        if step.cleanup:
            after = self._cleaned(before, after, leaving, step.cleanup)
        self.state = after

    def _recovered(self, before: State, body: State, step: Attempts) -> State:
        """The state behind the catch block. It begins with all that the body set: faults are no paths."""
        assert step.recovery is not None
        sets = self._outline.inside(step).sets
        self.state = State(before.sure, before.normal | body.normal, body.maybe | sets)
        self.scopes.append({"error": ERROR_FIELDS})
        self._flow(step.recovery)
        self.scopes.pop()
        return merged((body, self.state))

    def _leaving(self) -> list[tuple[list[State], int]]:
        """The ways out of what surrounds this point, and how many states have left by each so far."""
        return [(states, len(states)) for states in (self.exits, *self.breaks)]

    def _cleaned(self, before: State, after: State, leaving: list[tuple[list[State], int]], cleanup: Flow) -> State:
        """The state behind the finally block, which runs on every way out and lets all of them go on."""
        through = [state for states, start in leaving for state in states[start:]]
        arriving = merged(through if after.dead and through else [after, *through])
        self.state = entry = State(before.sure, arriving.normal | before.normal, arriving.maybe | before.maybe)
        self._flow(cleanup)
        done = self.state
        for states, start in leaving:
            if done.dead:
                del states[start:]  # another way out has taken their place
            else:
                states[start:] = [_after_cleanup(state, entry, done) for state in states[start:]]
        cleaned = _after_cleanup(after, entry, done)
        return cleaned.ended() if done.dead else cleaned

    # -- fields -------------------------------------------------------------------------------------

    def _field(self, field: AnyField) -> Known:
        if isinstance(field, (ListField, ObjectField)):
            for leaf in leaves(field):
                self._check_leaf(leaf)
            known = LIST if isinstance(field, ListField) else OBJECT
        else:
            known = self._check_leaf(field)
        self._fields[id(field)] = known
        return known

    def _check_leaf(self, field: TextField | TemplateField | ConditionField | ConstantField) -> Known:
        if isinstance(field, ConstantField):
            return constant(field.value)
        self._checker.locate = self.found.locator(field.scalar)
        match field:
            case TextField():
                return self._check_text(field)
            case TemplateField():
                return self._checker.template(field.template, text=False)
            case ConditionField():
                return self._check_condition(field)

    def _check_condition(self, field: ConditionField) -> Known:
        if field.expression is None:
            return ANYTHING
        known = self._checker.check(field.expression)
        if field.field == "Loop.collection" and not known.kinds & (Kind.LIST | Kind.NULL):
            self.found.add(codes.WRONG_KIND, field.span, "a Loop goes over a list, and this never is one")
        return known

    def _known(self, field: AnyField) -> Known:
        """What the check of a field found out about its value."""
        return self._fields[id(field)]

    def _check_text(self, field: TextField) -> Known:
        if field.field in _CHANNELS:
            known = self._checker.template(field.template, text=False)
            self._check_channel(field, known)
            return known
        known = self._checker.template(field.template, text=True)
        for expression in field.template.expressions:
            node = unwrap(expression)
            if isinstance(node, (Name, Member, Index)) and self.may_be_absent(node):
                self._note_null(field, expression)
        return known

    def check_channel(self, field: TextField) -> None:
        """A channel that no operation names: one under `subscribe:`."""
        self._field(field)

    def _check_channel(self, field: TextField, known: Known) -> None:
        if known.absent:
            message = "the channel is null where the client did not send this"
            help = "give a channel for that case: `{{ … || 'lobby' }}`"
            self.found.add(codes.NULLABLE_CHANNEL, field.span, message, help=help)
        elif known.kinds == Kind.NULL or (isinstance(known.constant, str) and not known.constant.strip()):
            self.found.add(codes.EMPTY_CHANNEL, field.span, "the channel is always blank, and a channel needs a name")

    def _note_null(self, field: TextField, expression: Expression) -> None:
        place = self.found.locator(field.scalar)(expression.span)
        message = "this is null, and the text says `null`, where the client did not send it"
        help = "give a text for that case: `{{ … ?? 'nobody' }}`"
        self.found.add(codes.MAY_RENDER_NULL, place, message, help=help)

    # -- channels -----------------------------------------------------------------------------------

    def _reads_passing(self, field: TextField) -> bool:
        """Whether a template reads what lives shorter than the connection, or is not there when `on_connect` ends."""
        return any(
            isinstance(node, Name) and self._is_passing(node.name)
            for expression in field.template.expressions
            for node in walk(expression)
        )

    def _is_passing(self, name: str) -> bool:
        if self.scoped(name) is not None:
            return True
        return name in INPUTS and not INPUTS[name].hooks >= _LASTING


def _after_cleanup(state: State, entry: State, done: State) -> State:
    """A state that went through a finally block: what that set is set."""
    return State(
        state.sure | (done.sure & ~entry.sure),
        state.normal | (done.normal & ~entry.normal),
        state.maybe | done.maybe,
        state.dead,
    )
