"""The reference pages: complete, and well formed."""

from __future__ import annotations

import re

import pytest

from compiler.bytecode.opcodes import Opcode
from compiler.derive.reference import limit_docs, reference_pages
from compiler.diagnostics.codes import CODES
from compiler.language import limits
from compiler.language.functions import FUNCTIONS
from compiler.language.hooks import HOOKS, INPUTS
from compiler.operations import OPERATIONS
from compiler.operations.route import ROUTE_KEYS

PAGES = reference_pages()


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("route.md", ROUTE_KEYS),
        ("operations.md", OPERATIONS),
        ("functions.md", FUNCTIONS),
        ("findings.md", CODES),
    ],
)
def test_there_is_a_heading_for_every_row(page: str, names: dict[str, object]) -> None:
    assert sorted(re.findall(r"^### (.+)$", PAGES[page], re.MULTILINE)) == sorted(names)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("hooks.md", [*HOOKS, *INPUTS]),
        ("opcodes.md", [opcode.name for opcode in Opcode]),
        ("limits.md", [name.lower() for name, value in vars(limits).items() if isinstance(value, int)]),
    ],
)
def test_there_is_a_line_for_every_row(page: str, names: list[str]) -> None:
    assert all(re.search(rf"^\|.*`{name}` \|", PAGES[page], re.MULTILINE) for name in names)


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_well_formed(page: str) -> None:
    text = PAGES[page]
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert text.count("```") % 2 == 0
    assert all(character == "\n" or character.isprintable() for character in text)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_the_index_leads_to_every_page() -> None:
    assert set(re.findall(r"\]\((.+?)\)", PAGES["README.md"])) == PAGES.keys() - {"README.md"}


def test_every_limit_says_what_it_limits() -> None:
    assert [name for name, _ in limit_docs()] == [
        name for name, value in vars(limits).items() if isinstance(value, int)
    ]
