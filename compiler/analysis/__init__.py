"""What a route means: names to slots, kinds, flow, channel membership; and routes against each other.

`analyse` walks the hooks in the order in which they run. The kinds of variables depend on each other
(`total` may be set from `count`), so the hooks are walked until each variable counted as what its settings
make of it, mostly once; only the findings of the last walk count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from compiler.analysis.expressions import Checker
from compiler.analysis.flow import ChannelUse, HookWalk, RouteVariables, Setting
from compiler.analysis.known import Known
from compiler.analysis.membership import MembershipPlan, names_read, plan_membership
from compiler.analysis.secrets import check_secrets
from compiler.analysis.state import State, merged
from compiler.bytecode.program import Slot
from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import SourceFile
from compiler.language.hooks import HOOKS
from compiler.language.values import Kind
from compiler.operations.messages import Return, WsOp
from compiler.operations.model import Block, Operation, Runs, Sets, Step, inside
from compiler.operations.route import Route
from compiler.syntax.fields import TemplateField, TextField
from compiler.syntax.findings import Findings

_WALKS: Final = 6
"""After so many walks, kinds that still change count as anything."""
_CLAIM: Final = re.compile(r"\b(?:subscribed to|joined)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A route and what is known of it: its connection variables and its membership."""

    route: Route
    slots: tuple[Slot, ...]
    membership: MembershipPlan
    channels: tuple[ChannelUse, ...]


def analyse(route: Route, report: Report, environment: frozenset[str]) -> Analysis:
    """Check a route and plan its variables and channels."""
    variables = RouteVariables(_settings(route))
    for _ in range(_WALKS):
        found = Findings(route.source, Report())
        variables = RouteVariables(variables.settings, dict(variables.kinds), message_kinds=variables.message_kinds)
        before = variables.message_kinds
        channels = _walk_hooks(route, found, environment, variables)
        if _settled(variables, before):
            break
    else:
        variables.kinds = {name: Known(Kind.ANY) for name in variables.kinds}
    plan = plan_membership(route, channels)
    _check_subscribe(route, found, variables, environment)
    _check_unused(route, found, variables)
    _check_claims(route, found, channels)
    _check_nothing_sent(route, found)
    check_secrets(route, (operation for _, operation in operations_of(route)), found)
    report.extend(found.report)
    for field in plan.templates:
        variables.kept |= names_read(field)
    return Analysis(route, _slots(variables), plan, tuple(channels))


def _settled(variables: RouteVariables, message_before: Known | None) -> bool:
    """Whether every variable counted, when it was read, as what all its settings make of it."""
    if variables.message_kinds != message_before and variables.message_read:
        return False
    return all(variables.kinds.get(name, known) == known for name, known in variables.read.items())


def _walk_hooks(
    route: Route, found: Findings, environment: frozenset[str], variables: RouteVariables
) -> list[ChannelUse]:
    channels: list[ChannelUse] = []
    exits: list[State] = []
    for name, block in route.hooks.items():
        hook = HOOKS[name]
        before = merged(exits[-1:]) if exits else State()
        if hook.repeats:
            before = before.possibly(
                n for n, places in variables.settings.items() if any(p.hook is hook for p in places)
            )
        walk = HookWalk(route, hook, variables, found, environment)
        after = walk.walk(block, before)
        channels += walk.channels
        # on_message runs any number of times, none included: what it sets may be set later, no more.
        exits.append(
            before.possibly(after.maybe)
            if hook.repeats
            else State(frozenset(), after.normal, after.maybe | before.maybe)
        )
    return channels


def _settings(route: Route) -> dict[str, list[Setting]]:
    """Every place where a variable is set, in the order of the hooks, known before the walk begins."""
    settings: dict[str, list[Setting]] = {}
    for name, block in route.hooks.items():
        for setting in _settings_in(block, name):
            settings.setdefault(setting.name.value, []).append(setting)
    return settings


def _settings_in(block: Block, hook: str) -> Iterable[Setting]:

    pending: list[Step] = [Runs(block)]
    while pending:
        step = pending.pop(0)
        if isinstance(step, Sets) and step.name.value != "message":
            yield Setting(HOOKS[hook], step.name)
        pending[:0] = [inner for flow in inside(step) for inner in flow]


def _slots(variables: RouteVariables) -> tuple[Slot, ...]:
    """Variables that must outlive a run, or whose being set must be checked, in the order of their first setting."""
    names = [name for name in variables.settings if name in variables.kept]
    return tuple(Slot(name, variables.kinds[name].kinds if name in variables.kinds else Kind.ANY) for name in names)


def _check_subscribe(route: Route, found: Findings, variables: RouteVariables, environment: frozenset[str]) -> None:
    """The templates under `subscribe:` are evaluated when `on_connect` ends."""
    if not route.subscribe:
        return
    walk = HookWalk(route, HOOKS["on_connect"], variables, found, environment)
    names = frozenset(variables.settings)
    early = frozenset(
        n for n, places in variables.settings.items() if any(p.hook.order <= HOOKS["on_connect"].order for p in places)
    )
    walk.state = State(frozenset(), early, early)
    for field in route.subscribe:
        Checker(found, found.locator(field.scalar), walk, environment).template(field.template, text=False)
        variables.kept |= names_read(field) & names


