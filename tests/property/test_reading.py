"""Reading never raises: any bytes give trees or findings, and every place lies inside the file."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import Span
from compiler.syntax.events import decode_source, read_documents
from compiler.syntax.offsets import offset_map
from compiler.syntax.tree import Mapping, Node
from tests.compiler.syntax.reading import nodes_of, plain, scalars_of, tree_of

YAML = """\
# A route with a bit of everything.
name: "Room \\u00e9" # comment
path: '/ws/it''s'
ws_hooks:
  on_message: &ops
    - If:
        condition: "{{ message | length > 10 }}"
        then:
          - WsOp: {command: send, message: "Hi {{ nick }}"}
        else: [{Log: {message: a}}, *x]
    - SetVar:
        name: text
        value: |
          one
            two

          three
    - SetVar: {name: n, value: -1.5e3}
    - !WsOp
      message: >-
        folded
        text
  on_connect: *ops
---
{{ x }}: !!str 5
"""
JSON = '{"name": "A \\ud83d\\ude00", "list": [1, -2.5e3, true, null, {"x": ""}],\n "deep": {"a": {"b": []}}}\n'

PIECES = [
    *"-:?{}[],#&*!|>'\"%@`\\ \n\t\r",
    "{{",
    "}}",
    "- ",
    ": ",
    "\n  ",
    "---\n",
    "...\n",
    "<<: ",
    "&a ",
    "*a",
    "\\u",
    "é😀",
    "\u2028",
]
NOTHING = re.compile(r"(?:\ufeff|\s|#[^\r\n]*|---|\.\.\.|%[^\r\n]*|[&!][^\s]*)*")


def read_and_check(raw: bytes, name: str) -> list[Node]:
    report = Report()
    source = decode_source(name, raw, report)
    documents = [] if source is None else read_documents(source, report)
    for finding in report.diagnostics:
        places = [finding.span, *(label.span for label in finding.labels)]
        places += [edit.span for fix in finding.fixes for edit in fix.edits]
        for place in places:
            assert 0 <= place.start <= place.end <= len(finding.source.text), finding.message
        assert finding.message
    if source is not None:
        assert documents or report.diagnostics or NOTHING.fullmatch(source.text)
        for document in documents:
            check_tree(document, source.text)
    return documents


def check_tree(document: Node, text: str) -> None:
    for node in nodes_of(document):
        assert 0 <= node.span.start <= node.span.end <= len(text)
        if isinstance(node, Mapping):
            keys = [entry.key.value for entry in node.entries]
            assert len(keys) == len(set(keys))
    for scalar in scalars_of(document):
        offsets = offset_map(text, scalar)
        made = offsets.span_to_file(Span(0, len(scalar.value)))
        assert scalar.span.start <= made.start <= made.end <= scalar.span.end
        assert "".join(run.text for run in offsets.runs) == scalar.value


@st.composite
def mutations(draw: st.DrawFn, text: str) -> str:
    """The text with a few pieces taken out, put in and repeated."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        replacement = draw(st.one_of(st.sampled_from(PIECES), st.just(""), st.just(text[start:end] * 2)))
        text = text[:start] + replacement + text[end:]
    return text


@given(st.binary(max_size=60), st.sampled_from(["a.yaml", "a.json"]))
def test_any_bytes(raw: bytes, name: str) -> None:
    read_and_check(raw, name)


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(["a", "1", "x y"])), max_size=30).map("".join),
    st.sampled_from(["a.yaml", "a.json"]),
)
def test_any_punctuation(text: str, name: str) -> None:
    read_and_check(text.encode(), name)


@given(mutations(YAML))
def test_mutated_yaml(text: str) -> None:
    read_and_check(text.encode(), "a.yaml")


@given(mutations(JSON))
def test_mutated_json(text: str) -> None:
    documents = read_and_check(text.encode(), "a.json")
    if documents:
        assert plain(documents[0]) == json.loads(text)


def refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def is_json(text: str) -> bool:
    """Whether Python reads a text as JSON, without the constants and halves of characters that it lets through."""
    try:
        json.dumps(json.loads(text, parse_constant=refuse_constant), ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


@given(mutations(JSON))
def test_json_is_what_python_reads_as_json(text: str) -> None:
    report = Report()
    source = decode_source("a.json", text.encode(), report)
    assume(source is not None and text.strip())
    assert source is not None
    read_documents(source, report)
    assert is_json(text) == all(finding.code.name != "json-syntax" for finding in report.diagnostics)


characters = st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff\ufeff")
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(characters, max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(characters, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 0, 2, "\t"]), st.booleans())
def test_json_means_the_same_as_json_and_as_yaml(value: Any, indent: int | str | None, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assume(not re.search(r"\\ud[89ab]", text))  # JSON's pairs of escapes are not YAML
    as_json, as_yaml = (plain(tree_of(text, name)) for name in ("a.json", "a.yaml"))
    assert as_json == as_yaml
    assert repr(as_json) == repr(as_yaml)
