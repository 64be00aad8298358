"""The quickstart notebook runs from top to bottom, and what it shows is stored in it."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat
import pytest
from nbformat import NotebookNode

import solidrec
from solidrec.data.prepared import PreparedData


@pytest.fixture
def notebook(repository: Path) -> NotebookNode:
    return nbformat.read(repository / "docs" / "quickstart.ipynb", as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(notebook: NotebookNode) -> list[list[str]]:
    """What each code cell shows: text, a table, a picture; never an error."""
    return [
        [f"{o.output_type} {sorted(o.get('data', {}))}" for o in cell.outputs]
        for cell in code_cells(notebook)
    ]


def test_the_notebook_is_stored_executed(notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert [cell.execution_count for cell in code_cells(notebook)] == list(
        range(1, len(code_cells(notebook)) + 1)
    )
    assert any(
        "image/png" in output.get("data", {})
        for cell in code_cells(notebook)
        for output in cell.outputs
    )


def test_the_notebook_runs(
    notebook: NotebookNode, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a kernel of its own; the folder that it makes is a temporary one."""
    monkeypatch.setenv("PYTHONPATH", str(Path(solidrec.__file__).parents[1]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("MPLBACKEND")  # a kernel draws into the notebook
    stored = kinds(notebook)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", record_timing=False
    ).execute()
    assert kinds(notebook) == stored
    (data,) = tmp_path.glob("*/data")
    assert PreparedData.open(data).manifest["rows"]["rejected"] == {}
