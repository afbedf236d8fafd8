"""Verified programs in, frames out: a pure core and one shell."""
