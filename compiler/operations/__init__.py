"""THE catalogue: one class per operation, with its fields, its documentation, an example and its lowering.

To add one, write it in its group's module; everything else follows from the declaration.
"""

from compiler.operations import control, database, handshake, loops, messages, outside, trouble, variables
from compiler.operations.model import OPERATIONS, SPELLINGS, Operation

GROUPS = (variables, messages, control, loops, trouble, outside, database, handshake)
"""The modules that declare operations, in the order of the documentation."""

for _cls in [cls for module in GROUPS for cls in OPERATIONS.values() if cls.__module__ == module.__name__]:
    OPERATIONS[_cls.__name__] = OPERATIONS.pop(_cls.__name__)  # at the end: the table is in that order too

__all__ = ["GROUPS", "OPERATIONS", "SPELLINGS", "Operation"]
