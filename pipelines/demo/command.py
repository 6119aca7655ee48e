"""``leadrank demo``: an ordinary working folder with a demo CRM, a trained model and a published ranking."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from features.errors import ParameterError
from pipelines import params as parameters
from pipelines import score, train
from pipelines.demo.generation import generate
from pipelines.demo.turning import asked
from pipelines.progress import Progress

# Both are links to the repository's own files, which a wheel carries as copies. DVC would take a second
# dvc.yaml in the tree for a second pipeline, hence the other name.
WORKING_FILES = {"params.yaml": "params.yaml", "dvc.yaml": "stages.yaml"}


def run(
    folder: Path,
    *,
    leads: int,
    seed: int,
    data_only: bool,
    progress: Progress,
    turns_bad: str | None = None,
) -> dict[str, Any]:
    """Make the folder and run the main job in it.

    Parameters
    ----------
    folder
        Made if absent. Files of an earlier demo are replaced; a ``params.yaml`` or ``dvc.yaml`` that is there
        stays.
    leads
        Leads to generate.
    data_only
        Only write ``data/``, ``params.yaml`` and ``dvc.yaml``, without the truth: as fast as the disk.
    turns_bad
        ``SOURCE:WEEK`` of a source whose leads are others from that week on; None: nothing changes.

    Returns
    -------
    dict
        ``folder``, ``rows`` by table, and unless ``data_only`` the results of ``train`` and ``score``.

    Raises
    ------
    ParameterError
        The folder holds something else, or ``turns_bad`` names no source or week.
    """
    bad = asked(turns_bad)
    home = folder.resolve()
    _refuse_foreign(home)
    with progress.stage("generating the demo CRM", total=100) as advance:
        tables = generate(
            home,
            leads=leads,
            seed=seed,
            with_truth=not data_only,
            on_progress=_steps(advance),
            turns_bad=bad,
        )
    for name, packaged in WORKING_FILES.items():
        if not (home / name).exists():
            (home / name).write_text(_text(packaged), encoding="utf-8")
    made: dict[str, Any] = {
        "folder": str(folder),
        "rows": dict(tables.rows),
        "as_of": tables.as_of.isoformat(),
    }
    if data_only:
        return made
    params = parameters.load(home / "params.yaml")
    progress.runs = home / params.score.runs
    made["train"] = train.run(params, home, rows=None, progress=progress)
    made["score"] = score.run(params, home, as_of=tables.as_of, progress=progress)
    return made


def _refuse_foreign(home: Path) -> None:
    """A folder with files, none of which is a demo's, is somebody's own."""
    if home.is_dir() and any(home.iterdir()) and not (home / "data" / "leads.csv").exists():
        raise ParameterError(
            f"the folder '{home.name}' is not empty and holds no demo",
            hint="name a new folder: leadrank demo DIR",
        )


def _steps(advance: Any) -> Any:
    """Turn shares done into steps of a hundred."""
    done = 0

    def on_progress(_step: str, share: float) -> None:
        nonlocal done
        advance(round(100 * share) - done)
        done = round(100 * share)

    return on_progress


def _text(packaged: str) -> str:
    return (files("pipelines.demo") / packaged).read_text(encoding="utf-8")
