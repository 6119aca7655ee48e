"""Which file a declared path means, and whether it stayed the same while it was read.

Relative paths stay inside the folder of ``params.yaml``, symbolic links included; a file elsewhere must be
declared by its absolute path.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import InputError, Place


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
        raise InputError(f"'{path}' is not a regular file", hint="name one CSV or Parquet file", place=place)
    if not Path(path).is_absolute() and not found.is_relative_to(folder.resolve()):
        raise InputError(
            f"file '{path}' lies outside the folder of params.yaml", hint="declare it absolute", place=place
        )
    return found


@contextmanager
def unchanged(file: Path, name: str) -> Iterator[None]:
    """Refuse what was read inside the block if the file was written meanwhile.

    Raises
    ------
    InputError
        Size or modification time differ after the block.
    """
    before = file.stat()
    try:
        yield
    finally:  # also after an error: the change is then its reason
        after = file.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise InputError(
                f"file '{name}' changed while it was read",
                hint="let the export finish, or write beside it and rename",
                place=Place(stage="ingest", file=name),
            )
