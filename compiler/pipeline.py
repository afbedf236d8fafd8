"""The straight line from source to program. Read this file first.

    bytes → SourceFile → positioned trees → routes → analyses → chunks → program (verified)

Mistakes of the author are collected in a report; a program exists only where there are no errors. What
is written to disk or handed to the runtime has passed the verifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from compiler.analysis import Analysis, analyse, check_routes
from compiler.bytecode.manifest import compute_manifest
from compiler.bytecode.program import Chunk, Membership, Program, RouteProgram
from compiler.bytecode.verifier import verify
from compiler.diagnostics import codes
from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.source import SourceFile, Span
from compiler.lower import Assembler, Pool, Variables
from compiler.operations.route import Route
from compiler.reader import read_routes
from compiler.records import dataclass
from compiler.syntax.events import decode_source, read_documents
from compiler.syntax.findings import Findings
from compiler.syntax.suppressions import Suppressions, read_suppressions

PRODUCER: Final = "worpen"
"""What a program says of who made it. Not the version: equal routes give equal bytes in all releases of a format."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the project's settings decide about compilation.

    `prefix` is the second address of each route (`/api`; empty: none); `environment` are the names that `env` may read.
    """

    prefix: str = "/api"
    environment: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compilation:
    """What became of one file. `program` is None where there are errors or only a check was asked for.

    `silenced` are findings that comments in the file ask to ignore; errors among them still leave it without a program.
    """

    source: SourceFile
    report: Report
    analyses: tuple[Analysis, ...] = ()
    program: Program | None = None
    silenced: tuple[Diagnostic, ...] = ()
    suppressions: Suppressions | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, as far as they could be read."""
        return tuple(analysis.route for analysis in self.analyses)

    @property
    def hooks(self) -> int:
        """How many hooks were checked."""
        return sum(len(route.hooks) for route in self.routes)


def check_source(name: str, raw: bytes, settings: Settings) -> Compilation:
    """Everything but lowering: what `validate` needs for one file. `name` is the path as it is to be shown."""
    report = Report()
    source = decode_source(name, raw, report)
    if source is None:
        return Compilation(report.diagnostics[0].source, report)
    documents = read_documents(source, report)
    if not documents and not report.has_errors:
        report.add(codes.NO_ROUTE, source, Span(0, 0), "the file holds no route")
    routes = read_routes(source, documents, Findings(source, report))
    analyses = tuple(analyse(route, report, settings.environment) for route in routes)
    suppressions = read_suppressions(source, documents)
    silenced = suppressions.silence(report)
    suppressions.report_unused(report, together=False)
    return Compilation(source, report, analyses, silenced=tuple(silenced), suppressions=suppressions)


def check_together(compilations: Sequence[Compilation], settings: Settings) -> Report:
    """Routes against each other, over all files: addresses, names, channels."""
    report = Report()
    check_routes(
        [analysis for compilation in compilations for analysis in compilation.analyses], settings.prefix, report
    )
    for compilation in compilations:
        if compilation.suppressions is not None:
            compilation.suppressions.silence(report)
            compilation.suppressions.report_unused(report, together=True)
    return report


def compile_source(name: str, raw: bytes, settings: Settings) -> Compilation:
    """One file to a verified program, unless it has errors. An error that a comment asks to ignore is still one."""
    checked = check_source(name, raw, settings)
    checked.report.diagnostics += [found for found in checked.silenced if found.severity is Severity.ERROR]
    if checked.report.has_errors:
        return checked
    alone = Report()
    check_routes(checked.analyses, settings.prefix, alone)
    if alone.has_errors:
        checked.report.extend(alone)
        return checked
    return replace(checked, program=build_program(checked.source, raw, checked.analyses))


def build_program(source: SourceFile, raw: bytes, analyses: Sequence[Analysis]) -> Program:
    """Lower routes without errors, and verify what came out. Raises LoadError only for a bug of ours."""
    pool = Pool()
    findings = Findings(source, Report())
    routes = tuple(_lower_route(analysis, pool, findings) for analysis in analyses)
    return _program(pool, routes, source, raw)


def _program(pool: Pool, routes: tuple[RouteProgram, ...], source: SourceFile, raw: bytes) -> Program:
    import hashlib  # costs 3 ms, and checking needs none

    constants = tuple(value for _, value in pool.constants.values())
    imports = tuple(pool.imports)
    program = Program(
        constants,
        imports,
        routes,
        compute_manifest(constants, imports, routes),
        PRODUCER,
        source_name=source.name.replace("\\", "/").rpartition("/")[2],
        source_hash=hashlib.sha256(raw).hexdigest(),
    )
    verify(program)
    return program


def _lower_route(analysis: Analysis, pool: Pool, findings: Findings) -> RouteProgram:
    route = analysis.route
    variables = Variables({slot.name: number for number, slot in enumerate(analysis.slots)})
    hooks = {
        name: _lower_hook(name, analysis, variables, pool, findings)
        for name, block in route.hooks.items()
        if block.operations
    }
    return RouteProgram(
        route.name.value,
        str(route.pattern),
        route.options,
        _lower_membership(analysis, variables, pool, findings),
        analysis.slots,
        hooks,
    )


def _lower_hook(hook: str, analysis: Analysis, variables: Variables, pool: Pool, findings: Findings) -> Chunk:
    asm = Assembler(pool, variables, findings, hook)
    block = analysis.route.hooks[hook]
    for assigned in (name for name, hooks in analysis.assigned.items() if hook in hooks):
        asm.mark_at(block.operations[0].place, block.operations[0].title)
        asm.own_input(assigned)
    asm.operations(block.operations)
    return asm.finish()


def _lower_membership(analysis: Analysis, variables: Variables, pool: Pool, findings: Findings) -> Membership:
    plan = analysis.membership
    chunks = []
    for template in plan.templates:
        asm = Assembler(pool, variables, findings, "on_connect")
        asm.channel(template)
        asm.give_back()
        chunks.append(asm.finish())
    return Membership(plan.automatic, plan.literals, tuple(dict.fromkeys(chunks)))
