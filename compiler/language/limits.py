"""THE limits of the language (language section 12). The server's own limits are in `runtime.limits`."""

from __future__ import annotations

from typing import Final

FILE_BYTES: Final = 1 << 20
"""Size of a route file."""
NODES: Final = 100_000
"""Nodes of a file's tree after alias expansion."""
TREE_DEPTH: Final = 1_000
"""Nesting of YAML or JSON collections; operations have the tighter limit below."""
OPERATION_DEPTH: Final = 64
"""Nesting of operations."""
LOOP_DEPTH: Final = 16
"""Nesting of While, Loop and Try together."""
BRACKET_DEPTH: Final = 200
"""Nesting of an expression."""
TEXT_BYTES: Final = 1 << 20
"""Size of a text that an operation makes, in UTF-8 bytes."""
LIST_ITEMS: Final = 100_000
"""Elements of a list, or keys of an object, that an operation makes."""
JSON_DEPTH: Final = 200
"""Nesting of lists and objects in JSON text that is written or parsed."""
FUEL: Final = 100_000
"""Rounds of loops and inner expressions in one run of a hook."""
LOOP_ROUNDS: Final = 100_000
"""Upper bound of While's `max_iterations`."""
SLEEP_SECONDS: Final = 60
"""All Sleeps of one run of a hook together."""
SAFE_INTEGER: Final = 1 << 53
"""Whole numbers up to this size are exact; beyond it they are the nearest double."""
