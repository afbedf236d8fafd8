"""Channel membership of a route: automatic (M1 to M3) or explicit (language section 8)."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.analysis.flow import ChannelUse
from compiler.operations.route import Route
from compiler.records import dataclass
from compiler.syntax.fields import TextField
from compiler.syntax.nodes import Name, walk


@dataclass(frozen=True, slots=True)
class MembershipPlan:
    """What a connection joins: literal names, and templates evaluated when `on_connect` ends.

    `computed` tells whether some operation joins a channel whose name is not known before running.
    """

    automatic: bool
    literals: tuple[str, ...]
    templates: tuple[TextField, ...]
    computed: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What every connection joins: literal names and templates, as their author wrote them."""
        return (*self.literals, *(shown(template) for template in self.templates))

    def describe(self) -> str:
        """One line for people: who hears what."""
        names = ", ".join(f"`{name}`" for name in self.names)
        if self.automatic:
            if not names:
                return "a sender joins the channel it broadcasts to" if self.computed else "no channels"
            return f"each connection joins {names}"
        return f"explicit membership: each connection joins {names or 'nothing by itself'}"


def shown(field: TextField) -> str:
    """A template's text as its author wrote it."""
    return field.scalar.value


def plan_membership(route: Route, uses: Sequence[ChannelUse]) -> MembershipPlan:
    """Decide a route's membership from its `subscribe` key and the channels of its operations."""
    subscribing = [use for use in uses if use.command == "subscribe"]
    computed = any(use.field.template.constant is None for use in uses if use.command in ("subscribe", "broadcast"))
    if route.subscribe is not None or subscribing:
        return _explicit(route.subscribe or (), computed)
    lasting = [use.field for use in uses if use.field.template.constant is None and not use.passing]
    return MembershipPlan(True, _literals([use.field for use in uses]), _distinct(lasting), computed)


def _explicit(fields: Sequence[TextField], computed: bool) -> MembershipPlan:
    templates = [field for field in fields if field.template.constant is None]
    return MembershipPlan(False, _literals(fields), _distinct(templates), computed or bool(templates))


def _literals(fields: Sequence[TextField]) -> tuple[str, ...]:
    names = (field.template.constant for field in fields)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _distinct(fields: Sequence[TextField]) -> tuple[TextField, ...]:
    return tuple({field.scalar.value: field for field in fields if not field.template.broken}.values())


def names_read(field: TextField) -> set[str]:
    """The variables that a template reads."""
    return {
        node.name for expression in field.template.expressions for node in walk(expression) if isinstance(node, Name)
    }
