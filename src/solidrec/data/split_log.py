"""The split of a log, by a column of its own or by the settings of `prepare`."""

from __future__ import annotations

from solidrec.data.clean import CleanLog
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import Events
from solidrec.data.split import Split, by_part, by_time, fit_all, leave_one_out, time_cuts
from solidrec.errors import UsageError


def split_log(events: Events, cleaned: CleanLog, spec: PrepareSpec) -> Split:
    """Return the split of the events.

    Raises `UsageError` for settings that do not go together, and as the splits do.
    """
    cuts, order = (spec.valid_from, spec.test_from), cleaned.order
    if cleaned.split is not None:
        if spec.split != "leave-one-out":
            raise UsageError(
                f"--split-column {spec.split_column} is one split, --split {spec.split} another; "
                "give one of them"
            )
        return by_part(events.offsets, cleaned.split, name=events.users.id)
    if spec.split != "time" and cuts != (None, None):
        raise UsageError(
            f"--valid-from and --test-from cut by time, and the split is {spec.split}; give "
            "--split time, or none of them"
        )
    if spec.split == "none":
        return fit_all(events.offsets)
    if spec.split == "leave-one-out":
        return leave_one_out(events.offsets)
    if order != "timestamp":
        raise UsageError(
            f"--split time needs timestamps, the log is ordered by {order}; name the column with "
            "--time-column NAME"
        )
    valid_from, test_from = cuts
    if valid_from is None or test_from is None:
        if valid_from is not test_from:
            raise UsageError("valid_from and test_from go together; give both or neither")
        valid_from, test_from = time_cuts(events.times, spec.valid_fraction, spec.test_fraction)
    return by_time(events.offsets, events.times, valid_from=valid_from, test_from=test_from)
