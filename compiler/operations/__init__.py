"""THE catalogue: one class per operation, with its fields, its documentation, an example and its lowering."""

from compiler.operations import control, messages, outside, trouble, variables
from compiler.operations.model import OPERATIONS, SPELLINGS, Operation

__all__ = ["OPERATIONS", "SPELLINGS", "Operation", "control", "messages", "outside", "trouble", "variables"]
