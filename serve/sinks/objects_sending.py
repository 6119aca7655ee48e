"""Files become objects, and each is looked at where it has arrived: no run points at half of one.

A file is sent with its SHA-256, in parts if it is large. Then the store's own checksum is compared; a store
that keeps none is read from.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from features.errors import Place, StorageError, UpstreamError
from features.ingest.objects import AbsentError, ConditionError, Seen
from features.ingest.objects_store import Store

PART_BYTES = 16 << 20
_MOST_PARTS = 9_000
"""S3 takes 10,000; parts of larger files grow."""


def send(store: Store, key: str, file: Path, entry: Mapping[str, Any]) -> None:
    """Write a file of a run to the store, and see that it is there.

    Parameters
    ----------
    entry
        ``bytes`` and ``sha256`` of the file, by the run's manifest.

    Raises
    ------
    StorageError
        The file is not what was published.
    UpstreamError
        The store does not answer, refuses, or has something else now.
    """
    try:
        checksum = (_at_once if entry["bytes"] <= PART_BYTES else _in_parts)(store, key, file, entry)
    except OSError:
        raise _damaged(file) from None
    except (AbsentError, ConditionError):
        raise _lost(key) from None
    seen = store.head(key)
    if seen is None or not _is_whole(store, seen, entry, checksum):
        store.remove(key)
        raise _lost(key)


def _at_once(store: Store, key: str, file: Path, entry: Mapping[str, Any]) -> str:
    body = file.read_bytes()
    digest = hashlib.sha256(body)
    if digest.hexdigest() != entry["sha256"]:
        raise _damaged(file)
    store.put(key, body)
    return _base64(digest.digest())


def _in_parts(store: Store, key: str, file: Path, entry: Mapping[str, Any]) -> str:
    """Send a large file part by part; the SHA-256 of those of its parts, as S3 has it."""
    begun = store.ask(
        "create_multipart_upload", key=key, ChecksumAlgorithm="SHA256", Metadata={"sha256": entry["sha256"]}
    )
    upload = {"UploadId": begun["UploadId"]}
    try:
        return _sent_parts(store, key, file, entry, upload)
    except BaseException:
        with suppress(AbsentError, ConditionError, UpstreamError):
            store.ask("abort_multipart_upload", key=key, **upload)
        raise


def _sent_parts(
    store: Store, key: str, file: Path, entry: Mapping[str, Any], upload: Mapping[str, str]
) -> str:
    whole, of_parts, parts = hashlib.sha256(), hashlib.sha256(), []
    for number, body in enumerate(_bodies(file, entry["bytes"]), start=1):
        whole.update(body)
        digest = hashlib.sha256(body).digest()
        of_parts.update(digest)
        checksum = {"ChecksumSHA256": _base64(digest)}
        sent = store.ask("upload_part", key=key, PartNumber=number, Body=body, **upload, **checksum)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], **checksum})
    if whole.hexdigest() != entry["sha256"]:
        raise _damaged(file)
    store.ask("complete_multipart_upload", key=key, MultipartUpload={"Parts": parts}, **upload)
    return _base64(of_parts.digest())


def _bodies(file: Path, size: int) -> Iterator[bytes]:
    length = max(PART_BYTES, -(-size // _MOST_PARTS))
    with file.open("rb") as opened:
        while body := opened.read(length):
            yield body


def _is_whole(store: Store, seen: Seen, entry: Mapping[str, Any], checksum: str) -> bool:
    if seen.bytes != entry["bytes"] or seen.sha256 != entry["sha256"]:
        return False
    if seen.checksum is not None:
        return seen.checksum.partition("-")[0] in {checksum, _base64(bytes.fromhex(entry["sha256"]))}
    digest = hashlib.sha256()
    try:
        for block in store.blocks(seen):
            digest.update(block)
    except (AbsentError, ConditionError):
        return False
    return digest.hexdigest() == str(entry["sha256"])


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _damaged(file: Path) -> StorageError:
    return StorageError(
        f"file '{file.name}' of run '{file.parent.name}' is not what was published",
        hint="score that night again, then `leadrank publish --resume`",
    )


def _lost(key: str) -> UpstreamError:
    return UpstreamError(
        "an object came out another than it was sent",
        hint="let nobody else write below sinks.objects, then `leadrank publish --resume`",
        place=Place(stage="sinks", file=key),
    )
