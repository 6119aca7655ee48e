"""A bundle as a folder: written beside its place and renamed, read without following anything out of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from features.errors import ModelError, StorageError
from models.bundle import SUMS_FILE, Bundle, from_files

MOST_BYTES = 1 << 30  # of all files together
MOST_FILES = 10_000


def place(home: Path, digest: str) -> Path:
    """Where a project keeps its copy of the bundle with a digest."""
    return home / ".leadrank" / "models" / digest


def save(bundle: Bundle, folder: Path | str) -> str:
    """Write the bundle.

    Parameters
    ----------
    folder
        New folder; its parent must exist.

    Returns
    -------
    Digest by which :func:`load` recognises the bundle.

    Raises
    ------
    StorageError
        The folder exists, or the disk refuses.
    """
    target = Path(folder)
    if target.exists():
        raise StorageError(f"the folder '{target}' exists already", hint="choose a new folder for the bundle")
    files = bundle.files()
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _write(beside, files)
            beside.chmod(0o750)  # mkdtemp's 0o700 would hide a published model from its readers
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise StorageError(
            f"the bundle cannot be written to '{target}'", hint=os.strerror(error.errno or 0)
        ) from error
    return bundle.digest


def load(folder: Path | str, *, digest: str | None = None) -> Bundle:
    """Read and check a bundle.

    Parameters
    ----------
    digest
        What :func:`save` returned; None trusts the folder's own list of digests.

    Raises
    ------
    ModelError
        The folder is not that bundle: altered, incomplete, damaged, or with anything else in it.
    """
    files = dict(_read(Path(folder)))
    if digest is not None and hashlib.sha256(files.get(SUMS_FILE, b"")).hexdigest() != digest:
        raise _refusal("it is not the registered one: its digest differs")
    return from_files(files)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        with file.open("wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Path inside the folder and content of each file."""
    if not folder.is_dir():
        raise _refusal("there is no such folder")
    left = MOST_BYTES
    for count, file in enumerate(_regular(folder)):
        left -= file.stat().st_size
        if left < 0 or count >= MOST_FILES:
            raise _refusal("it is too large")
        yield file.relative_to(folder).as_posix(), file.read_bytes()


def _regular(folder: Path) -> Iterator[Path]:
    """All files; a link, pipe or device is refused before it is opened."""
    for entry in sorted(os.scandir(folder), key=lambda found: found.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _regular(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)
        else:
            raise _refusal("it holds something that is not a file")


def _refusal(why: str) -> ModelError:
    return ModelError(f"the bundle is refused: {why}", hint="restore it from the registry, or train again")
