"""What xet keeps: xorbs (runs of compressed chunks), and for each file the chunks that make it.

Formats as in https://huggingface.co/docs/xet: a shard names files by their chunks; a chunk is
eight bytes of header and its data. Contents are named by the sha256 that commits use.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel

from kit.files import write_atomically

BLOCK = 1 << 20
ROW = 48
SHARD_HEADER = 48
END = b"\xff" * 32
WITH_CHECKS, WITH_SHA256 = 1 << 31, 1 << 30


class Term(BaseModel):
    """The chunks ``[start, end)`` of a xorb; ``size`` bytes when unpacked."""

    xorb: str
    start: int
    end: int
    size: int


class XetFile(BaseModel):
    """A file as a sequence of terms; ``hash`` is xet's own name for it."""

    hash: str
    sha256: str
    terms: list[Term]

    @property
    def size(self) -> int:
        """The file's bytes."""
        return sum(term.size for term in self.terms)


@dataclass(frozen=True)
class Chunk:
    """Where a chunk lies in its xorb, header included, and its bytes when unpacked."""

    start: int
    end: int
    scheme: int
    size: int


class Xorbs:
    """The chunk store below one folder, shared by all repos."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.chunks = lru_cache(maxsize=4096)(self._read_chunks)

    def xorb(self, name: str) -> Path:
        """Return where a xorb lies, or would."""
        return self.root / "xorbs" / name

    def find(self, name: str) -> XetFile | None:
        """Return a file by its sha256, or by xet's name."""
        path = self.root / "files" / f"{name}.json"
        return XetFile.model_validate_json(path.read_bytes()) if path.is_file() else None

    def add_shard(self, shard: bytes) -> None:
        """Keep the files of a shard, each put together once to check its sha256.

        Raises:
            ValueError: chunks that are not here, or that make another content.
        """
        for file in parse_shard(shard):
            if self.find(file.sha256):
                continue
            digest = hashlib.sha256()
            for piece in self.stream(file, 0, file.size):
                digest.update(piece)
            if digest.hexdigest() != file.sha256:
                raise ValueError(f"chunks of {file.sha256} make {digest.hexdigest()}")
            for name in (file.hash, file.sha256):
                path = self.root / "files" / f"{name}.json"
                write_atomically(path, file.model_dump_json().encode())

    def stream(self, file: XetFile, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes ``[start, end)`` of a file, in blocks of about a MiB."""
        held, size = [], 0
        for piece in self._pieces(file, start, end):
            held.append(piece)
            size += len(piece)
            if size >= BLOCK:
                yield b"".join(held)
                held, size = [], 0
        yield b"".join(held)

    def _pieces(self, file: XetFile, start: int, end: int) -> Iterator[bytes]:
        position = 0
        for term in file.terms:
            with self.xorb(term.xorb).open("rb") as packed:
                for chunk in self.chunks(term.xorb)[term.start : term.end]:
                    after = position + chunk.size
                    if after > start and position < end:
                        packed.seek(chunk.start + 8)
                        whole = _unpack(packed.read(chunk.end - chunk.start - 8), chunk)
                        yield whole[max(0, start - position) : end - position]
                    position = after

    def _read_chunks(self, name: str) -> tuple[Chunk, ...]:
        chunks, start = [], 0
        with self.xorb(name).open("rb") as packed:
            # A footer may follow the chunks; it begins with a name of its own.
            while len(header := packed.read(8)) == 8 and not header.startswith(b"XETBLOB"):
                length = int.from_bytes(header[1:4], "little")
                size = int.from_bytes(header[5:8], "little")
                chunks.append(Chunk(start, start + 8 + length, header[4], size))
                start = packed.seek(start + 8 + length)
        return tuple(chunks)


def _unpack(data: bytes, chunk: Chunk) -> bytes:
    """Unpack a chunk: as it is (0), LZ4 (1), or LZ4 of its bytes grouped by position mod 4 (2)."""
    if chunk.scheme == 0:
        return data
    plain = pa.Codec("lz4").decompress(data, chunk.size, asbytes=True)
    if chunk.scheme == 1:
        return bytes(plain)
    grouped, mixed, at = np.frombuffer(plain, np.uint8), np.empty(chunk.size, np.uint8), 0
    for place in range(4):
        target = mixed[place::4]
        target[:] = grouped[at : at + len(target)]
        at += len(target)
    return mixed.tobytes()


def parse_shard(shard: bytes) -> Iterator[XetFile]:
    """Yield the files that a shard describes; rows of 48 bytes after its header."""
    at = SHARD_HEADER
    while shard[at : at + 32] != END:
        name, flags, count = struct.unpack_from("<32sII", shard, at)
        terms = []
        for row in range(count):
            xorb, _, size, start, end = struct.unpack_from("<32sIIII", shard, at + ROW * (row + 1))
            terms.append(Term(xorb=_hex(xorb), start=start, end=end, size=size))
        at += ROW * (1 + count * (2 if flags & WITH_CHECKS else 1))
        if flags & WITH_SHA256:
            sha256 = _hex(shard[at : at + 32])
            at += ROW
            yield XetFile(hash=_hex(name), sha256=sha256, terms=terms)


def _hex(raw: bytes) -> str:
    """Return a hash as xet prints it: four little-endian numbers."""
    return "".join(raw[place : place + 8][::-1].hex() for place in range(0, 32, 8))
