"""One bucket of an object store, asked over S3's protocol through s3fs: bounded waits, our errors."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from features.errors import UpstreamError
from features.ingest.objects import AbsentError, Address, ConditionError, Seen, installed, told

BLOCK_BYTES = 8 << 20
AT_ONCE = 4
"""Blocks, or files, that are under way at the same time: memory is bounded by so many of them."""
_TRIES = 3
_CLOSING_SECONDS = 5
_TIMEOUTS = {"connect_timeout": 10, "read_timeout": 30}


class Store:
    """One bucket, for as long as the block lasts.

    Parameters
    ----------
    bucket
        Its name.
    stage
        What errors say they were met in.

    Raises
    ------
    ParameterError
        s3fs is not installed.
    """

    def __init__(self, bucket: str, *, stage: str) -> None:
        installed()
        import s3fs

        self.bucket, self._stage = bucket, stage
        self._system = s3fs.S3FileSystem(
            skip_instance_cache=True, use_listings_cache=False, config_kwargs=_TIMEOUTS
        )
        self._system.retries = 1  # botocore's own retries are enough, and bounded

    def __enter__(self) -> Self:
        from botocore.exceptions import BotoCoreError

        try:
            self._system.connect()
        except (BotoCoreError, OSError, ValueError) as error:
            raise told(error, Address(self.bucket, ""), stage=self._stage) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the connections; s3fs itself waits for a tenth of a second only."""
        from fsspec.asyn import sync
        from fsspec.exceptions import FSTimeoutError

        with suppress(FSTimeoutError):
            sync(self._system.loop, self._system.s3.__aexit__, None, None, None, timeout=_CLOSING_SECONDS)

    def ask(self, method: str, *, key: str = "", **named: Any) -> dict[str, Any]:
        """Call the store, and return what it says.

        Raises
        ------
        AbsentError, ConditionError
            As they say.
        UpstreamError
            It does not answer, or refuses.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from fsspec.exceptions import FSTimeoutError

        given = {"Key": key, **named} if key else named
        try:
            answer: dict[str, Any] = self._system.call_s3(method, Bucket=self.bucket, **given)
        except (OSError, BotoCoreError, ClientError, FSTimeoutError, ValueError) as error:
            raise told(error, Address(self.bucket, key), stage=self._stage) from None
        return answer

    def head(self, key: str) -> Seen | None:
        """An object as it is now; None if there is none.

        Raises
        ------
        AbsentError
            There is no such bucket.
        UpstreamError
            As `ask`.
        """
        try:
            found = self.ask("head_object", key=key, ChecksumMode="ENABLED")
        except AbsentError:
            self.ask("head_bucket")  # an object's head does not say whether the bucket is missing
            return None
        noted = {name.lower(): value for name, value in found.get("Metadata", {}).items()}
        return Seen(
            key, found["ContentLength"], found["ETag"], noted.get("sha256"), found.get("ChecksumSHA256")
        )

    def listed(self, prefix: str) -> Iterator[Seen]:
        """All objects whose keys begin so, by key.

        Raises
        ------
        AbsentError
            There is no such bucket.
        UpstreamError
            As `ask`.
        """
        for page in self._pages(Prefix=prefix):
            for found in page.get("Contents", ()):
                yield Seen(found["Key"], found["Size"], found["ETag"])

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below a prefix that ends in a slash, by name."""
        pages = self._pages(Prefix=prefix, Delimiter="/")
        every = (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ()))
        return sorted(name.removeprefix(prefix).rstrip("/") for name in every)

    def blocks(self, seen: Seen) -> Iterator[bytes]:
        """The content of an object, block by block, of this very version.

        Raises
        ------
        AbsentError, ConditionError
            It is gone, or another one by now.
        UpstreamError
            As `ask`.
        """
        starts = range(0, seen.bytes, BLOCK_BYTES)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for first in range(0, len(starts), AT_ONCE):
                yield from pool.map(lambda start: self._block(seen, start), starts[first : first + AT_ONCE])

    def fetch(self, seen: Seen, file: Path) -> str:
        """Write an object's content to a file; its SHA-256 in hexadecimal.

        Raises
        ------
        AbsentError, ConditionError, UpstreamError
            As `blocks`.
        """
        digest = hashlib.sha256()
        with file.open("wb") as target:
            for block in self.blocks(seen):
                digest.update(block)
                target.write(block)
        return digest.hexdigest()

    def read(self, key: str, most_bytes: int) -> tuple[bytes, str] | None:
        """A small object and its ``etag``; None if there is none."""
        try:
            answer = self.ask("get_object", key=key)
        except AbsentError:
            return None
        return self._body(answer, key)[:most_bytes], str(answer["ETag"])

    def put(self, key: str, body: bytes, **conditions: str) -> str:
        """Write an object at once; its ``etag``.

        The store is told the SHA-256, and refuses what came out another on the way.

        Parameters
        ----------
        conditions
            ``IfNoneMatch="*"``: only if there is none; ``IfMatch=etag``: only if it is still this one.

        Raises
        ------
        ConditionError
            The condition does not hold.
        AbsentError, UpstreamError
            As `ask`.
        """
        digest = hashlib.sha256(body)
        answer = self.ask(
            "put_object",
            key=key,
            Body=body,
            ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            Metadata={"sha256": digest.hexdigest()},
            **conditions,
        )
        return str(answer["ETag"])

    def remove(self, key: str) -> None:
        """Delete an object, if it is there."""
        self.ask("delete_object", key=key)

    def _pages(self, **asked: str) -> Iterator[Mapping[str, Any]]:
        after: dict[str, str] = {}
        while True:
            page = self.ask("list_objects_v2", **asked, **after)
            yield page
            if not page.get("IsTruncated"):
                return
            after = {"ContinuationToken": page["NextContinuationToken"]}

    def _block(self, seen: Seen, start: int) -> bytes:
        """One block; asked again where the connection breaks off in it, which botocore does not do."""
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        end = min(start + BLOCK_BYTES, seen.bytes)
        asked = {"Range": f"bytes={start}-{end - 1}", "IfMatch": seen.etag}
        retrying = Retrying(
            retry=retry_if_exception_type(UpstreamError),
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            reraise=True,
        )
        found = retrying(lambda: self._body(self.ask("get_object", key=seen.key, **asked), seen.key))
        if len(found) != end - start:
            raise ConditionError  # more or less than there is: this is not the object we saw
        return found

    def _body(self, answer: Mapping[str, Any], key: str) -> bytes:
        from aiohttp import ClientError as BrokenOff
        from botocore.exceptions import BotoCoreError
        from fsspec.asyn import sync

        try:
            return bytes(sync(self._system.loop, answer["Body"].read))
        except (OSError, BrokenOff, BotoCoreError, TimeoutError) as error:
            raise told(error, Address(self.bucket, key), stage=self._stage) from None
