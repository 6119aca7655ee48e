"""What is left of an erased lead beside the runs: cleaned where leadrank may, looked for, and said."""

from __future__ import annotations

import mmap
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa

from features import durable
from features import scratch as scratches
from features.tombstones import FILE, KEY
from models.cards.forward_test import ROWS, lead_numbers
from models.registry import TEST, anchored
from models.tracking.address import artifact_root, database
from pipelines.params import Params
from serve.views.following import FOLDER, forget
from serve.without import Gone, filtered_parquet, rows_of

SHORTEST = 6
"""Characters of an id that is looked for in files of any kind: a shorter one is everywhere by chance."""

Without: TypeAlias = Callable[[Path, Path | None], int]
"""Counts the rows of the leads in a file and, where a target is given, writes a copy without them."""

_NUMBER = "lead"


@dataclass(frozen=True)
class Files:
    """What became of files beside the runs.

    Attributes
    ----------
    rows
        Rows that are gone (or would be) by file.
    unreadable
        Files that could not be read, and so are left as they are.
    """

    rows: dict[str, int]
    unreadable: list[str]


def clean(params: Params, home: Path, gone: Gone, *, is_dry: bool) -> Files:
    """Take the leads out of tables below ``.leadrank`` and of the forward tests in MLflow's folder.

    A test has a number made from each id, and who has the id can make it again.
    """
    told = Files({}, [])
    for path, without in [*_caches(home, gone), *_forward_tests(params, home, gone)]:
        name = _shown(path, home)
        try:
            rows = without(path, None)
            if rows and not is_dry:
                _replace(path, without)
        except (pa.ArrowException, OSError):
            told.unreadable.append(name)
            continue
        if rows:
            told.rows[name] = rows
    return told


def _caches(home: Path, gone: Gone) -> Iterator[tuple[Path, Without]]:
    for path in sorted((home / ".leadrank").rglob("*")):
        if path.suffix in {".parquet", ".csv"} and path.is_file():
            yield path, lambda source, target: rows_of(source, gone, target)


def _forward_tests(params: Params, home: Path, gone: Gone) -> Iterator[tuple[Path, Without]]:
    root = artifact_root(anchored(params.tracking.uri, home))
    numbers = lead_numbers(pa.chunked_array([sorted(gone.leads)], pa.string())).tolist()
    for path in [] if root is None else sorted(root.rglob(f"{TEST}/{ROWS}")):
        yield path, lambda source, target: filtered_parquet(source, target, column=_NUMBER, values=numbers)


def _replace(path: Path, without: Without) -> None:
    fresh = path.with_suffix(".new")
    without(path, fresh)
    fresh.chmod(path.stat().st_mode & 0o777)
    durable.sync(fresh)
    fresh.replace(path)
    durable.sync(path.parent)


def scratch(params: Params, home: Path, *, is_dry: bool) -> int:
    """Remove what killed commands left below ``.leadrank``, also in ``engine.shared``; how many folders."""
    homes = {home, params.engine.asked(home).shared or home}
    left = [folder for each in sorted(homes) for folder in scratches.abandoned(each)]
    for folder in () if is_dry else left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def indexes(home: Path, *, is_dry: bool) -> int:
    """Remove the indexes of the page, and count them: they hold every lead, and are made anew of the runs."""
    return forget(home / FOLDER, is_dry=is_dry)


def holding(params: Params, home: Path, ids: Collection[str]) -> list[str]:
    """Files that leadrank wrote and that still have one of the ids as a word, relative to ``home``.

    Parquet files are cleaned by their column, and not looked into here.
    """
    words = [re.escape(lead_id.encode()) for lead_id in sorted(ids) if len(lead_id) >= SHORTEST]
    if not words:
        return []
    needle = re.compile(rb"(?<![0-9A-Za-z])(?:" + b"|".join(words) + rb")(?![0-9A-Za-z])")
    return [_shown(path, home) for path in _written(params, home) if _has(path, needle)]


def remains(params: Params, home: Path) -> list[dict[str, str]]:
    """Where data of the lead may still be, and why leadrank leaves it there."""
    return [{"where": where, "why": why} for where, why in _remains(params, home)]


def _remains(params: Params, home: Path) -> Iterator[tuple[str, str]]:
    yield "the CRM and its exports", "leadrank never changes them; every load drops the lead until it is gone"
    yield "backups and snapshots of the disk", "leadrank does not know them; after a restore erase again"
    yield (
        "registered models",
        "no row and no id is in them; `leadrank train` learns without the lead",
    )
    yield "figures, totals and MLflow's numbers", "sums over many leads, which name nobody"
    if artifact_root(anchored(params.tracking.uri, home)) is None:
        yield (
            f"folders '{TEST}' on the MLflow server",
            "a number made from the id is there: remove them",
        )
    if params.ads.click_id:
        yield (
            "uploads for ad platforms",
            "found while the table 'leads' has the click id",
        )
    if params.sinks.objects is not None:
        yield (
            "old versions in the bucket of 'sinks.objects'",
            "a bucket with versioning keeps them: let a lifecycle rule expire them",
        )
        yield "hosts that `leadrank pull`", "they let go of it with their next pull"
    yield "files that you named yourself", "predict --out, explain --html, reports: remove them by hand"
    yield f"'{FILE}' and '{KEY}'", "a keyed hash of the id, so that no load brings the lead back"


def _written(params: Params, home: Path) -> Iterator[Path]:
    """Every file that leadrank or MLflow wrote, but for Parquet files and our own tombstones."""
    uri = anchored(params.tracking.uri, home)
    root, base = artifact_root(uri), database(uri)
    folders = [home / params.score.runs, home / ".leadrank", *([] if root is None else [root])]
    for folder in folders:
        yield from (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".parquet")
    if base is not None:
        yield from sorted(base.parent.glob(f"{base.name}*"))


def _has(path: Path, needle: re.Pattern[bytes]) -> bool:
    if path.stat().st_size == 0:
        return False  # nothing can be mapped
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        return needle.search(text) is not None


def _shown(path: Path, home: Path) -> str:
    return path.relative_to(home).as_posix() if path.is_relative_to(home) else path.name
