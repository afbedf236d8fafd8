"""Views of the tables: JSON Schema, reference pages, explanations, lists. Nothing here is listed by hand."""
