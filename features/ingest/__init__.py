"""From the user's files and database tables to checked tables, with quarantine and the conservation law.

Read in this order: ``loading`` (the steps), ``opening`` and ``scan`` (what is read from where), ``headers``
(names), ``lines`` and ``text`` (rows), ``cells`` and ``convert`` (values), ``duplicates``, ``refusals`` and
``quarantine`` (what does not come in), ``digest``.
"""

from features.ingest.loading import Loaded, load

__all__ = ["Loaded", "load"]
