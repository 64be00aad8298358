"""Whether a specification can be trained on some data: what no setting alone says, known before anything is trained."""

from __future__ import annotations

from solidrec.data.prepared import PreparedData
from solidrec.errors import IncompatibleError
from solidrec.nn.build import check_widths
from solidrec.runs import needs_semantics
from solidrec.semantics.plan import plan
from solidrec.spec import RunSpec


def check_run(data: PreparedData, spec: RunSpec) -> None:
    """Raise unless `spec` is of these data, its settings go together, and the data have what its semantic ids are made of.

    Raises `IncompatibleError` for other data or features that were encoded anew, `UsageError` for the rest.
    """
    if spec.data != data.fingerprint:
        raise IncompatibleError(f"the specification is of data {spec.data[:12]}, {data.path} is {data.fingerprint[:12]}")
    if spec.semantics.encoded != data.encoded:
        raise IncompatibleError(f"{data.path}: its features are not those of the specification; encode them again, or train anew")
    check_widths(spec.model)
    if needs_semantics(spec.model.name):
        plan(data, spec.semantics)
