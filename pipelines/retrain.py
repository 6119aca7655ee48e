"""``leadrank retrain``: check → audit → train → backtest → promote, when the policy says so, for cron.

The first refusal ends it, and the champion stays in force.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import LeadrankError
from pipelines import attempts
from pipelines.locking import alone
from pipelines.params import Params
from pipelines.progress import Progress
from pipelines.retrain_due import WAIT, Standing, decided, standing
from pipelines.retrain_steps import OneLoad, Work

FILE = "last-retrain.json"
"""Below ``.leadrank``: how the latest attempt failed; gone after one that did not."""
ONE_SCHEDULE = "wait until it ends; two schedules are one too many"


@dataclass(frozen=True)
class Outcome:
    """What came of it: the result, and what refused to go on; None: nothing did."""

    result: dict[str, Any]
    refusal: LeadrankError | None = None


def run(
    params: Params,
    home: Path,
    *,
    now: datetime,
    progress: Progress,
    is_forced: bool = False,
    is_dry: bool = False,
) -> Outcome:
    """Train again if it is due, and put the new model in force if it may.

    Parameters
    ----------
    now
        The moment, UTC: the policy counts days up to it.
    is_forced
        Whether a training is wanted whatever the policy says.
    is_dry
        Whether it is only told what is due.

    Returns
    -------
    Outcome
        ``action`` (``train``, ``promote`` or ``wait``), ``is_dry``, ``because`` (``name``, ``is_met`` and
        ``says`` of each rule that was asked), ``steps`` (``step``, ``seconds`` and ``summary``),
        ``refused`` (``step``, ``code`` and ``reason``; None), ``champion`` and ``challenger`` (versions;
        None: there is none), ``is_new_champion``, ``last_failure`` (of the attempt before; None after a
        success).

    Raises
    ------
    LockedError
        Another retraining is under way.
    UpstreamError, InputError, StorageError
        Nobody can say whether it is due.
    """
    with alone(home, "retrain", refusal="another retraining is under way", hint=ONE_SCHEDULE):
        stands = standing(params, home)
        due = decided(params, home, stands, now=now, is_forced=is_forced)
        result: dict[str, Any] = {
            "action": due.action,
            "is_dry": is_dry,
            "because": [asdict(rule) for rule in due.rules],
            "last_failure": attempts.failed(home, FILE),
        }
        if is_dry or due.action == WAIT:
            return Outcome({**result, "steps": [], "refused": None, **_in_force(stands, stands)})
        work, refusal = Work(params, home, progress), None
        try:
            with attempts.recorded(home, now, FILE), ExitStack() as kept:
                work.carry_out(due.action, OneLoad(kept))
        except LeadrankError as error:
            refusal = error
        result |= {"steps": work.steps, "refused": None if refusal is None else work.refused(refusal)}
        return Outcome({**result, **_in_force(stands, standing(params, home))}, refusal)


def _in_force(before: Standing, after: Standing) -> dict[str, Any]:
    champion, challenger = (v and v.version for v in (after.champion, after.challenger))
    was = before.champion and before.champion.version
    return {"champion": champion, "challenger": challenger, "is_new_champion": champion != was}
