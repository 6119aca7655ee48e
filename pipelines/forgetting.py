"""Erased leads leave the state of the page, if there is one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path

from features.backend import environment
from pipelines.params import Params
from pipelines.serving import state
from serve.state.erasing import erase, rows_of
from serve.state.store import FILE


def forget(
    params: Params, home: Path, leads: Collection[str], pseudonym: Callable[[str], str] | None
) -> int | None:
    """Rows of the state that named one of the leads; None without a state.

    Parameters
    ----------
    pseudonym
        What a lead is called from now on; None: it is only told what would go.
    """
    if params.serve.state_url_env is None and not (home / FILE).is_file():
        return None
    with closing(state(params, home, environment())) as store:
        if pseudonym is None:
            return rows_of(store, leads)
        return erase(store, {lead_id: pseudonym(lead_id) for lead_id in leads})
