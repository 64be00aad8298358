"""What a folder holds that a run is to be written to: nothing, part of the run, or another one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST
from solidrec.epochs import HISTORY
from solidrec.errors import IncompatibleError, StorageError, UsageError
from solidrec.json_files import read_json
from solidrec.overwrite import check_own, is_empty
from solidrec.runs import FILES, PARTS, SPEC
from solidrec.settings import difference
from solidrec.spec import RunSpec
from solidrec.temporaries import destination

CHECKPOINTS = "checkpoints"
"""The folder in an unfinished run from which it resumes."""
_OWN = (*FILES, *PARTS, MANIFEST, CHECKPOINTS, "tensorboard", "mlflow.json")
"""The names in a run folder; MANIFEST is removed first and SPEC last."""


def finished(out: Path, spec: RunSpec) -> bool:
    """Return whether `out` holds this run complete, or raise an error if it holds anything else.

    The specification of a folder may change until its first epoch ends, as nothing is lost then.
    """
    if (out / SPEC).is_file():
        there = filled(read_json(out / SPEC))
        mine = spec.model_dump(mode="json")
        if there != mine and any((out / name).is_file() for name in (MANIFEST, HISTORY)):
            raise IncompatibleError(
                f"{out}: holds a run of another specification ({difference(there, mine)}); "
                "choose another --out, or say --overwrite"
            )
        return (out / MANIFEST).is_file()
    if out.exists() and not (out.is_dir() and is_empty(out)):
        raise StorageError(f"{out}: exists and is not a run folder; choose another --out")
    return False


def filled(there: Any) -> Any:
    """Return a stored specification with defaults for settings that were added since."""
    try:
        return RunSpec.parse(there).model_dump(mode="json")
    except (UsageError, TypeError, ValueError):
        return there


def is_another(out: Path, spec: RunSpec) -> bool:
    """Return whether `out` holds a finished run of another specification.

    Raises `StorageError` if it has anything in it that is no part of a run.
    """
    if not (out / MANIFEST).is_file() or not _differs(out, spec):
        return False
    check_own(out, _OWN, called="run")
    return True


def _differs(out: Path, spec: RunSpec) -> bool:
    """Return whether `out` has the specification of another run."""
    if not (out / SPEC).is_file():
        return False
    return bool(filled(read_json(out / SPEC)) != spec.model_dump(mode="json"))


def successor(out: Path) -> Path:
    """Return the folder in which a run is trained that will replace the one in `out`."""
    out = destination(out)
    return out.with_name(f".{out.name}.new")


def clear_other(out: Path, spec: RunSpec) -> bool:
    """Remove what another specification left unfinished in the locked folder `out`.

    Returns whether there was any.

    Killed half-way, the same call goes on. Raises `StorageError` if the folder has anything in it
    that is no part of a run.
    """
    if not _differs(out, spec):
        return False
    check_own(out, _OWN, called="run")
    names = sorted(_OWN, key=lambda name: (name == SPEC, name != MANIFEST))
    for path in [*(out / name for name in names)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return True
