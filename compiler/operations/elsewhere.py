"""Operations of the wider system that this language has not: what to write instead (language section 5)."""

from __future__ import annotations

from typing import Final

EXPRESSIONS: Final = {
    "MathOp": "{{ price * quantity }}",
    "StringOp": "{{ message | trim | upper }}",
    "DateOp": "{{ now() | add_days(7) }}",
    "JsonOp": "{{ message | json_parse }}",
    "Map": "{{ items | map('price * 2') }}",
    "Filter": "{{ items | filter('price > 100') }}",
    "Sort": "{{ items | sort('price') }}",
    "Reduce": "{{ items | sum('price') }}",
    "Aggregate": "{{ items | sum('price') }}",
    "Get": "{{ order.customer.name }}",
}
"""Operations that an expression does better, with an example of it."""

OPERATIONS_INSTEAD: Final = {
    "QueryDb": '- SqlOp: {query: "SELECT body FROM notes", output_var: rows}',
    "Until": '- While: {condition: "{{ !done }}", body: […]}',
    "ForRange": '- Loop: {collection: "{{ range(0, 10) }}", body: […]}',
}
"""Operations that another operation does, with an example of it."""
