"""Engines other than the command's own DuckDB; only `features.backend` knows them."""
