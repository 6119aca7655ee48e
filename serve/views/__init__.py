"""Published runs, read fast and only through a scope."""
