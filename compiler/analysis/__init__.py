"""What a route means: names to slots, kinds, flow, channel membership; `together`: routes against each other.

`analyse` walks the hooks in the order in which they run. The kinds of variables depend on each other
(`total` may be set from `count`), so the hooks are walked until each variable counted as what its settings
make of it, mostly once; only the findings of the last walk count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from compiler.analysis.flow import ChannelUse, HookWalk
from compiler.analysis.membership import MembershipPlan, names_read, plan_membership
from compiler.analysis.names import RouteVariables
from compiler.analysis.outline import outline
from compiler.analysis.remarks import remark
from compiler.analysis.secrets import check_secrets
from compiler.analysis.state import State
from compiler.analysis.together import check_routes
from compiler.bytecode.program import Slot
from compiler.diagnostics.diagnostic import Report
from compiler.language.hooks import HOOKS
from compiler.language.values import Kind
from compiler.operations.route import Route
from compiler.records import dataclass
from compiler.syntax.findings import Findings

__all__ = ["Analysis", "analyse", "check_routes"]

_WALKS: Final = 6
"""After so many walks, kinds that still change count as anything."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """A route and what is known of it: its connection variables, its membership, its channels, and which hooks
    assign an input (`message`)."""

    route: Route
    slots: tuple[Slot, ...]
    membership: MembershipPlan
    channels: tuple[ChannelUse, ...]
    assigned: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Walked:
    """What one walk over all hooks found; `connected` is the state when `on_connect` ends."""

    found: Findings
    variables: RouteVariables
    channels: tuple[ChannelUse, ...]
    connected: State


def analyse(route: Route, report: Report, environment: frozenset[str]) -> Analysis:
    """Check a route and plan its variables and channels."""
    walked = _settle(route, environment)
    variables = walked.variables
    plan = plan_membership(route, walked.channels)
    _check_subscribe(route, walked, environment)
    remark(route, walked.found, variables, walked.channels)
    check_secrets(route, (operation for _, operation in variables.outline.operations), walked.found)
    report.extend(walked.found.report)
    for field in plan.templates:
        variables.kept |= names_read(field)
    assigned = {name: frozenset(hooks) for name, hooks in variables.outline.assigned.items()}
    return Analysis(route, _slots(variables), plan, walked.channels, assigned)


def _settle(route: Route, environment: frozenset[str]) -> _Walked:
    """Walk the hooks until the kinds of variables do not change any more, or count for nothing."""
    variables = RouteVariables(outline(route.hooks))
    for _ in range(_WALKS):
        before = variables.message_kinds
        walked = _walk_hooks(route, variables, environment)
        if _is_settled(variables, before != variables.message_kinds):
            return walked
        variables = variables.afresh()
    variables.pinned = True
    return _walk_hooks(route, variables, environment)


def _is_settled(variables: RouteVariables, message_changed: bool) -> bool:
    """Whether every variable counted, when it was read, as what all its settings make of it."""
    if message_changed and variables.message_read:
        return False
    return all(variables.kinds.get(name, known) == known for name, known in variables.read.items())


def _walk_hooks(route: Route, variables: RouteVariables, environment: frozenset[str]) -> _Walked:
    found = Findings(route.source, Report())
    channels: list[ChannelUse] = []
    state = connected = State()
    for hook in HOOKS.values():
        block = route.hooks.get(hook.name)
        if block is not None:
            walk = HookWalk(route, hook, variables, found, environment)
            if hook.repeats:
                # It runs any number of times, none included: what it sets may be set before and behind it, no more.
                state = state.possibly(variables.outline.hook_sets[hook.name])
                walk.walk(block, state)
            else:
                after = walk.walk(block, state)
                state = State(0, after.normal, after.maybe | state.maybe)
            channels += walk.channels
        if hook.name == "on_connect":
            connected = state
    return _Walked(found, variables, tuple(channels), connected)


def _check_subscribe(route: Route, walked: _Walked, environment: frozenset[str]) -> None:
    """The templates under `subscribe:` are evaluated when `on_connect` ends."""
    if not route.subscribe:
        return
    walk = HookWalk(route, HOOKS["on_connect"], walked.variables, walked.found, environment)
    walk.state = walked.connected
    for field in route.subscribe:
        walk.check_channel(field)


def _slots(variables: RouteVariables) -> tuple[Slot, ...]:
    """Variables that must outlive a run, or whose being set must be checked, in the order of their first setting."""
    names = (name for name in variables.outline.settings if name in variables.kept)
    return tuple(Slot(name, variables.kinds[name].kinds if name in variables.kinds else Kind.ANY) for name in names)
