"""Positioned trees to routes. Knows shapes only through the tables of operations and route keys."""

from compiler.reader.routes import read_routes

__all__ = ["read_routes"]
