"""Golden files: the compiler and the server say what they said before. `make golden` writes them anew."""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

import pytest

from compiler.bytecode.disassembler import disassemble
from compiler.diagnostics.codes import CODES
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.render import render_full
from compiler.pipeline import Compilation, Settings, check_together, compile_source
from tests.e2e.serving import serving
from tests.golden.files import GoldenFile, read_golden
from tests.golden.transcript import play

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("routes/*.txt")) + sorted(HERE.glob("bad/*.txt"))
LABEL = re.compile(r"^(?:error|warning|info)\[[a-z-]+\] (W\d+):", re.MULTILINE)


def compiled(golden: GoldenFile) -> Compilation:
    return compile_source(golden.route_name, golden.route.encode(), Settings())


def findings(compilation: Compilation) -> list[Diagnostic]:
    """What is wrong with a file, and with its routes beside each other, each said once."""
    together = check_together([compilation], Settings())
    found = dict.fromkeys([*compilation.report.diagnostics, *together.diagnostics])
    return sorted(found, key=lambda diagnostic: diagnostic.sort_key)


async def actual(golden: GoldenFile, heading: str, folder: Path) -> str:
    """What stands under a heading today."""
    if heading == "diagnostics":
        return render_full(findings(compiled(golden)))
    if heading == "disassembly":
        compilation = compiled(golden)
        assert compilation.program is not None, render_full(compilation.report.diagnostics)
        return disassemble(compilation.program, compilation.source.text)
    route = folder / golden.route_name
    route.write_text(golden.route, encoding="utf-8")
    async with serving(route) as address:
        return await play(address, golden.expectations["conversation"])


def difference(expected: str, text: str) -> str:
    """What is expected and not there, and what is there instead; nothing where they agree."""
    lines = expected.rstrip("\n").splitlines(), text.rstrip("\n").splitlines()
    return "\n".join(unified_diff(*lines, "expected", "actual", lineterm=""))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_golden(path: Path, tmp_path: Path, update: bool) -> None:
    golden = read_golden(path)
    assert golden.expectations, "nothing is expected"
    for heading, expected in golden.expectations.items():
        text = await actual(golden, heading, tmp_path)
        golden = golden.updated(heading, text)
        if not update:
            assert not (changes := difference(expected, text)), f"{heading} (make golden, if it is meant):\n{changes}"
    if update:
        golden.write()


@pytest.mark.parametrize("path", sorted(HERE.glob("bad/*.txt")), ids=lambda path: path.stem)
def test_a_bad_file_is_called_by_what_is_found(path: Path) -> None:
    labels = set(LABEL.findall(read_golden(path).expectations["diagnostics"]))
    assert labels == {path.name[:4]}


def test_every_mistake_of_a_route_file_has_a_picture() -> None:
    pictured = {path.name[:4] for path in HERE.glob("bad/*.txt")}
    assert pictured >= {code.label for code in CODES.values() if code.number < 600}
