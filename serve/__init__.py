"""Rank, publish one immutable run, show it."""
