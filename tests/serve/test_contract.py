"""The service against its own description: schemathesis asks what nobody would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.serving
def test_s24_no_request_that_the_description_allows_or_forbids_breaks_it(
    address: str, tmp_path: Path
) -> None:
    """No 5xx, no undescribed status, no answer of another shape; two minutes at most."""
    pytest.importorskip("schemathesis")
    program = Path(sys.executable).with_name("schemathesis")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    words = [program, "run", f"{address}openapi.json", "--max-examples", "100", "--no-color"]
    words += ["--checks", f"{checks},response_schema_conformance", "--seed", "1"]
    found = subprocess.run(
        [*map(str, words)], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert found.returncode == 0, found.stdout[-5000:]
    assert "generated" in found.stdout
