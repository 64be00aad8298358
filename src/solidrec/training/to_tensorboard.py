"""Points of a run as TensorBoard events, in the folder ``tensorboard`` of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import final

from solidrec.epochs import HISTORY
from solidrec.errors import StorageError
from solidrec.spec import RunSpec

_FOLDER = "tensorboard"


@final
class TensorBoardStore:
    """Scalars by name and epoch, and the specification as a text.

    Without a finished epoch, existing files are removed: another specification may have left them.
    """

    def __init__(self, out: Path, spec: RunSpec) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.folder = out / _FOLDER
        if not (out / HISTORY).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
        self.fresh = not self.folder.exists()
        self.before = self.read()
        try:
            self.writer = SummaryWriter(str(self.folder))
            if self.fresh:
                self.writer.add_text(
                    "spec", f"```\n{json.dumps(spec.model_dump(mode='json'), indent=1)}\n```"
                )
            self.writer.flush()
        except OSError as error:
            raise self.refused(error) from error

    def read(self) -> set[tuple[str, int]]:
        """Return the points of every event file, without the torn end that a kill may leave."""
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(self.folder), size_guidance={"scalars": 0})
        if not self.fresh:
            events.Reload()
        return {
            (name, event.step)
            for name in events.Tags()["scalars"]
            for event in events.Scalars(name)
        }

    def written(self) -> set[tuple[str, int]]:
        """Return the points that were there when the store was opened."""
        return self.before

    def write(self, values: Mapping[str, float], epoch: int) -> None:
        """Add the scalars of an epoch and flush them to the disk."""
        try:
            for name, value in values.items():
                self.writer.add_scalar(name, value, epoch)
            self.writer.flush()
        except OSError as error:
            raise self.refused(error) from error

    def close(self, *, complete: bool) -> None:
        """Close the event file."""
        try:
            self.writer.close()
        except OSError as error:
            raise self.refused(error) from error

    def refused(self, error: OSError) -> StorageError:
        """Return an error of the disk as a `StorageError`."""
        return StorageError(f"{self.folder}: cannot write ({error.strerror or error})")
