"""What is known of variables at one point of a hook.

`sure`: set in this run of the hook on every path, faults included: such a variable can be a local.
`normal`: set on every path, faults being no paths (language section 4): reading it is no finding.
`maybe`: set on some path, or by an earlier hook or run.
A point that no path reaches is `dead`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

Names = frozenset[str]
_NONE: Names = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """The three sets, and whether the point can be reached."""

    sure: Names = _NONE
    normal: Names = _NONE
    maybe: Names = _NONE
    dead: bool = False

    def after_setting(self, name: str) -> State:
        """The state after an operation that sets a variable."""
        one = {name}
        return replace(self, sure=self.sure | one, normal=self.normal | one, maybe=self.maybe | one)

    def excused(self, name: str) -> State:
        """The state after a finding about a variable: later reads say nothing more."""
        return replace(self, normal=self.normal | {name}, maybe=self.maybe | {name})

    def possibly(self, names: Iterable[str]) -> State:
        """The state where these variables may be set as well."""
        return replace(self, maybe=self.maybe | frozenset(names))

    def ended(self) -> State:
        """The state behind an operation that always leaves."""
        return replace(self, dead=True)

    def revived(self) -> State:
        """The same state as if it were reached: unreachable operations are still checked."""
        return replace(self, dead=False)


def merged(states: Iterable[State]) -> State:
    """The state where several paths meet; dead where none arrives."""
    everything = list(states)
    live = [state for state in everything if not state.dead]
    maybe = frozenset().union(*(state.maybe for state in everything))
    if not live:
        return State(maybe=maybe, dead=True)
    sure = frozenset.intersection(*(state.sure for state in live))
    normal = frozenset.intersection(*(state.normal for state in live))
    return State(sure, normal, maybe)
