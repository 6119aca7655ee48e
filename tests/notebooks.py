"""Run a notebook in a kernel of its own, and look at what it showed."""

from __future__ import annotations

import base64
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))
PNG = b"\x89PNG\r\n\x1a\n"
SECONDS = 300  # a cell, on a machine that does ten other things
MOST_SECONDS = 60  # a notebook, of the processors: what it takes on a machine that does nothing else


@contextmanager
def sockets() -> Iterator[Path]:
    """A folder for the kernels; its path is short, for a socket's has at most 107 characters.

    Jupyter and IPython keep their own files in it, too.
    """
    with tempfile.TemporaryDirectory(prefix="nb-") as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, folder)
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns about its own future
        yield Path(folder)


def executed(name: str, home: Path, sockets: Path, *, at_last: str = "") -> Any:
    """The notebook with its outputs, run on a folder by a kernel of this environment over local sockets.

    ``at_last`` is run before the last cell of code. What the kernel and its children took of the processors
    is in the notebook's metadata.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell

    book = notebook(next(path for path in NOTEBOOKS if path.stem == name))
    [cell] = parameter_cells(book)
    cell.source = f"FOLDER = {str(home)!r}"
    # No kernel folders: "python3" is then this interpreter, whatever is installed for the user.
    kernel = AsyncKernelManager(
        kernel_name="python3",
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        transport="ipc",
        # Sockets are named after it, and the kernel starts in another folder: a whole path.
        connection_file=str(sockets / f"{name}.json"),
    )
    client = NotebookClient(book, km=kernel, timeout=SECONDS, resources={"metadata": {"path": str(home)}})
    last = max(place for place, one in enumerate(book.cells) if one.cell_type == "code")
    book.cells.insert(last, new_code_cell(at_last))
    book.cells.append(new_code_cell("import os; print(sum(os.times()[:4]))"))
    client.execute(cleanup_kc=True)
    book.metadata["processor_seconds"] = float(book.cells.pop().outputs[0].text)
    return book


def notebook(path: Path) -> Any:
    import jupytext

    return jupytext.read(path)


def parameter_cells(book: Any) -> list[Any]:
    return [cell for cell in book.cells if "parameters" in cell.metadata.get("tags", ())]


def outputs(book: Any) -> Iterator[Any]:
    for cell in book.cells:
        yield from cell.get("outputs", ())


def pictures(book: Any) -> list[bytes]:
    """The PNG files among the outputs, each checked to be one."""
    found = [base64.b64decode(o.data["image/png"]) for o in outputs(book) if "image/png" in o.get("data", {})]
    assert all(picture.startswith(PNG) and len(picture) > 5_000 for picture in found)
    return found


def complaints(book: Any) -> list[str]:
    """What was written to stderr: warnings and the like."""
    return [output.text for output in outputs(book) if output.get("name") == "stderr"]


def text(book: Any) -> str:
    return "".join(output.text for output in outputs(book) if output.get("name") == "stdout")


def html(book: Any) -> str:
    return "".join(o.data["text/html"] for o in outputs(book) if "text/html" in o.get("data", {}))


def find(pattern: str, said: str) -> tuple[str, ...]:
    """The groups of the only place where a notebook says it."""
    (match,) = re.finditer(pattern, said)
    return match.groups()


def check_seconds(name: str, book: Any) -> None:
    """A notebook that takes a minute is run by nobody."""
    seconds = book.metadata["processor_seconds"]
    assert seconds < MOST_SECONDS, f"{name} took {seconds:.0f} s of the processors"
