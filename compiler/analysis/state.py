"""What is known of variables at one point of a hook. A set of variables is a number with a bit for each.

`sure`: set in this run of the hook on every path, faults included: such a variable can be a local.
`normal`: set on every path, faults being no paths (language section 4): reading it is no finding.
`maybe`: set on some path, or by an earlier hook or run.
Each holds the one before it. A point that no path reaches is `dead`; the sets are then those of where the last
path to it ended, so that what cannot run can be checked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

from compiler.records import dataclass

Bits: TypeAlias = int


@dataclass(frozen=True, slots=True)
class State:
    """The three sets, and whether the point can be reached."""

    sure: Bits = 0
    normal: Bits = 0
    maybe: Bits = 0
    dead: bool = False

    def after_setting(self, variable: Bits) -> State:
        """The state after an operation that sets a variable."""
        if self.sure & variable:
            return self
        return State(self.sure | variable, self.normal | variable, self.maybe | variable, self.dead)

    def excused(self, variable: Bits) -> State:
        """The state after a finding about a variable: later reads say nothing more."""
        return State(self.sure, self.normal | variable, self.maybe | variable, self.dead)

    def possibly(self, variables: Bits) -> State:
        """The state where these variables may be set as well."""
        return State(self.sure, self.normal, self.maybe | variables, self.dead)

    def ended(self) -> State:
        """The state behind an operation that always leaves."""
        return State(self.sure, self.normal, self.maybe, True)

    def revived(self) -> State:
        """The same state as if it were reached: unreachable operations are still checked."""
        return State(self.sure, self.normal, self.maybe) if self.dead else self


def merged(states: Iterable[State]) -> State:
    """The state where several paths meet; dead where none of them arrives."""
    everything = list(states)
    live = [state for state in everything if not state.dead]
    meeting = live or everything
    if len(meeting) == 1:
        return meeting[0]
    return State(
        reduce(and_, (state.sure for state in meeting)),
        reduce(and_, (state.normal for state in meeting)),
        reduce(or_, (state.maybe for state in meeting)),
        not live,
    )
