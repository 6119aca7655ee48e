"""Which file a declared path means, and whether it stayed the same while it was read.

Relative paths stay inside the folder of ``params.yaml``, symbolic links included; a file elsewhere must be
declared by its absolute path.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from features.errors import InputError, Place

T = TypeVar("T")


def locate(path: str, folder: Path) -> Path:
    """The regular file that a declared path means.

    Parameters
    ----------
    path
        As declared, relative to ``folder`` or absolute.
    folder
        Folder of ``params.yaml``.

    Raises
    ------
    InputError
        The file is missing, outside the folder without being declared absolute, or not a regular file.
    """
    file = Path(path) if Path(path).is_absolute() else folder / path
    place = Place(stage="ingest", file=path)
    try:
        found = file.resolve(strict=True)
        mode = found.stat().st_mode
    except (OSError, RuntimeError):
        raise InputError(
            f"file '{path}' cannot be found", hint="check the path and its permissions", place=place
        ) from None
    if not stat.S_ISREG(mode):
        raise InputError(
            f"'{path}' is not a regular file",
            hint="name one CSV or Parquet file, or a folder of Parquet parts",
            place=place,
        )
    if not Path(path).is_absolute() and not found.is_relative_to(folder.resolve()):
        raise outside(path)
    return found


def outside(path: str) -> InputError:
    """The error for a relative path that leaves the folder of ``params.yaml``."""
    return InputError(
        f"file '{path}' lies outside the folder of params.yaml",
        hint="declare it absolute",
        place=Place(stage="ingest", file=path),
    )


def appearance(file: Path) -> tuple[int, int, int]:
    """What tells two versions of a file apart: size, time of change and inode."""
    found = file.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


@contextmanager
def unchanged(look: Callable[[], T], name: str) -> Iterator[T]:
    """What a source looks like; what was read inside the block is refused if it was written meanwhile.

    Parameters
    ----------
    look
        What the source looks like, such as its `appearance`.
    name
        The source as declared.

    Raises
    ------
    InputError
        It looks different after the block.
    """
    before = look()
    try:
        yield before
    finally:  # also after an error: the change is then its reason
        if look() != before:
            raise InputError(
                f"file '{name}' changed while it was read",
                hint="let the export finish, or write beside it and rename",
                place=Place(stage="ingest", file=name),
            )
