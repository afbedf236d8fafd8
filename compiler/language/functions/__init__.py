"""THE functions and filters (language section 7): one module a group, one Python function each.

To add one, write it in its group's module; everything else follows from the declaration.
"""

from compiler.language.functions import checks, conversion, dates, encoding, lists, moment, numbers, text
from compiler.language.functions.json_text import parse_json
from compiler.language.functions.registry import (
    FUNCTIONS,
    SPELLINGS,
    Evaluate,
    Function,
    Moment,
    Parameter,
    call,
    camel_case,
    check_argument,
)
from compiler.language.functions.synonyms import FUNCTION_SYNONYMS
from compiler.language.functions.text import compile_pattern

GROUPS = (text, encoding, checks, lists, numbers, conversion, dates, moment)
"""The modules that declare functions, in the order of the documentation."""

__all__ = [
    "FUNCTIONS",
    "FUNCTION_SYNONYMS",
    "GROUPS",
    "SPELLINGS",
    "Evaluate",
    "Function",
    "Moment",
    "Parameter",
    "call",
    "camel_case",
    "check_argument",
    "compile_pattern",
    "parse_json",
]
