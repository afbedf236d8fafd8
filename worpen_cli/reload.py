"""What `worpen dev` serves after each save: the good files as they are now, the broken ones as they were last good.

A file that does not compile leaves its last good version serving; one that never compiled answers 503 with its
findings where its address can be read. Of routes that clash, those already serving go on, and a file that brings
another one counts as broken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from compiler.diagnostics.codes import Severity
from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.machine_formats import diagnostic_json
from compiler.diagnostics.render import render_full
from compiler.pipeline import Compilation, Settings, check_together, compile_source
from compiler.records import dataclass
from runtime.server.catalogue import BrokenRoute, RouteEntry, entries_of
from runtime.server.feed import BrokenFile
from worpen_cli.files import InputFile

if TYPE_CHECKING:
    from compiler.bytecode.program import Program
    from runtime.loader import LinkedProgram

_PATHS: Final = re.compile(r"""^path:[ \t]*["']?(/[^\s"'#]+)|"path"[ \t]*:[ \t]*"(/[^"\s]+)\"""", re.MULTILINE)
"""Where a route's address stands, also in text that is neither YAML nor JSON any more."""


@dataclass(frozen=True, slots=True)
class Good:
    """A version of a file that compiled, ready to be served."""

    compilation: Compilation
    linked: LinkedProgram

    @property
    def shapes(self) -> frozenset[tuple[str, ...]]:
        """The addresses of its routes, parameters unnamed."""
        return frozenset(route.pattern.shape for route in self.linked.routes)


@dataclass(slots=True)
class Tracked:
    """A file over its saves. Mutable: the set of routes keeps one of each."""

    raw: bytes
    compilation: Compilation
    current: Good | None
    last_good: Good | None = None
    clashes: tuple[Diagnostic, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether what is saved cannot be served."""
        return self.current is None or bool(self.clashes)

    @property
    def served(self) -> Good | None:
        """The version to serve."""
        return self.last_good if self.is_broken else self.current

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What was found in the file as it is saved."""
        report = Report([*self.compilation.report.diagnostics, *self.clashes])
        return report.sorted()


@dataclass(frozen=True, slots=True)
class Generation:
    """What a set of files came to: what to serve, what to say, and which files are broken or served as they were."""

    entries: tuple[RouteEntry | BrokenRoute, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: int
    broken: tuple[str, ...]
    stale: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(slots=True)
class RouteSet:
    """Compiles the files of each save, and remembers their last good versions. One owner; called from one thread at
    a time. `link` makes a program ready to run."""

    settings: Settings
    link: Callable[[Program], LinkedProgram]
    files: dict[str, Tracked] = field(default_factory=dict)

    def compile(self, inputs: Sequence[InputFile]) -> Generation:
        """Compile what has changed since the last call, check everything together, and decide what is served."""
        changed = self.fresh(inputs)
        before, self.files = self.files, {}
        for file in inputs:
            self.files[file.name] = self._track(file, before.get(file.name))
        self._adopt_renamed([tracked for name, tracked in before.items() if name not in self.files])
        warnings = self._settle_clashes()
        shown = [d for name, tracked in self.files.items() for d in self._shown(tracked, name in changed)]
        shown += warnings if changed else []
        for tracked in self.files.values():
            if not tracked.is_broken:
                tracked.last_good = tracked.current
        return self._generation(shown, tuple(changed))

    def broken_files(self) -> list[BrokenFile]:
        """The files that do not compile as they are saved, with the addresses they are about and their errors."""
        return [_broken_file(name, tracked) for name, tracked in self.files.items() if tracked.is_broken]

    def fresh(self, inputs: Iterable[InputFile]) -> list[str]:
        """Names of files that are new, or not as they were compiled last."""
        return [file.name for file in inputs if (old := self.files.get(file.name)) is None or old.raw != file.raw]

    def cut_off(self, inputs: Iterable[InputFile]) -> list[str]:
        """Names of files whose text is now only the beginning of what is served, and would compile."""
        return [file.name for file in inputs if self._is_cut_off(file)]

    def _is_cut_off(self, file: InputFile) -> bool:
        tracked = self.files.get(file.name)
        if tracked is None or tracked.served is None or tracked.raw == file.raw:
            return False
        whole = tracked.served.compilation.source.text.encode("utf-8", "surrogatepass")
        if len(file.raw) >= len(whole.rstrip()) or not whole.startswith(file.raw):
            return False
        return compile_source(file.name, file.raw, self.settings).program is not None

    def _track(self, file: InputFile, old: Tracked | None) -> Tracked:
        if old is not None and old.raw == file.raw:
            old.clashes = ()
            return old
        compilation = compile_source(file.name, file.raw, self.settings)
        current = None
        if compilation.program is not None:
            current = Good(compilation, self.link(compilation.program))
        return Tracked(file.raw, compilation, current, old.last_good if old is not None else None)

    def _adopt_renamed(self, gone: Iterable[Tracked]) -> None:
        """A file that is broken under a new name goes on with the last good version of its old name."""
        for lost in gone:
            for tracked in self.files.values():
                if lost.last_good is not None and tracked.current is None and tracked.last_good is None:
                    paths = {str(route.pattern) for route in lost.last_good.linked.routes}
                    if paths & set(readable_paths(tracked.compilation.source.text)):
                        tracked.last_good = lost.last_good

    def _settle_clashes(self) -> list[Diagnostic]:
        """Break files until those to be served do not clash; returns what else is found in them together."""
        while True:
            ordered = self._serving_first()
            found = check_together([tracked.served.compilation for tracked in ordered if tracked.served], self.settings)
            errors = [d for d in found.sorted() if d.severity is Severity.ERROR]
            blamed = [tracked for tracked in ordered if not tracked.is_broken and _own(tracked, errors)]
            if not blamed:
                return [d for d in found.sorted() if d.severity is not Severity.ERROR]
            for tracked in blamed:
                tracked.clashes = tuple(_own(tracked, errors))

    def _serving_first(self) -> list[Tracked]:
        """Files whose routes are served already come first: of two that clash, the later one is blamed."""

        def is_new(tracked: Tracked) -> bool:
            served, last = tracked.served, tracked.last_good
            return served is None or last is None or not served.shapes <= last.shapes

        return sorted(self.files.values(), key=is_new)

    @staticmethod
    def _shown(tracked: Tracked, is_changed: bool) -> list[Diagnostic]:
        """All of a file that was just saved; of others the errors that still keep them from being served."""
        return [d for d in tracked.diagnostics if is_changed or d.severity is Severity.ERROR]

    def _generation(self, shown: Iterable[Diagnostic], changed: tuple[str, ...]) -> Generation:
        entries: list[RouteEntry | BrokenRoute] = []
        for tracked in self._serving_first():
            entries += _entries(tracked)
        broken = tuple(name for name, tracked in self.files.items() if tracked.is_broken)
        stale = tuple(name for name in broken if self.files[name].served is not None)
        found = tuple(Report(list(shown)).sorted())
        return Generation(tuple(entries), found, len(self.files), broken, stale, changed)


def _own(tracked: Tracked, errors: Iterable[Diagnostic]) -> list[Diagnostic]:
    good = tracked.served
    return [d for d in errors if good is not None and d.source is good.compilation.source]


def _entries(tracked: Tracked) -> list[RouteEntry | BrokenRoute]:
    if (good := tracked.served) is not None:
        return list(entries_of(good.linked, stale=tracked.is_broken))
    errors = [d for d in tracked.diagnostics if d.severity is Severity.ERROR]
    reason = render_full(errors)
    return [BrokenRoute(path, reason) for path in readable_paths(tracked.compilation.source.text)]


def _broken_file(name: str, tracked: Tracked) -> BrokenFile:
    good = tracked.served or tracked.current
    paths = [str(route.pattern) for route in good.linked.routes] if good else _paths_in(tracked)
    errors = [d for d in tracked.diagnostics if d.severity is Severity.ERROR]
    return BrokenFile(name, tuple(paths), render_full(errors), [diagnostic_json(error) for error in errors])


def _paths_in(tracked: Tracked) -> list[str]:
    return readable_paths(tracked.compilation.source.text)


def readable_paths(text: str) -> list[str]:
    """The addresses that can be read in the text of a file that does not compile."""
    return [match[1] or match[2] for match in _PATHS.finditer(text)]
