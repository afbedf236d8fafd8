"""The JSON Schema of a route file (2020-12), for editors; made from the tables of operations, route keys and hooks.

An operation is an object of which exactly one property may be there: so an error points at the field that is wrong,
where alternatives (`oneOf`) would only say that none of them fits. Every definition that holds operations is there
twice, since a codec decides what a message may be; the route chooses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from compiler.language.hooks import HOOKS, RESERVED_NAMES
from compiler.language.paths import SERVER_PATHS
from compiler.operations import OPERATIONS, SPELLINGS
from compiler.operations.model import Operation, Record
from compiler.operations.route import (
    ROUTE_KEYS,
    Address,
    Amount,
    Channels,
    Flag,
    Hooks,
    Key,
    Keys,
    ListOf,
    Names,
    RouteType,
    Shape,
    Text,
    Version,
    Word,
)
from compiler.operations.rows import FieldRow, Position

Schema: TypeAlias = dict[str, Any]

_NAME: Final = "[A-Za-z_][A-Za-z0-9_]*"
_FILLED: Final = r"\S"
_PLAIN: Final = r"^(?![\s\S]*\{\{)"
_PLAIN_FILLED: Final = rf"{_PLAIN}[\s\S]*\S"
_VARIABLE: Final[Schema] = {"type": "string", "pattern": f"^{_NAME}$", "not": {"enum": sorted(RESERVED_NAMES)}}
_CHANNEL: Final[Schema] = {"type": "string", "pattern": _FILLED}
_BY_POSITION: Final[dict[Position, Schema]] = {
    Position.VALUE: {},
    Position.WHOLE: {"type": ["integer", "string"], "minimum": 0, "pattern": r"\{\{|^\d+$"},
    Position.TEXT: {"type": "string"},
    Position.CHANNEL: _CHANNEL,
    Position.CONDITION: {"type": ["string", "boolean"]},
    Position.COLLECTION: {"type": ["string", "array", "null"]},
    Position.VARIABLE: _VARIABLE,
    Position.FLAG: {"type": "boolean"},
    Position.LITERAL: {"type": "string", "pattern": _PLAIN},
    Position.STATEMENT: {"type": "string", "pattern": _PLAIN_FILLED},
}
_WITH_CODEC: Final = "-with-codec"
_ENCODED: Final = ("json", "msgpack")
_BLOCKS: Final = (Position.OPERATIONS, Position.PARTS, Position.MESSAGE)
"""Positions whose schema depends on the codec."""


def json_schema() -> Schema:
    """The schema of one route; a YAML file may hold several, each on its own."""
    properties = {name: _key(row) for name, row in ROUTE_KEYS.items()}
    hooks = properties["ws_hooks"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:worpen:schema:route:1",
        "title": "worpen route",
        "description": "A real-time WebSocket route. `worpen validate` finds much more than this schema can.",
        "type": "object",
        "properties": {**properties, "ws_hooks": {"description": hooks["description"]}},
        "patternProperties": {"^x-": True},
        "additionalProperties": False,
        "required": [name for name, row in ROUTE_KEYS.items() if row.required],
        "if": {"properties": {"codec": {"enum": list(_ENCODED)}}, "required": ["codec"]},
        "then": {"properties": {"ws_hooks": _hooks(_WITH_CODEC)}},
        "else": {"properties": {"ws_hooks": _hooks("")}},
        "$defs": dict(_definitions()),
    }


def _definitions() -> Iterable[tuple[str, Schema]]:
    for codec in ("", _WITH_CODEC):
        names = {spelling: f"{cls.__name__}{_suffix(cls, codec)}" for spelling, cls in SPELLINGS.items()}
        yield f"operation{codec}", _one_of_these({name: _reference(target) for name, target in names.items()})
        for name, cls in OPERATIONS.items():
            if not codec or _suffix(cls, codec):
                yield f"{name}{_suffix(cls, codec)}", _record(cls, codec)


def _suffix(cls: type[Record], codec: str) -> str:
    """The codec's suffix, for operations on which it has an influence."""
    return codec if any(row.position in _BLOCKS for row in cls.rows.values()) else ""


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _one_of_these(properties: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": "One operation: a mapping with one key, its name, over its fields.",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }


# Operations and their parts.


def _record(cls: type[Record], codec: str) -> Schema:
    required = [row for row in cls.rows.values() if row.required]
    schema: Schema = {
        "type": "object" if required or cls.one_of else ["object", "null"],
        "description": (cls.__doc__ or "").split("\n\n")[0],
        "properties": {spelling: _field(row, codec) for spelling, row in cls.spellings.items()},
        "additionalProperties": False,
    }
    if issubclass(cls, Operation):
        schema["examples"] = [cls.example]
    if plain := [row.name for row in required if not row.aliases]:
        schema["required"] = plain
    if conditions := [*_given_once(cls), *_variants(cls)]:
        schema["allOf"] = conditions
    if cls.one_of:
        schema["anyOf"] = [{"required": [name]} for name in cls.one_of]
    return schema


def _given_once(cls: type[Record]) -> Iterable[Schema]:
    """A field with several names: one of them where it is required, and never two."""
    for row in cls.rows.values():
        if row.aliases and row.required:
            yield {"anyOf": [{"required": [name]} for name in row.spellings]}
        for place, name in enumerate(row.spellings):
            for other in row.spellings[place + 1 :]:
                yield {"not": {"required": [name, other]}}


def _variants(cls: type[Record]) -> Iterable[Schema]:
    if cls.variants is None:
        return
    decider, variants = cls.variants
    for word, variant in variants.items():
        if variant.required:
            condition = {"properties": {decider: {"const": word}}, "required": [decider]}
            yield {"if": condition, "then": {"required": list(variant.required)}}


def _field(row: FieldRow, codec: str) -> Schema:
    schema = _position(row, codec)
    if not row.required:
        schema = _nullable(schema)
    return {"description": row.doc if not row.default else f"{row.doc} Default: {row.default}.", **schema}


def _position(row: FieldRow, codec: str) -> Schema:
    match row.position:
        case Position.WORD:
            return {"enum": list(row.words)}
        case Position.INTEGER:
            return {"type": "integer", **_bounds(row.minimum, row.maximum)}
        case Position.MESSAGE:
            return {} if codec else {"type": "string"}
        case Position.OPERATIONS:
            return {"type": "array", "items": _reference(f"operation{codec}")}
        case Position.PARTS:
            assert row.part is not None
            assert issubclass(row.part, Record)
            return {"type": "array", "items": _record(row.part, codec)}
        case position:
            return dict(_BY_POSITION[position])


def _bounds(minimum: float | None, maximum: float | None) -> Schema:
    bounds = {"minimum": minimum, "maximum": maximum}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _nullable(schema: Schema) -> Schema:
    """The same, or null: an optional key that is null counts as absent."""
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    kinds = schema.get("type")
    if kinds is None or "null" in kinds:
        return schema
    return {**schema, "type": [kinds, "null"] if isinstance(kinds, str) else [*kinds, "null"]}


# Keys of routes.


def _key(row: Key) -> Schema:
    schema = _shape(row.shape)
    if not row.required:
        schema = _nullable(schema)
    if row.default is not None:
        schema = {**schema, "default": row.default}
    return {"description": row.doc, **schema}


def _shape(shape: Shape) -> Schema:
    match shape:
        case Text():
            return _text(shape)
        case Flag():
            return {"type": "boolean"}
        case Word():
            return {"enum": list(shape.words)}
        case Amount():
            return {"type": "integer" if shape.whole else "number", "minimum": shape.minimum}
        case ListOf():
            schema = {"type": "array", "items": _shape(shape.item)}
            return {**schema, "minItems": 1} if shape.filled else schema
        case Names():
            return {"type": "object", "propertyNames": _VARIABLE, "additionalProperties": _VARIABLE}
        case Keys():
            return _keys(shape)
        case Address():
            return _address()
        case RouteType():
            return {"type": "string", "pattern": f"^(?:{'|'.join(map(_folded, shape.words))})$"}
        case Version():
            return {"type": ["string", "number"]}
        case Channels():
            return {"type": "array", "items": _CHANNEL}
        case Hooks():
            return _hooks("")


def _text(shape: Text) -> Schema:
    schema: Schema = {"type": "string"}
    if shape.form is not None:
        schema["pattern"] = f"^(?:{shape.form[0]})$"
    elif shape.filled:
        schema["pattern"] = _PLAIN_FILLED if shape.plain else _FILLED
    return schema


def _keys(shape: Keys) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: _key(row) for name, row in shape.rows.items()},
        "additionalProperties": False,
    }
    if required := [name for name, row in shape.rows.items() if row.required]:
        schema["required"] = required
    if shape.one_of:
        schema["anyOf"] = [{"required": [name]} for name in shape.one_of]
        schema["not"] = {"required": list(shape.one_of)}
    if shape.shorthand is not None:
        schema |= {"type": ["object", "number"], "minimum": shape.shorthand[1].minimum}
    return schema


def _address() -> Schema:
    parameter = rf":{_NAME}|\{{{_NAME}\}}"
    taken = "|".join(re.escape(path) for path in SERVER_PATHS)
    return {
        "type": "string",
        "pattern": rf"^(?!(?:{taken})(?:/|$))(?:/(?:{parameter}|[^/:{{}}?#*\s]+))+$",
    }


def _folded(word: str) -> str:
    """A pattern for a word without regard to case, `_` and `-`."""
    return "[_-]*".join(f"[{letter}{letter.upper()}]" for letter in word)


def _hooks(codec: str) -> Schema:
    block = {"type": ["array", "null"], "items": _reference(f"operation{codec}")}
    filled: Mapping[str, Any] = {"type": "array", "minItems": 1}
    return {
        "type": "object",
        "properties": {name: {"description": hook.doc, **block} for name, hook in HOOKS.items()},
        "additionalProperties": False,
        "minProperties": 1,
        "if": {"minProperties": 1, "propertyNames": {"enum": list(HOOKS)}},
        "then": {"anyOf": [{"properties": {name: filled}, "required": [name]} for name in HOOKS]},
    }
