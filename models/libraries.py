"""The libraries that training takes seconds to import, so that these can pass beside other work."""

from __future__ import annotations


def load() -> None:
    """Import them; a second call costs nothing."""
    import lightgbm  # noqa: F401  # brings scikit-learn and scipy.stats
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401
    import shap  # noqa: F401  # draws; brings numba and Matplotlib's colours
    import sklearn.isotonic
    import sklearn.linear_model  # noqa: F401

    from models.treeshap import kernel  # noqa: F401  # brings numba
