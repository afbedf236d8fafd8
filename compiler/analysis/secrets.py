"""Secrets that are written in a route: keys of digests, variables called so, and texts of a well-known form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from compiler.diagnostics import codes
from compiler.diagnostics.source import Span
from compiler.language.functions import SPELLINGS
from compiler.operations.model import Operation
from compiler.operations.route import Route
from compiler.operations.variables import SetVar
from compiler.syntax.fields import (
    AnyField,
    ConditionField,
    ConstantField,
    ListField,
    ObjectField,
    TemplateField,
    TextField,
)
from compiler.syntax.findings import Findings
from compiler.syntax.nodes import Call, Expression, Literal, unwrap, walk
from compiler.syntax.tree import Scalar

_WELL_KNOWN: Final = re.compile(
    r"""
      [srp]k_(?:live|test)_[A-Za-z0-9]{10,}             # payment keys
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | glpat-[\w-]{16,}
    | xox[abprs]-[A-Za-z0-9-]{10,}                       # chat tokens
    | AKIA[0-9A-Z]{16}\b | AIza[\w-]{35}               # clouds
    | SG\.[\w-]{16,}\.[\w-]{16,}
    | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}              # signed tokens
    | -----BEGIN\ (?:[A-Z]+\ )?PRIVATE\ KEY-----
    """,
    re.VERBOSE,
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:secret|password|passwd|token|api_?key|private_?key|access_?key|client_?secret)(?:_key)?$",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9\W_])[^\s{}]{8,}")
"""What a secret looks like under such a name: no blanks, at least 8 characters, not a single plain word."""
_DIGEST: Final = "hmac_sha256"
"""The function whose second argument is a secret."""
_DIGEST_BEGINS: Final = "hmac"
"""How each of its spellings begins."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def check_secrets(route: Route, operations: Iterable[Operation], found: Findings) -> None:
    """Report each secret once, with the least that shows it."""
    places = set(_well_known(found.source.text, route.span))
    for operation in operations:
        for span in _secrets_of(operation, found):
            if not any(span.start < known.end and known.start < span.end for known in places):
                places.add(span)
    for span in sorted(places):
        message = "this looks like a secret, and route files are shared"
        help = "read it from the environment: `env('NAME')`, with NAME under `env.allow` in worpen.toml"
        found.add(codes.LITERAL_SECRET, span, message, help=help)


def _well_known(text: str, part: Span) -> Iterator[Span]:
    """Secrets that show what they are. That a word begins there is looked at last: a pattern that begins with `\\b`
    is tried at every character, one that begins with a letter is not."""
    for match in _WELL_KNOWN.finditer(text, part.start, part.end):
        before = text[match.start() - 1 : match.start()]
        if match[0].startswith("-") or not (before.isalnum() or before == "_"):
            yield Span(*match.span())


def _secrets_of(operation: Operation, found: Findings) -> Iterator[Span]:
    if isinstance(operation, SetVar) and _names_secret(operation.name.value):
        yield from _literal_secret(operation.value)
    for field in operation.evaluated():
        for scalar, expression in _expressions(field):
            locate = found.locator(scalar)
            yield from (locate(span) for span in _digest_keys(expression))
        yield from _named_members(field)


def _names_secret(name: str) -> bool:
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def _literal_secret(field: AnyField) -> Iterator[Span]:
    if isinstance(field, TemplateField) and _SECRET_VALUE.fullmatch(field.template.constant or ""):
        yield field.span


def _named_members(field: AnyField) -> Iterator[Span]:
    """Literal secrets under keys of mappings that are called so: `{password: …}`."""
    match field:
        case ListField():
            for item in field.items:
                yield from _named_members(item)
        case ObjectField():
            for key, item in field.entries:
                if _names_secret(key.value):
                    yield from _literal_secret(item)
                yield from _named_members(item)
        case _:
            return


def _expressions(field: AnyField) -> Iterator[tuple[Scalar, Expression]]:
    """The expressions of a field that may hold digests, as their texts say."""
    match field:
        case TextField() | TemplateField():
            if _DIGEST_BEGINS in field.scalar.value:
                yield from ((field.scalar, expression) for expression in field.template.expressions)
        case ConditionField():
            if field.expression is not None and _DIGEST_BEGINS in field.scalar.value:
                yield field.scalar, field.expression
        case ListField():
            for item in field.items:
                yield from _expressions(item)
        case ObjectField():
            for _, item in field.entries:
                yield from _expressions(item)
        case ConstantField():
            return


def _digest_keys(expression: Expression) -> Iterator[Span]:
    for node in walk(expression):
        if isinstance(node, Call) and len(node.arguments) == 2 and _is_digest(node.name):
            key = unwrap(node.arguments[1])
            if isinstance(key, Literal) and isinstance(key.value, str) and key.value:
                yield key.span


def _is_digest(name: str) -> bool:
    row = SPELLINGS.get(name)
    return row is not None and row.name == _DIGEST
