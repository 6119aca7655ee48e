"""The demo CRM: a company that does not exist, whose true probabilities are known.

Read ``world`` (the process and its constants), ``population`` and ``simulate`` (living through it),
``tables``, ``people`` and ``dirt`` (what a CRM shows of it), ``process`` and ``truth`` (the exact chances),
and ``generation`` (files, block by block).
"""

from pipelines.demo.generation import DemoTables, generate

__all__ = ["DemoTables", "generate"]
