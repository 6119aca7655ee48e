"""A large file of a run: one Parquet file, or a folder of its name with a part for each so many leads.

DuckDB and pyarrow read such a folder as they read a file; `serve.part_rows` reads and writes its rows. Names
rise with the rows; a query whose order matters says so all the same.
"""

from __future__ import annotations

import shutil
from pathlib import Path

_PATTERN = "part-*.parquet"
_FOLDER = ".parquet/"


def part(file: Path, place: int) -> Path:
    """Where a part of a file is.

    >>> part(Path("ranking.parquet"), 7).as_posix()
    'ranking.parquet/part-00007.parquet'
    """
    return file / f"part-{place:05d}.parquet"


def of(file: Path) -> list[Path]:
    """The Parquet files of a file: itself, or its parts in their order."""
    if not file.is_dir():
        return [file]
    return sorted(file.glob(_PATTERN), key=lambda path: (len(path.name), path.name))


def parts_for(rows: int, part_leads: int) -> int:
    """How many parts so many leads have: one at least, for its columns.

    >>> parts_for(2001, 1000), parts_for(2000, 1000), parts_for(0, 1000)
    (3, 2, 1)
    """
    return max(1, -(-rows // part_leads))


def file_of(name: str) -> str:
    """The name of the file that a name within a run belongs to.

    >>> file_of("ranking.parquet/part-00007.parquet"), file_of("exports/leads.csv")
    ('ranking.parquet', 'exports/leads.csv')
    """
    return name.rpartition("/")[0] if _FOLDER in name else name


def remove(file: Path) -> None:
    """Remove a file, or its folder with all parts."""
    if file.is_dir():
        shutil.rmtree(file)
    else:
        file.unlink(missing_ok=True)


def put(fresh: Path, file: Path) -> None:
    """Give what was made its name, in the place of what has it."""
    if fresh.is_dir() or file.is_dir():  # a folder takes no other's place by a rename
        remove(file)
    fresh.replace(file)
