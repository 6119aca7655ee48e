"""Exact TreeSHAP by pattern tables: the parts behind `models/contributions.py`."""
