"""What a name means at one point of a hook: an input, a variable of the route, a loop's, `loop` or `error`.

What cannot work is reported where it is read (language section 4). `HookNames` is one half of a walk over a hook;
the other, `flow`, keeps its `state` and `scopes` up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from compiler.analysis.expressions import Checker
from compiler.analysis.known import ANYTHING, BOOLEAN, MAYBE_TEXT, NOTHING, NUMBER, OBJECT, TEXT, Known, either
from compiler.analysis.outline import Outline, Setting
from compiler.analysis.state import Bits, State
from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Label
from compiler.diagnostics.suggest import nearest
from compiler.language.functions import SPELLINGS
from compiler.language.hooks import HOOKS, INPUTS, Hook
from compiler.language.values import Kind
from compiler.operations.route import Route
from compiler.records import dataclass
from compiler.syntax.findings import Findings
from compiler.syntax.nodes import Index, Member, Name, unwrap

ERROR_FIELDS: Final[Mapping[str, Known]] = {
    "message": TEXT,
    "code": TEXT,
    "source": Known(Kind.TEXT | Kind.NULL),
    "line": Known(Kind.NUMBER | Kind.NULL),
}
"""Members of `error` in a catch block."""
LOOP_FIELDS: Final[Mapping[str, Known]] = {
    "index": NUMBER,
    "counter": NUMBER,
    "total": NUMBER,
    "is_first": BOOLEAN,
    "is_last": BOOLEAN,
}
"""Members of `loop` in the body of a Loop."""

Scope = dict[str, "Known | Mapping[str, Known]"]
"""Names that exist for a while: variables with what is known of them, `loop` and `error` with their members."""


@dataclass(slots=True)
class RouteVariables:
    """What is collected over all hooks of a route. Mutable, one per walk over the hooks.

    `kinds` are what a variable is set to, by any operation; `read` what it counted as when it was read; `kept` are
    the variables that must be slots; `misspelt` those that a name which is set nowhere was meant for.
    `pinned`: the kinds did not settle, and every variable counts as anything.
    """

    outline: Outline
    kinds: dict[str, Known] = field(default_factory=dict)
    read: dict[str, Known] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    misspelt: set[str] = field(default_factory=set)
    message_kinds: Known | None = None
    message_read: bool = False
    pinned: bool = False

    def afresh(self) -> RouteVariables:
        """The same for a further walk, which begins with the kinds that were found."""
        return RouteVariables(self.outline, dict(self.kinds), message_kinds=self.message_kinds)

    def set_to(self, name: str, known: Known) -> None:
        """A variable is set to a value."""
        varying = known.varying()
        before = self.kinds.get(name)
        self.kinds[name] = varying if before is None else either(before, varying)

    def counted(self, name: str) -> Known:
        """What a variable counts as that is read now."""
        known = ANYTHING if self.pinned else self.kinds.get(name, ANYTHING)
        before = self.read.get(name)
        self.read[name] = known if before is None or before == known else either(before, known)
        return known


class HookNames:
    """The names of one hook; `Names` of the checker of its expressions."""

    def __init__(self, route: Route, hook: Hook, variables: RouteVariables, found: Findings) -> None:
        self.route = route
        self.hook = hook
        self.variables = variables
        self.settings = variables.outline.settings
        self.found = found
        self.state = State()
        self.scopes: list[Scope] = []

    def scoped(self, name: str) -> Known | Mapping[str, Known] | None:
        """What a name means that a loop or catch block around this point binds."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def bit(self, name: str) -> Bits:
        """The bit of a variable of the route."""
        return self.variables.outline.bits.get(name, 0)

    # -- variables ----------------------------------------------------------------------------------

    def read(self, node: Name, lenient: bool, checker: Checker) -> Known:
        """A variable is read."""
        name = node.name
        if self.scopes and (known := self.scoped(name)) is not None:
            return known if isinstance(known, Known) else OBJECT
        if name in INPUTS and self.hook.name in INPUTS[name].hooks:
            return self._input(name)
        if name in self.settings:
            return self._variable(node, lenient, checker)
        if name in self.route.possibly_set:
            return ANYTHING
        if lenient:
            self._note_never_set(node, checker)
            return NOTHING
        return self._unknown(node, checker)

    def _input(self, name: str) -> Known:
        if name == "message":
            self.variables.message_read = True
            sent = TEXT if self.route.codec == "text" else ANYTHING
            extra = self.variables.message_kinds
            return sent if extra is None else either(sent, extra)
        return Known(INPUTS[name].kinds)

    def _variable(self, node: Name, lenient: bool, checker: Checker) -> Known:
        name = node.name
        known = self.variables.counted(name)
        bit = self.bit(name)
        if not self.state.sure & bit:
            self.variables.kept.add(name)
        if name in self.route.possibly_set:
            return ANYTHING
        if lenient or self.state.normal & bit:
            return known
        may_be_set = self.state.maybe & bit
        self.state = self.state.excused(bit)
        if may_be_set:
            self._report_maybe(node, checker)
            return known
        return self._report_too_late(node, checker)

    def _note_never_set(self, node: Name, checker: Checker) -> None:
        if node.name in INPUTS:
            return  # it exists, though not in this hook
        message = f"`{node.name}` is not set in any hook of this route: only its default counts"
        checker.report(codes.UNSET_DEFAULT, node.span, message, label=self._suggestion(node.name))

    def _report_maybe(self, node: Name, checker: Checker) -> None:
        first = self.settings[node.name][0]
        message = f"`{node.name}` may not be set here: it is set on some paths only"
        labels = (self._label(first, f"set here, in {first.hook.name}"),)
        help = f"set it before, or write `{node.name} ?? …`"
        checker.report(codes.MAYBE_UNSET, node.span, message, labels=labels, help=help)

    def _report_too_late(self, node: Name, checker: Checker) -> Known:
        name = node.name
        here = [setting for setting in self.settings[name] if setting.hook is self.hook]
        later = [setting for setting in self.settings[name] if setting.hook.order > self.hook.order]
        place = checker.locate(node.span).start
        if any(setting.name.span.start < place for setting in here):
            message = f"`{name}` is used here, but nothing on the way here sets it"
        elif here:
            message = f"`{name}` is used here, but set only later: further down"
        elif later:
            message = f"`{name}` is set only in {later[0].hook.name}, which runs after {self.hook.name}"
        else:
            message = f"`{name}` is used here, but set only where nothing runs"
        shown = (here or later or self.settings[name])[0]
        return checker.report(codes.SET_TOO_LATE, node.span, message, labels=(self._label(shown, "set here"),))

    def _label(self, setting: Setting, text: str) -> Label:
        return self.found.label(setting.name.span, text)

    # -- unknown names ------------------------------------------------------------------------------

    def _unknown(self, node: Name, checker: Checker) -> Known:
        name = node.name
        if name in INPUTS:
            hooks = " and ".join(hook for hook in HOOKS if hook in INPUTS[name].hooks)
            message = f"`{name}` exists only in {hooks}, this is {self.hook.name}"
            kept = f'`- SetVar: {{name: last_{name}, value: "{{{{ {name} }}}}"}}`'
            help = f"what an earlier hook knew, a variable keeps: write {kept} in {hooks}"
            return checker.report(codes.WRONG_HOOK, node.span, message, help=help if name == "message" else "")
        if name in ("loop", "error"):
            where = "inside a Loop" if name == "loop" else "in a catch block"
            return checker.report(codes.WRONG_HOOK, node.span, f"`{name}` exists only {where}")
        meant = self._meant(name)
        if meant is not None:
            self.variables.misspelt.add(meant)  # that it is never read would be the same mistake again
        label = f"did you mean `{meant}`?" if meant else ""
        help = checker.bracket_hint(node)
        if not help and not label and name in SPELLINGS:
            help = f"`{name}` is a function: write `{name}(…)` or `… | {name}`"
        message = f"`{name}` is not set in any hook of this route"
        fixes = self.found.replacing(checker.locate, node.span, meant, safe=False)
        return checker.report(
            codes.UNKNOWN_VARIABLE, node.span, message, label=label, help=help, labels=self._similar(name), fixes=fixes
        )

    def _in_scope(self) -> list[str]:
        inputs = [row.name for row in INPUTS.values() if self.hook.name in row.hooks]
        return [*inputs, *self.settings, *(name for scope in self.scopes for name in scope)]

    def _meant(self, name: str) -> str | None:
        return nearest(name, self._in_scope()) if self.found.wants_advice else None

    def _suggestion(self, name: str) -> str:
        meant = self._meant(name)
        return f"did you mean `{meant}`?" if meant else ""

    def _similar(self, name: str) -> tuple[Label, ...]:
        if not self.found.wants_advice:
            return ()
        meant = nearest(name, self.settings)
        if meant is None or meant != nearest(name, self._in_scope()):
            return ()
        setting = self.settings[meant][0]
        return (self._label(setting, f"a similar name is set here, in {setting.hook.name}"),)

    # -- members ------------------------------------------------------------------------------------

    def member(self, owner: Name, node: Member, checker: Checker) -> Known | None:
        """A member of `params`, `query`, `headers`, `user`, `loop` or `error`."""
        name = owner.name
        if self.scopes and (known := self.scoped(name)) is not None:
            return None if isinstance(known, Known) else self._fixed_member(owner, node, known, checker)
        if name not in INPUTS or self.hook.name not in INPUTS[name].hooks:
            return None
        if name == "params":
            return self._parameter(node, checker)
        if name == "user":
            return self._claim(node, checker)
        return MAYBE_TEXT if INPUTS[name].nullable_members else None

    def _fixed_member(self, owner: Name, node: Member, known: Mapping[str, Known], checker: Checker) -> Known:
        if node.key in known:
            return known[node.key]
        meant = nearest(node.key, known)
        label = f"did you mean `{meant}`?" if meant else "known: " + ", ".join(known)
        message = f"`{owner.name}` has no member `{node.key}`"
        return checker.report(codes.UNKNOWN_VARIABLE, node.name_span, message, label=label)

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
        message = f"the path has no parameter `{node.key}`"
        return checker.report(codes.UNKNOWN_PARAMETER, node.name_span, message, label=label, help=help)

    def _claim(self, node: Member, checker: Checker) -> Known:
        if not self.route.has_auth:
            place = unwrap(node.owner).span
            checker.report(codes.USER_WITHOUT_AUTH, place, "`user` is always null: this route has no `auth`")
        return ANYTHING

    def may_be_absent(self, node: Name | Member | Index) -> bool:
        """Whether a variable or member is null where the client did not send a query key or header."""
        if isinstance(node, Name):
            known = self.scoped(node.name) or self.variables.kinds.get(node.name)
            return isinstance(known, Known) and known.absent
        owner = unwrap(node.owner)
        return isinstance(owner, Name) and owner.name in ("query", "headers") and self.scoped(owner.name) is None
