"""THE functions and filters: one module a group, one Python function each."""

from compiler.language.functions.registry import FUNCTIONS, SPELLINGS, Evaluate, Function, Moment, Parameter

__all__ = ["FUNCTIONS", "SPELLINGS", "Evaluate", "Function", "Moment", "Parameter"]
