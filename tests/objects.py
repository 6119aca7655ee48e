"""A throwaway object store on loopback, for tests: moto's server in a thread, with a bucket."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

BUCKET = "crm-exports"
SECRET = "hunter2hunter2hunter2"  # noqa: S105  # opens nothing; no message may have it
_AWS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE")


class Bucket:
    """The bucket of a server, as somebody else sees it."""

    def __init__(self, url: str) -> None:
        import boto3

        self.url = url
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="other",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def write(self, key: str, content: bytes | str) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)

    def versions(self) -> dict[str, tuple[str, object]]:
        """What changes with every write, by key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        found = [each for page in pages for each in page.get("Contents", ())]
        return {each["Key"]: (each["ETag"], each["LastModified"]) for each in found}

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]


def environment(url: str) -> Mapping[str, str]:
    """What a user sets to reach the server."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",  # nobody but loopback is asked
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def one_at_a_time(app: Any) -> Any:
    """The application with one request at a time: moto 5.2 looks at a condition, and then writes.

    S3 does both at once; of two publishers whom moto answers at the same time, both would be let through.
    """
    lock = threading.Lock()

    def locked(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with lock:
            return list(app(environ, start_response))

    return locked


@contextmanager
def server() -> Iterator[str]:
    """Start a server, and stop it at the end; yields its address."""
    pytest.importorskip("s3fs", reason="tests of object stores want the extra [objects]")
    threaded = pytest.importorskip("moto.server", reason="tests of object stores want moto")
    running = threaded.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    running.start()
    running._server.app = one_at_a_time(running._server.app)
    try:
        host, port = running.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        running.stop()


@contextmanager
def bucket(monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Bucket]:
    """An empty bucket of a running server, to which the environment of this process leads."""
    for name in _AWS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    found = Bucket(url)
    found.client.create_bucket(Bucket=BUCKET)
    yield found
    for key in list(found.versions()):
        found.remove(key)
    for upload in found.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", ()):
        found.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    found.client.delete_bucket(Bucket=BUCKET)
    found.client.close()