def _check_unused(route: Route, found: Findings, variables: RouteVariables) -> None:
    if route.broken:
        return
    for name, places in variables.settings.items():
        if name not in variables.read and not _is_default_name(places):
            found.add(codes.UNUSED_VARIABLE, places[0].name.span, f"`{name}` is set, but never read")


def _is_default_name(places: list[Setting]) -> bool:
    """Results that nobody named (`sql_result`) may go unread."""
    return all(not place.name.field for place in places)


def operations_of(route: Route) -> Iterable[tuple[str, Operation]]:
    """All operations of a route with their hooks, outer ones first."""
    for hook, block in route.hooks.items():
        pending = list(block.operations)
        while pending:
            operation = pending.pop(0)
            yield hook, operation
            steps = list(operation.flow())
            while steps:
                step = steps.pop(0)
                if isinstance(step, Runs):
                    pending[:0] = step.block.operations
                else:
                    steps[:0] = [inner for flow in inside(step) for inner in flow]


def _check_claims(route: Route, found: Findings, channels: Sequence[ChannelUse]) -> None:
    """A reply that speaks of a subscription, in a route whose operations join no such channel."""
    if route.broken or any(use.command in ("subscribe", "broadcast") for use in channels):
        return
    for _, operation in operations_of(route):
        field = (
            operation.message
            if isinstance(operation, WsOp)
            else operation.value
            if isinstance(operation, Return)
            else None
        )
        if isinstance(field, (TextField, TemplateField)) and _CLAIM.search(field.scalar.value):
            help = "join it: `- WsOp: {command: subscribe, channel: …}`"
            found.add(codes.CLAIMED_SUBSCRIPTION, field.span, "no operation of this route joins a channel", help=help)


def _check_nothing_sent(route: Route, found: Findings) -> None:
    for hook, operation in operations_of(route):
        if (
            hook == "on_disconnect"
            and isinstance(operation, WsOp)
            and operation.command.value == "send"
            and operation.to is None
        ):
            message = "`send` in on_disconnect reaches nobody: the connection is closed"
            found.add(
                codes.NOTHING_SENT, operation.place, message, help="`broadcast` reaches the others, `to` one of them"
            )
        if hook in ("on_disconnect", "on_auth") and isinstance(operation, Return) and operation.value is not None:
            found.add(codes.NOTHING_SENT, operation.place, f"what Return gives in {hook} is not sent")


def check_routes(analyses: Sequence[Analysis], prefix: str, report: Report) -> None:
    """Routes against each other: two that answer one address, two of one name, channels that nobody is in."""
    _check_addresses(analyses, prefix, report)
    _check_names(analyses, report)
    _check_audiences(analyses, report)


def _check_addresses(analyses: Sequence[Analysis], prefix: str, report: Report) -> None:
    taken: dict[tuple[str, ...], Route] = {}
    for analysis in analyses:
        route = analysis.route
        if route.pattern is None or not route.enabled:
            continue
        patterns = [route.pattern]
        if prefix and route.pattern.segments[0] != prefix.strip("/").split("/")[0]:
            patterns.append(route.pattern.prefixed(prefix))
        clash = next((taken[p.shape] for p in patterns if p.shape in taken), None)
        if clash is not None:
            _report_clash(route, clash, report)
            continue
        taken.update((pattern.shape, route) for pattern in patterns)


def _report_clash(route: Route, first: Route, report: Report) -> None:
    where = f"document {first.document} of this file" if first.source is route.source else first.source.name
    if route.path.value == first.path.value:
        message = f"the path `{route.path.value}` is already taken by `{first.name.value}` ({where})"
    else:
        message = (
            f"`{route.path.value}` and `{first.path.value}` of `{first.name.value}` ({where}) match the same addresses"
        )
    labels = [Findings(first.source, report).label(first.path.span, "the first route")]
    report.add(codes.DUPLICATE_ROUTE, route.source, route.path.span, message, labels=labels)


def _check_names(analyses: Sequence[Analysis], report: Report) -> None:
    first: dict[str, Route] = {}
    for analysis in analyses:
        route = analysis.route
        if not route.name.value:
            continue
        other = first.setdefault(route.name.value, route)
        if other is not route:
            labels = [Findings(other.source, report).label(other.name.span, "the first one")]
            message = f"two routes are called `{route.name.value}`"
            report.add(codes.DUPLICATE_NAME, route.source, route.name.span, message, labels=labels)


def _check_audiences(analyses: Sequence[Analysis], report: Report) -> None:
    """A broadcast to a literal channel that no route joins, where all joined names are known."""
    if any(analysis.membership.computed or analysis.membership.templates for analysis in analyses):
        return
    joined = {name for analysis in analyses for name in analysis.membership.literals}
    joined |= {str(use.field.template.constant) for a in analyses for use in a.channels if use.command == "subscribe"}
    for analysis in analyses:
        for use in analysis.channels:
            if use.command == "broadcast" and str(use.field.template.constant) not in joined:
                name = use.field.template.constant
                source: SourceFile = analysis.route.source
                report.add(
                    codes.EMPTY_AUDIENCE, source, use.field.span, f"no connection can be in `{name}`: no route joins it"
                )
