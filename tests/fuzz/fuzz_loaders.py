"""Fuzz the loaders with atheris: ``python tests/fuzz/fuzz_loaders.py FOLDER -runs=10000``.

The first byte of an input chooses among the targets, all of them or those named after FOLDER, which
keeps the inputs that end the run. Other words are options of libFuzzer, for example
``-max_total_time=3600``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Write the seeds, then fuzz until libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["solidrec", "numpy.lib", "tomllib", "json"]):
        from fuzz_targets import TARGETS, is_answered, seeds

    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    options = [word for word in sys.argv[2:] if word.startswith("-")]
    names = [word for word in sys.argv[2:] if word not in options] or list(TARGETS)
    for name in names:
        for number, content in enumerate(seeds()[name]):
            chosen = bytes([names.index(name)]) + content
            (corpus / f"seed-{name}-{number}").write_bytes(chosen)
    scratch = tempfile.TemporaryDirectory(prefix="solidrec-fuzz-")
    folder = Path(scratch.name)

    def one(content: bytes) -> None:
        if content:
            is_answered(TARGETS[names[content[0] % len(names)]], folder, content[1:])

    usual = ["-max_len=4096", "-timeout=20", f"-artifact_prefix={corpus}/"]
    atheris.Setup([sys.argv[0], *usual, *options, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
