"""Routes against each other: two that answer one address, two of one name, channels that nobody is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compiler.diagnostics import codes
from compiler.diagnostics.diagnostic import Report
from compiler.operations.route import Route
from compiler.syntax.findings import Findings

if TYPE_CHECKING:
    from compiler.analysis import Analysis


def check_routes(analyses: Sequence[Analysis], prefix: str, report: Report) -> None:
    """Routes against each other. `prefix` is where each is served as well; empty: nowhere."""
    _check_addresses([analysis.route for analysis in analyses], prefix, report)
    _check_names([analysis.route for analysis in analyses], report)
    _check_audiences(analyses, report)


def _check_addresses(routes: Sequence[Route], prefix: str, report: Report) -> None:
    taken: dict[tuple[str, ...], Route] = {}
    for route in routes:
        if route.pattern is None or not route.enabled:
            continue
        shapes = [pattern.shape for pattern in route.pattern.addresses(prefix)]
        clash = next((taken[shape] for shape in shapes if shape in taken), None)
        if clash is not None:
            _report_clash(route, clash, report)
            continue
        taken.update((shape, route) for shape in shapes)


def _report_clash(route: Route, first: Route, report: Report) -> None:
    where = f"document {first.document} of this file" if first.source is route.source else first.source.name
    named = f"`{first.name.value}` ({where})"
    if route.path.value == first.path.value:
        message = f"the path `{route.path.value}` is already taken by {named}"
    else:
        message = f"`{route.path.value}` and `{first.path.value}` of {named} match the same addresses"
    labels = [Findings(first.source, report).label(first.path.span, "the first route")]
    report.add(codes.DUPLICATE_ROUTE, route.source, route.path.span, message, labels=labels)


def _check_names(routes: Sequence[Route], report: Report) -> None:
    first: dict[str, Route] = {}
    for route in routes:
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
            name = use.field.template.constant
            if use.command == "broadcast" and name not in joined and not analysis.route.broken:
                message = f"no connection can be in `{name}`: no route joins it"
                report.add(codes.EMPTY_AUDIENCE, analysis.route.source, use.field.span, message)
