"""The commands: read parameters, run the steps in order, report progress."""
