"""Objects of an S3 store by their names, and what can be wrong with one: all without the network.

Keys, region, endpoint and retries are botocore's own business (its environment variables and files): nothing
of them is in ``params.yaml``, and neither they nor the words of a library are in a message of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.errors import ParameterError, Place, UpstreamError

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_ABSENT, _FORBIDDEN, _CONFLICT, _PRECONDITION, _NO_RANGE = 404, (401, 403), 409, 412, 416


class AbsentError(Exception):
    """There is no such bucket (``is_bucket``), or no such object in it."""

    def __init__(self, *, is_bucket: bool = False) -> None:
        super().__init__()
        self.is_bucket = is_bucket


class ConditionError(Exception):
    """The object is not, or no longer, what the condition of a request says."""


@dataclass(frozen=True)
class Address:
    """A place in a bucket: the key of an object, or what the keys of many begin with."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Seen:
    """An object as the store tells it: two versions of it have two ``etag``.

    Attributes
    ----------
    key
        Its whole key.
    bytes
        Its size.
    etag
        The store's name for this very content.
    sha256
        In hexadecimal, as its writer has noted it; None where nobody has, and in listings.
    checksum
        The store's own SHA-256 (Base64, of many parts with their number); None where it keeps none.
    """

    key: str
    bytes: int
    etag: str
    sha256: str | None = None
    checksum: str | None = None


def is_address(path: str | None) -> bool:
    """Whether a declared path is one of an object store."""
    return path is not None and path.startswith(SCHEME)


def address(text: str) -> Address:
    """The place that a declared path names.

    Raises
    ------
    ParameterError
        It names no bucket.

    Examples
    --------
    >>> address("s3://crm/touches/*.parquet").key
    'touches/*.parquet'
    """
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not _BUCKET.fullmatch(bucket):  # not shown: somebody may have put his keys there
        raise ParameterError(
            "a path that begins with s3:// names no bucket",
            hint="write s3://bucket/key; keys of the account belong into the environment",
        )
    return Address(bucket, key)


def installed() -> None:
    """Refuse before any work if what reads object stores is not there.

    Raises
    ------
    ParameterError
        s3fs is not installed.
    """
    try:
        import s3fs  # noqa: F401  # whether it is there
    except ImportError:
        raise ParameterError(
            "object stores (s3://) want s3fs, which is not installed", hint="pip install 'leadrank[objects]'"
        ) from None


def told(error: BaseException, place: Address, *, stage: str) -> Exception:
    """Our error for one of the libraries: `AbsentError`, `ConditionError`, or one for the user.

    None of their words are taken over, for they may hold keys of the account.
    """
    from botocore import exceptions as boto

    found = error if isinstance(error, boto.ClientError) else error.__cause__
    if isinstance(found, boto.ClientError):
        return _refused(found.response, place, stage)
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound)):
        return _upstream("no keys for the object store are found", place, stage)
    return _upstream(f"the object store does not answer ({type(error).__name__})", place, stage)


def _refused(response: Mapping[str, Any], place: Address, stage: str) -> Exception:
    code = re.sub(r"[^A-Za-z0-9]", "", str(response.get("Error", {}).get("Code", "")))[:40]
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == _ABSENT:
        return AbsentError(is_bucket=code == "NoSuchBucket" or not place.key)
    if status in {_PRECONDITION, _NO_RANGE} or (status == _CONFLICT and "Conditional" in code):
        return ConditionError()
    verb = "refuses" if status in _FORBIDDEN else "cannot do it"
    return _upstream(f"the object store {verb} ({code or status})", place, stage)


def _upstream(reason: str, place: Address, stage: str) -> UpstreamError:
    return UpstreamError(
        f"{reason}: '{place}'",
        hint="check the keys in the environment or in ~/.aws (AWS_ACCESS_KEY_ID, AWS_PROFILE …), their"
        " rights, AWS_ENDPOINT_URL, the region and the network",
        place=Place(stage=stage, file=str(place)),
    )
