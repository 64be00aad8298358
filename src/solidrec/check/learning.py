"""The check that each parameter of each stage and each generated tensor learns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from solidrec.batch import Batch
from solidrec.check.model import unregistered
from solidrec.check.subject import Sample, Subject, Verdict
from solidrec.designs import DESIGNS
from solidrec.nn.build import stages
from solidrec.nn.recommender import Recommender
from solidrec.nn.weights import BuiltWeights
from solidrec.spec import RunSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.loop import copy_state, loss_of
from solidrec.training.optimizer import Optimizer
from solidrec.training.seeds import seed_torch
from solidrec.training.stages import batches_for, start_of_stage

_STEPS = 6
_PROMISE = "everything learns"


def learning(subject: Subject) -> Verdict:
    """Check that every parameter and generated tensor learns in a few steps of each stage."""
    model, done = None, []
    cause = cure = ""
    for stage in range(1, stages(subject.spec.model) + 1):
        model = start_of_stage(
            subject.data, subject.spec, subject.semantics, model, stage=stage, device="cpu"
        )
        if held := list(unregistered(model)):
            cause = (
                f"outside parameters() and state_dict(), so neither trained nor saved: {few(held)}"
            )
            cure = "register them: nn.Parameter, register_buffer, nn.ModuleList or nn.ModuleDict"
            return Verdict(_PROMISE, f"stage {stage}", cause, cure)
        frozen = [
            name for name, parameter in model.named_parameters() if not parameter.requires_grad
        ]
        if frozen and DESIGNS[subject.spec.model.name].parts.author_code:
            stay = f"{len(frozen)} parameters stay as they were drawn, as in the released code"
            cause = f"{stay}: {few(frozen)}"
            cure = "take a solid model; docs/paper.md has what that costs"
        elif frozen:
            cause = f"frozen (requires_grad=False): {few(frozen)}"
            return Verdict(_PROMISE, f"stage {stage}", cause, "let it require a gradient")
        if found := _taught(subject, model, stage):
            return Verdict(_PROMISE, f"stage {stage}, {_STEPS} steps", *found)
        count = sum(parameter.requires_grad for parameter in model.parameters())
        done.append(f"stage {stage}: {count} parameters, {len(model.head.slots)} generated tensors")
    measured = f"{'; '.join(done)}; gradient and movement in {_STEPS} steps"
    return Verdict(_PROMISE, measured, cause, cure, warns=True)


def _taught(subject: Subject, model: Recommender, stage: int) -> tuple[str, str] | None:
    """Train a few steps; return cause and cure if something got no gradient or did not move."""
    before = copy_state(model)
    generated = _slots(model, subject.sample)
    reached: set[str] = set()
    optimizer, minimised = Optimizer(model, subject.spec.train), loss_of(model, subject.spec.train)
    model.train()
    batches = batches_for(model, subject.data, subject.spec, device="cpu")
    for step, batch in enumerate(islice(_endless(batches, stage), _STEPS)):
        seed_torch(subject.spec.seed, "dropout", stage, 0, step)
        loss = minimised(model, batch).value
        if not bool(torch.isfinite(loss)):
            cure = "lower train.learning_rate, or look for what divides by zero"
            return f"the loss is {float(loss.detach())} at step {step + 1}", cure
        optimizer.step(loss)
        reached |= {
            name for name, parameter in model.named_parameters() if _has_gradient(parameter.grad)
        }
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    if missed := [name for name in trained if name not in reached]:
        return f"no gradient reaches {few(missed)}", _reason(missed, subject.spec)
    after = model.state_dict()
    if still := [name for name in trained if torch.equal(before[name], after[name])]:
        cure = (
            "give it to the optimizer; where gradients are far below Adam's 1e-8, raise what "
            "scales them, such as model.clip"
        )
        return f"a gradient reaches {few(still)}, and no step moves it", cure
    return _untaught_slot(model, subject.sample, generated)


def _endless(batches: TrainingBatches, stage: int) -> Iterator[Batch]:
    """Yield the batches of one epoch after another, without end."""
    epoch = 0
    while True:
        yield from batches.epoch(stage, epoch)
        epoch += 1


def _reason(missed: list[str], spec: RunSpec) -> str:
    """Return advice for parameters without a gradient; some settings are known to cut them off."""
    if spec.model.clip == 0 and DESIGNS[spec.model.name].parts.clip:
        return (
            "model.clip=0 lets nothing of the branch through: raise it, or take the model spg, "
            "which has no branch"
        )
    if spec.model.history_length == 1 and all(name.endswith("weight_hh_l0") for name in missed):
        return "model.history_length=1 leaves a recurrent network nothing to remember: raise it"
    if spec.train.codebook_weight == 0 and all("codebook" in name for name in missed):
        return (
            "train.codebook_weight=0 leaves the codes without a loss: raise it, or say "
            "model.codebook.loss=ema"
        )
    return (
        "let it take part in the loss: look for a detach, a no_grad, or an output that is not used"
    )


def _has_gradient(gradient: Tensor | None) -> bool:
    """Return whether any entry of a gradient, dense or sparse, is not zero."""
    if gradient is None:
        return False
    return bool((gradient.coalesce().values() if gradient.is_sparse else gradient).any())


def few(names: list[str], most: int = 3) -> str:
    """Join the first names.

    >>> few(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


@torch.no_grad()
def _slots(model: Recommender, sample: Sample) -> dict[str, Tensor]:
    """Return a copy of every generated tensor for the histories of the sample, in eval mode."""
    model.eval()
    made = model.generate(sample.history).weights.tensors
    return {slot: tensor.clone() for slot, tensor in made.items()}


def _untaught_slot(
    model: Recommender, sample: Sample, before: dict[str, Tensor]
) -> tuple[str, str] | None:
    """Return cause and cure for the first slot that does not learn, or None.

    Such a slot is not read by the head, passes its gradient to no parameter, or does not move.
    """
    model.eval()
    made = model.generate(sample.history).weights.tensors
    if not made:  # the model has no layers after its backbone
        return None
    # As leaves, the slots show by their gradients whether the head reads them.
    leaves = {slot: tensor.detach().requires_grad_() for slot, tensor in made.items()}
    logits = model.score(sample.history, sample.candidates, BuiltWeights(leaves))
    loss = F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits))
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    gradients = dict(zip(leaves, found, strict=True))
    learned = [parameter for parameter in model.source.parameters() if parameter.requires_grad]
    for slot, tensor in made.items():
        gradient = gradients[slot]
        if gradient is None or not _has_gradient(gradient):
            cure = "apply the slot in the head, or do not declare it"
            return f"the head makes no use of the generated tensor {slot!r}", cure
        # The gradient of this sum is what the slot passes on to the parameters.
        along = (tensor * gradient).sum()
        reached: tuple[Tensor | None, ...] = ()
        if along.requires_grad:
            reached = torch.autograd.grad(along, learned, allow_unused=True, retain_graph=True)
        cure = "generate it from what is learned"
        if not any(map(_has_gradient, reached)):
            return f"the gradient of the generated tensor {slot!r} reaches no parameter", cure
        if torch.equal(tensor, before[slot]):
            return f"the generated tensor {slot!r} did not move", cure
    return None
