"""Which errors are the machine's and not the data's or ours: a disk that refuses, too little memory."""

from __future__ import annotations

import errno
import os

import duckdb

from features.errors import StorageError

REFUSALS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EMFILE,
)


def refusal(error: BaseException) -> StorageError | None:
    """The error that a user can act on, where the machine has refused; None for any other error.

    Parameters
    ----------
    error
        What Python, pyarrow or DuckDB raised. DuckDB tells a refusal of the disk in its text alone.

    Examples
    --------
    >>> refusal(OSError(errno.ENOSPC, "No space left on device")).reason
    'the disk refuses: no space left on device'
    >>> refusal(ValueError("a bug")) is None
    True
    """
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return StorageError(
            "there is too little memory for this step",
            hint="raise or unset LEADRANK_MEMORY, free the disk below .leadrank that it spills to, "
            "or use a larger machine",
        )
    words = _words(error)
    if words is None:
        return None
    return StorageError(
        f"the disk refuses: {words.lower()}",
        hint="free or mend it and start again; the last published ranking is in force",
    )


def _words(error: BaseException) -> str | None:
    """What the operating system calls the refusal."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in REFUSALS else None
    if isinstance(error, duckdb.IOException):
        return next((os.strerror(n) for n in REFUSALS if os.strerror(n) in str(error)), None)
    return None
