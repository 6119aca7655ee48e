"""What a model was made with: the code and its commit, the libraries, and the project's own commit.

Together with the digests of data and parameters this is all that a training depends on: the same of each
gives the same bundle.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

LOCK = "requirements.lock"
PATIENCE_SECONDS = 5.0
CODE = Path(__file__).resolve().parents[2]
"""Folder above our packages: a checkout where leadrank was installed from one in place."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFS = 5  # a branch that points at a branch, and so on: more is a loop
_CHANGED = ("status", "--porcelain", "--untracked-files=no")


@dataclass(frozen=True)
class Checkout:
    """A git checkout: the commit it stands at, and whether tracked files differ from it.

    ``is_dirty`` is None where git is not there, or does not say so in time.
    """

    commit: str
    is_dirty: bool | None


def lineage(home: Path, *, code: Path = CODE) -> dict[str, str]:
    """Where a training comes from, as words for MLflow and the model card.

    Parameters
    ----------
    home
        Folder of ``params.yaml``.
    code
        Folder above our packages.

    Returns
    -------
    dict
        ``leadrank`` (version), ``packages_digest`` (SHA-256 of what is installed), and where they are known
        ``lock_digest`` (SHA-256 of ``requirements.lock`` in ``home``, or beside our packages),
        ``leadrank_commit``, ``leadrank_changed`` (``true`` or ``false``: files differ from the commit),
        ``project_commit`` and ``project_changed``.
    """
    told = {"leadrank": metadata.version("leadrank"), "packages_digest": packages_digest(installed())}
    lock = next((folder / LOCK for folder in (home, code) if (folder / LOCK).is_file()), None)
    if lock is not None:
        told["lock_digest"] = hashlib.sha256(lock.read_bytes()).hexdigest()
    # Only right above the packages: site-packages may lie in the folder of a project under git.
    for name, found in (("leadrank", checkout(code)), ("project", _around(home))):
        if found is not None:
            told[f"{name}_commit"] = found.commit
            if found.is_dirty is not None:
                told[f"{name}_changed"] = str(found.is_dirty).lower()
    return told


def installed() -> Iterator[tuple[str, str]]:
    """Name and version of every installed distribution."""
    for found in metadata.distributions():
        name = found.metadata["Name"]
        if name:  # what a broken removal leaves has none
            yield name, found.version


def packages_digest(packages: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over ``name==version`` lines, sorted: equal where the same is installed, in any order.

    Names are normalised as pip does (PEP 503).

    >>> packages_digest([("B", "1"), ("a_b", "2")]) == packages_digest([("a-b", "2"), ("b", "1")])
    True
    """
    lines = {f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}" for name, version in packages}
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def checkout(folder: Path) -> Checkout | None:
    """The checkout whose top is a folder; None: there is none, or nothing was committed."""
    try:
        git = _git_folder(folder)
        commit = None if git is None else _commit(git)
    except (OSError, ValueError):
        return None
    return None if git is None or commit is None else Checkout(commit, _is_dirty(folder, git))


def _around(folder: Path) -> Checkout | None:
    """The checkout that a folder lies in."""
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / ".git").exists():
            return checkout(place)
    return None


def _git_folder(folder: Path) -> Path | None:
    """Where git keeps the checkout's state: ``.git``, or what a file of that name points to (a worktree)."""
    git = folder / ".git"
    if git.is_file():
        return folder / git.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")
    return git if git.is_dir() else None


def _commit(git: Path) -> str | None:
    """What ``HEAD`` stands for, read from git's own files: no program runs."""
    shared = git / "commondir"  # of a worktree
    common = git / shared.read_text(encoding="utf-8").strip() if shared.is_file() else git
    text = (git / "HEAD").read_text(encoding="utf-8").strip()
    for _ in range(_REFS):
        if _COMMIT.fullmatch(text):
            return text
        name = text.removeprefix("ref: ")
        if not text.startswith("ref: ") or ".." in name:
            return None
        loose = [folder / name for folder in (git, common) if (folder / name).is_file()]
        text = loose[0].read_text(encoding="utf-8").strip() if loose else _packed(common, name)
    return None


def _packed(common: Path, name: str) -> str:
    """The commit of a branch that git has put into its list of branches; empty if it is not there."""
    listed = common / "packed-refs"
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}")), "")


def _is_dirty(folder: Path, git: Path) -> bool | None:
    """Whether a tracked file differs; git is asked, bounded, and without what its settings could start."""
    program = shutil.which("git")
    if program is None:
        return None
    words = [program, f"--git-dir={git}", f"--work-tree={folder}", "-c", "core.fsmonitor=false"]
    try:
        done = subprocess.run(  # noqa: S603  # git itself, and no word from outside
            [*words, "--no-optional-locks", *_CHANGED],
            cwd=folder,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None
