"""From the bytes of a file to UTF-8 with line feeds, block by block; nothing is guessed.

The declared encoding counts, unless the file says otherwise by a byte order mark. DuckDB's own decoders need
a download, so decoding happens here. For UTF-8 the blocks are passed on as they are: ``lines`` finds single
lines that do not decode.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from features.errors import InputError, ParameterError, Place, listed

BLOCK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh")  # gzip, zip (also Excel), zstd, bzip2
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TextFile:
    """A text file, read as UTF-8 blocks with line feeds.

    Parameters
    ----------
    file
        Where it is.
    name
        As declared, for messages.
    encoding
        As declared; a byte order mark overrides it.

    Attributes
    ----------
    encoding
        The encoding in force, normalised.
    is_altered
        Whether the blocks so far differ from the bytes of the file, byte order mark aside.
    """

    def __init__(self, file: Path, name: str, encoding: str) -> None:
        self.file, self.name = file, name
        with file.open("rb") as opened:
            head = opened.read(4096)
        self._skip, self.encoding = _encoding(head, encoding, name)
        self.is_altered = False

    def blocks(self) -> Iterator[bytes]:
        """UTF-8 blocks, without byte order mark, every line break a line feed.

        Raises
        ------
        InputError
            The file does not decode; the message names the byte offset and possible encodings.
        """
        self.is_altered = self.encoding != "utf-8"
        plain = self._raw() if self.encoding == "utf-8" else self._decoded()
        held = b""
        for block in plain:
            if b"\r" not in block and not held:
                yield block
                continue
            self.is_altered = True
            whole = held + block
            held = b"\r" if whole.endswith(b"\r") else b""
            yield whole.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if held:
            yield b"\n"

    def refuse(self) -> InputError:
        """The error for a file that is not in its declared encoding, at its first undecodable byte."""
        try:
            for _ in self._decoded():
                pass
        except InputError as error:
            return error
        raise AssertionError("asked to refuse a file that decodes")

    def _raw(self) -> Iterator[bytes]:
        with self.file.open("rb") as opened:
            opened.seek(self._skip)
            while block := opened.read(BLOCK_BYTES):
                yield block

    def _decoded(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="strict")
        done = self._skip
        for block in (*self._raw(), b""):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
                yield text.encode()
            except UnicodeError as error:
                start = error.start if isinstance(error, UnicodeDecodeError) else 0
                raise self._undecodable(done - pending + start) from None
            done += len(block)

    def _undecodable(self, offset: int) -> InputError:
        candidates = suggestions(self.file, offset)
        hint = (
            f"declare the encoding; it could be {listed(candidates, 3)}" if candidates else "save it as UTF-8"
        )
        return InputError(
            f"file '{self.name}' is not {self.encoding}: byte {offset} does not decode",
            hint=hint,
            place=Place(stage="ingest", file=self.name),
        )


def suggestions(file: Path, offset: int) -> list[str]:
    """Encodings in which the bytes around an offset make sense, likeliest first; for messages only."""
    from charset_normalizer import from_bytes

    with file.open("rb") as opened:
        opened.seek(max(0, offset - _SAMPLE_BYTES // 2))
        sample = opened.read(_SAMPLE_BYTES)
    return [match.encoding.replace("_", "-") for match in from_bytes(sample) if match.encoding != "utf_8"]


def _encoding(head: bytes, declared: str, name: str) -> tuple[int, str]:
    """Bytes to skip, and the encoding in force."""
    if head.startswith(_COMPRESSED):
        raise InputError(
            f"file '{name}' is compressed, but CSV files are read as they are",
            hint="decompress it, or export Parquet",
            place=Place(stage="ingest", file=name),
        )
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return len(mark), encoding
    try:
        encoding = codecs.lookup(declared).name
    except LookupError:
        raise ParameterError(
            f"encoding '{declared}' is unknown", hint="use a name such as utf-8, cp1252 or shift-jis"
        ) from None
    if head.count(0) > len(head) // 5 and not encoding.startswith(("utf-16", "utf-32")):
        raise InputError(
            f"file '{name}' looks like UTF-16 without a byte order mark, but is declared '{declared}'",
            hint="declare encoding: utf-16-le",
            place=Place(stage="ingest", file=name),
        )
    return 0, encoding
