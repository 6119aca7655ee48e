"""What was known about a lead at a moment.

Read in this order: ``tables`` (what comes in), ``history`` (what "known" means), ``catalogue`` (what a
feature is), then ``fit``, ``behaviour`` and ``recency`` (the features themselves) and ``build``.
"""
