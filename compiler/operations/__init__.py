"""THE catalogue: one class per operation, with its fields, its documentation, an example and its lowering.

To add one, write it in its group's module; everything else follows from the declaration.
"""

from compiler.operations import control, database, handshake, loops, messages, outside, trouble, variables
from compiler.operations.model import OPERATIONS, SPELLINGS, Operation

GROUPS = (variables, messages, control, loops, trouble, outside, database, handshake)
"""The modules that declare operations, in the order of the documentation."""

__all__ = ["GROUPS", "OPERATIONS", "SPELLINGS", "Operation"]
