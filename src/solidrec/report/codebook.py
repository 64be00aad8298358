"""The health of an experiment's codebooks: usage, movement since the start, and busiest codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import nn

from solidrec.arrays import Array
from solidrec.experiments.plan import Place
from solidrec.nn.build import stages
from solidrec.nn.kernels.nearest import nearest_code
from solidrec.report.logs import CLIP, Logs, health, size_of
from solidrec.report.material import Material, charts_of
from solidrec.report.section import Card, Charts, Section, Tables
from solidrec.runs import Run
from solidrec.text_grid import Grid
from solidrec.training.loop import codebook_of

CODES, TITLES = 3, 6
_HEALTH = f"Perplexity: as many codes of equal use would be as even. {CLIP}"
_APART = (
    "A codebook that is learned in a second stage (schedule=staged) starts as a copy of the "
    "metacode (Algorithm 1); afterwards both learn. Code to metacode is the mean distance between "
    "a code and its metacode as they are now, over the mean length of a metacode; beside it, how "
    "many codes are still nearest to their own. Items to code is the mean distance of an item to "
    "the code that it is read as, weighted by training events, over the mean length of an item."
)
_BUSY = (
    "The codes that most training events fall to, with the most frequent items of each, by title."
)
_SEED = "Of each row the training with the smallest seed."
_AT_END = ("", "codes used", "perplexity", "revived, in all", "on the clip", "T")
_FAR = ("", "codes", "with an item", "code to metacode", "still nearest their own", "items to code")


@final
@dataclass(frozen=True)
class Codes:
    """A trained codebook: the code ``of_item`` (V,) of each item and its training ``events`` (V,).

    ``apart`` is the relative distance of codes to their metacodes, and ``own`` the share of codes
    that are still nearest to their own metacode. Both are None if the codebook did not start as a
    copy of the metacode. ``far`` is the relative distance of items to their codes.
    """

    size: int
    of_item: Array
    events: Array
    apart: float | None
    own: float | None
    far: float


def codebooks(of: Material) -> Section:
    """Return the charts, distances and busiest codes of each row that has a codebook or a clip."""
    firsts = {place.row: place for place in of.first_seeds()}
    charts: list[Charts] = []
    tables, busiest = [], []
    for number, (block, group) in enumerate(charts_of(list(firsts), of.blocks), start=1):
        logs: Logs = [
            (of.looks[name], rows) for name in group if (rows := of.history(firsts[name]))
        ]
        charts += health(logs, block, of=f", {block} {number}")
    if charts:
        tables.append(Tables([_health_grid(of, firsts)], [_HEALTH]))
    found = [
        (name, of.runs[name], codes)
        for name in firsts
        if name in of.runs and (codes := _codes_of(of.runs[name]))
    ]
    if found:
        tables.append(Tables([_distance_grid(found)], [_APART]))
        busiest = [
            (f"Busiest codes of {names}", _busiest(run, codes))
            for names, run, codes in _read_alike(found)
        ]
    notes = [*([_BUSY] if busiest else []), _SEED]
    return Section(charts=charts, tables=tables, cards=busiest, notes=notes)


def _health_grid(of: Material, firsts: Mapping[str, Place]) -> Grid:
    """Return a table of each codebook and clip in the last epoch."""
    rows = []
    for name, place in firsts.items():
        log = of.history(place)
        used = [row for row in log if "codes_used" in row]
        clip = [row["saturated"] for row in log if "saturated" in row]
        if not used and not clip:
            continue
        limit = of.results.records[place.key]["spec"]["model"]["clip"]
        codes = ["–"] * 3
        if used:
            codes = [
                f"{used[-1]['codes_used']:,} of {size_of(used):,}",
                f"{used[-1]['perplexity']:.0f}",
                f"{sum(row.get('codes_revived', 0) for row in used):,}",
            ]
        clips = [f"{clip[-1]:.1%}", f"{limit:g}"] if clip else ["–"] * 2
        rows.append([name, *codes, *clips])
    return Grid.of("In the last epoch", _AT_END, rows)


@torch.inference_mode()
def _codes_of(run: Run) -> Codes | None:
    """Return the codes and distances of a run's codebook, None for a model without a codebook."""
    codebook = codebook_of(run.model)
    if codebook is None:
        return None
    trunk = dict(run.model.parts()).get("metacode")
    # item vectors (V, D) without the padding row, code vectors (K, D), and each item's code (V,)
    items, codes = run.model.items.weight[1:], codebook.code_vectors
    of_item = codebook.find(torch.arange(1, len(items) + 1)[None], items[None])[0]
    events = run.catalog["training_count"].to_numpy()
    # mean distance of an item to its code over the mean length of an item, by training events
    weight = torch.tensor(events).to(items) / max(1, events.sum())
    long = (items.norm(dim=1) * weight).sum().clamp(min=1e-12)
    far = ((items - codes[of_item]).norm(dim=1) * weight).sum() / long
    # A staged codebook started as the first K metacodes, so that code k belongs to metacode k.
    apart = own = None
    if stages(run.spec.model) > 1 and isinstance(trunk, nn.Embedding):
        metacode = trunk.weight[1 : len(codes) + 1]
        if len(metacode) == len(codes):
            apart = float((codes - metacode).norm(dim=1).mean() / metacode.norm(dim=1).mean())
            own = float((nearest_code(codes, metacode) == torch.arange(len(codes))).float().mean())
    return Codes(len(codes), of_item.numpy(), events, apart, own, float(far))


def _distance_grid(found: Sequence[tuple[str, Run, Codes]]) -> Grid:
    """Return a table of the distances of codes to their metacodes and of items to their codes."""
    rows = []
    for name, _, codes in found:
        apart = ["–", "–"] if codes.apart is None else [f"{codes.apart:.2f}", f"{codes.own:.0%}"]
        chosen = len(np.unique(codes.of_item))
        rows.append([name, f"{codes.size:,}", f"{chosen:,}", *apart, f"{codes.far:.2f}"])
    return Grid.of("Where codes ended up, relative distances", _FAR, rows)


def _read_alike(found: Sequence[tuple[str, Run, Codes]]) -> list[tuple[str, Run, Codes]]:
    """Merge rows whose items have the same codes, as semantic ids do, under their joined names."""
    alike: dict[bytes, list[tuple[str, Run, Codes]]] = {}
    for one in found:
        alike.setdefault(one[2].of_item.tobytes(), []).append(one)
    return [(", ".join(name for name, *_ in _group), *_group[0][1:]) for _group in alike.values()]


def _busiest(run: Run, codes: Codes) -> list[Card]:
    """Return the busiest codes of one row, each with its most frequent items."""
    # training events of each code (K,), and the codes with the most
    events = np.bincount(codes.of_item, codes.events, codes.size)
    top = np.argsort(-events, kind="stable")[:CODES]
    titles = run.catalog["title"] if "title" in run.catalog.columns else run.catalog["item"]
    cards = []
    for code in top[events[top] > 0]:
        members = np.flatnonzero(codes.of_item == code)
        order = members[np.argsort(-codes.events[members], kind="stable")]
        named = [titles[int(item)] or run.catalog["item"][int(item)] for item in order[:TITLES]]
        share = events[code] / max(1.0, events.sum())
        facts = f"{share:.1%} of training events · {len(order):,} items"
        cards.append(Card(f"Code {code}", facts, named, len(order) - TITLES))
    return cards
