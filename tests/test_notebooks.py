"""The notebooks run from the first cell to the last on a demo CRM, and say what the command line says."""

from __future__ import annotations

import ast
import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))
PNG = b"\x89PNG\r\n\x1a\n"
LONGEST_FUNCTION = 10  # lines: more is logic that a module should hold
SECONDS = 300

pytest.importorskip("nbclient", reason="notebook tests want the extra [notebooks]")
pytest.importorskip("jupytext", reason="notebook tests want the extra [notebooks]")


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    """A folder for the kernels; its path is short, for a socket's has at most 107 characters.

    Jupyter and IPython keep their own files in it, too.
    """
    with tempfile.TemporaryDirectory(prefix="nb-") as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, folder)
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")  # else jupyter_core warns about its own future
        yield Path(folder)


@pytest.fixture(scope="module")
def explored(demo: Any, sockets: Path) -> Any:
    return executed("explore_history", demo.home, sockets)


@pytest.fixture(scope="module")
def reviewed(demo: Any, sockets: Path) -> Any:
    return executed("review_model", demo.home, sockets)


def test_the_history_notebook_shows_its_pictures_and_no_complaint(explored: Any) -> None:
    assert len(pictures(explored)) == 6
    assert not complaints(explored)


def test_the_history_notebook_counts_what_training_counts(explored: Any, demo: Any) -> None:
    trained = demo.result["train"]
    said = text(explored)
    assert f"{trained['rows']:,} mature snapshots, {trained['positives']:,} of them converted" in said
    assert f"{trained['immature']:,} immature snapshots are left out" in said
    for counts in trained["counts"]:
        assert f"{counts['accepted']:,}" in html(explored)


def test_the_model_notebook_shows_its_pictures_and_no_complaint(reviewed: Any) -> None:
    assert len(pictures(reviewed)) == 1 + 4 + 2 + 3  # contenders, curves, contributions, three leads
    assert not complaints(reviewed)


def test_the_model_notebook_says_what_the_command_line_said(reviewed: Any, demo: Any) -> None:
    figures, page = demo.result["train"]["metrics"], html(reviewed)
    for name in ("roc_auc", "brier", "lift_10"):
        found = figures["model"][name]
        assert f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})" in page
    for contender in ("scorecard", "newest_first"):
        assert f"{figures[contender]['roc_auc']:.3f} (" in page
    assert demo.result["train"]["digest"][:16] in page
    first = demo.result["score"]["leads"][0]
    assert f"rank 1: {first['lead_id']}, probability {first['probability']:.1%}" in text(reviewed)
    assert first["for_1"] in page


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_logic_of_its_own(path: Path) -> None:
    defined = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert not [node.name for node in defined if isinstance(node, ast.ClassDef)]
    assert {node.name: lines(node) for node in defined if lines(node) > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_begins_with_its_only_parameter(path: Path) -> None:
    [cell] = parameter_cells(notebook(path))
    assert cell.source.startswith('FOLDER = "../demo"')
    first = next(cell for cell in notebook(path).cells if cell.cell_type == "code")
    assert first.source == cell.source


def executed(name: str, home: Path, sockets: Path) -> Any:
    """The notebook with its outputs, run on a folder by a kernel of this environment over local sockets."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

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
    client.execute(cleanup_kc=True)
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


def lines(node: ast.FunctionDef | ast.ClassDef) -> int:
    """Lines of a definition, from its first to its last."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
