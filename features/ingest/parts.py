"""Which files make a table in parts: those of a folder as Spark writes it, or of a pattern.

A part that is left out without a word is a table with fewer rows, so what does not belong is refused: other
files, links to folders, a folder that is being written, the folder of a Delta, Hudi or Iceberg table. What
begins with a dot or an underscore does not count, as Spark has it, unless it is a partition (``_key=value``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob, has_magic
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from features.errors import InputError, Place
from features.ingest.files import appearance, outside

_TEMPORARY, _STAGING = "_temporary", ".spark-staging"
_LAKES = {"_delta_log": "a Delta table", ".hoodie": "a Hudi table"}
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """One file of a table.

    Attributes
    ----------
    file
        Where it is.
    name
        As declared, down to the file.
    keys
        Text by column of the partition folders around it; None: no value.
    """

    file: Path
    name: str
    keys: Mapping[str, str | None] = field(default_factory=dict)


def is_in_parts(path: str, folder: Path) -> bool:
    """Whether a declared path means a folder or, where nothing has that very name, a pattern."""
    try:
        return (folder / path).is_dir() or (has_magic(path) and not (folder / path).exists())
    except OSError:
        return False


def parts(path: str, folder: Path) -> tuple[Part, ...]:
    """The files of a table, by name.

    Parameters
    ----------
    path
        Folder or pattern as declared, relative to ``folder`` or absolute.
    folder
        Folder of ``params.yaml``.

    Raises
    ------
    InputError
        There are none; one lies outside the folder without being declared absolute, or is no regular file;
        the folder is being written, or is that of a table whose files alone do not say which rows it has.
    """
    root = _root(path, folder)
    _refuse_lakes(folder / root, path)
    names = {name for match in _matches(path, folder) for name in _files(folder, match, path)}
    start = len(root) + 1 if root not in {".", "/"} else len(root) - 1
    found = [part for name in sorted(names) if (part := _part(folder, name, name[start:])) is not None]
    if not found:
        raise _refused(
            f"'{path}' has no parts",
            "check the path, and let the export finish; names that begin with '.' or '_' do not count",
            path,
        )
    inside = None if Path(path).is_absolute() else folder.resolve()
    homes: dict[Path, Path] = {}
    for part in found:
        _check(part, path, inside, homes)
    return tuple(found)


def appearances(path: str, folder: Path) -> list[tuple[Part, tuple[int, int, int]]]:
    """What tells two versions of a table in parts apart: its parts, and the `appearance` of each.

    Raises
    ------
    InputError
        As `parts`.
    """
    return [(part, _appearance(part, path)) for part in parts(path, folder)]


def _appearance(part: Part, path: str) -> tuple[int, int, int]:
    try:
        return appearance(part.file)
    except OSError:
        raise _gone(part, path) from None


def _part(folder: Path, name: str, below: str) -> Part | None:
    """A file as a part; None if it, or a folder that it lies in, does not count."""
    *folders, last = below.split("/")
    is_hidden = _is_hidden(last) or any(map(_is_hidden, folders))
    return None if is_hidden else Part(folder / name, name, dict(_keys(folders)))


def _check(part: Part, path: str, inside: Path | None, homes: dict[Path, Path]) -> None:
    """Refuse what is no regular file, or lies elsewhere; ``homes`` keeps where folders really are."""
    home = part.file.parent
    try:
        is_regular = stat.S_ISREG(part.file.stat().st_mode)
        if home not in homes:
            _refuse_unfinished(home / _TEMPORARY, path)
            homes[home] = home.resolve()
        real = part.file.resolve() if part.file.is_symlink() else homes[home]
    except (OSError, RuntimeError):
        raise _gone(part, path) from None
    if not is_regular:
        raise _refused(f"'{part.name}' is not a regular file", "move it out of the folder", part.name)
    if inside is not None and not real.is_relative_to(inside):
        raise outside(part.name)


def _root(path: str, folder: Path) -> str:
    """The folder below which folders called ``key=value`` are columns: all of the path that is no pattern."""
    if (folder / path).exists():
        return str(Path(path))
    return str(Path(*takewhile(lambda piece: not has_magic(piece), Path(path).parts)))


def _matches(path: str, folder: Path) -> list[str]:
    """What the declared path means: itself, or all that fits the pattern."""
    if (folder / path).exists():
        return [str(Path(path))]
    return [str(Path(name)) for name in glob(path, root_dir=folder, recursive=True)]  # noqa: PTH207


def _files(folder: Path, name: str, path: str) -> Iterator[str]:
    """All files at or below something; hidden folders are not entered."""
    if not (folder / name).is_dir():
        yield name
        return
    try:
        with os.scandir(folder / name) as entries:
            found = list(entries)
    except OSError:
        raise _refused(f"folder '{name}' cannot be read", "check its permissions", name) from None
    for entry in found:
        inner = entry.name if name == "." else f"{name}/{entry.name}"
        if entry.name.startswith((_TEMPORARY, _STAGING)):
            _refuse_unfinished(folder / inner, path)
        elif _is_hidden(entry.name):
            continue
        elif entry.is_dir(follow_symlinks=False):
            yield from _files(folder, inner, path)
        elif entry.is_dir():
            raise _refused(f"'{inner}' is a link to a folder", "declare that folder itself", inner)
        else:
            yield inner


def _refuse_unfinished(temporary: Path, path: str) -> None:
    """Half of the parts of a Spark job look like a whole table."""
    if temporary.exists():
        raise _refused(
            f"'{path}' is being written: its folder has '{temporary.name}'",
            "let the job finish; if none is running, remove that folder",
            path,
        )


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _keys(folders: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    for name in folders:
        key, is_key, value = name.partition("=")
        if is_key and key:
            yield unquote(key), None if value == _NO_VALUE else unquote(value)


def _refuse_lakes(root: Path, path: str) -> None:
    for above in (root, *root.parents):
        kinds = [kind for marker, kind in _LAKES.items() if (above / marker).is_dir()]
        if any((above / "metadata").glob("*.metadata.json")):
            kinds.append("an Iceberg table")
        if kinds:
            raise _refused(
                f"'{path}' belongs to {kinds[0]}, whose files hold rows that it no longer has",
                "read it through Spark: format: spark, with its name in spark_table",
                path,
            )


def _gone(part: Part, path: str) -> InputError:
    return _refused(f"part '{part.name}' of '{path}' cannot be found", "let the export finish", part.name)


def _refused(reason: str, hint: str, place: str) -> InputError:
    return InputError(reason, hint=hint, place=Place(stage="ingest", file=place))
