"""Lines with their instructions, and blocks that are laid out when they end."""

from __future__ import annotations

from runtime.translator.writer import CodeWriter


def written(*lines: str) -> CodeWriter:
    out = CodeWriter()
    for pc, line in enumerate(lines):
        out.pc = pc
        out.write(line)
    return out


def test_a_line_belongs_to_its_instruction() -> None:
    out = written("a", "b")
    assert (out.lines, out.pcs, out.place) == (["a", "b"], [0, 1], 2)


def test_wrapping_indents_what_was_written_since() -> None:
    out = written("a", "b", "c")
    out.wrap(1, "if x:", 7)
    assert (out.lines, out.pcs) == (["a", "if x:", " b", " c"], [0, 7, 1, 2])


def test_an_empty_block_passes() -> None:
    out = written("a")
    out.wrap(1, "else:", 3)
    assert (out.lines, out.pcs) == (["a", "else:", " pass"], [0, 3, 3])


def test_cutting_takes_lines_back() -> None:
    out = written("a", "b", "c")
    out.cut(1)
    assert (out.lines, out.pcs) == (["a"], [0])


def test_a_line_can_be_put_before_others() -> None:
    out = written("a", "b")
    out.insert(1, "c", 9)
    assert (out.lines, out.pcs) == (["a", "c", "b"], [0, 9, 1])
