"""Trees as any reader of YAML or JSON gives them."""

from __future__ import annotations

from typing import Any

from compiler.syntax.tree import Mapping, Node, Scalar, Sequence, Tagged


def plain(node: Node) -> Any:
    """The values of a tree, without places. Recursive: for small trees."""
    match node:
        case Scalar():
            return node.resolved
        case Sequence():
            return [plain(item) for item in node.items]
        case Mapping():
            return {entry.key.value: plain(entry.value) for entry in node.entries}
        case Tagged():
            return plain(node.content)
