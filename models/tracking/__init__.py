"""Runs, versions and addresses of MLflow, without importing it."""
