"""The sentences on top of a report: what the experiment shows, and how much of it is finished."""

from __future__ import annotations

from collections.abc import Sequence

from solidrec.experiments.tables.comparisons import MODEL, REFERENCES
from solidrec.experiments.tables.contrasts import Contrast
from solidrec.experiments.tables.cost import records_of
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.stability import steadiness, steadiness_contrasts
from solidrec.experiments.tables.sweep import LAYOUT, sweeps
from solidrec.report.material import Material

_MAIN = {"paper": "UAUC", "full": "NDCG@10"}
"""The metric by protocol that compares trained rows with the best baseline."""
_NAMED = 3
_NOTHING = "Nothing is finished yet."
_NONE_COMPARED = "Nothing is compared here: no row has what it is measured by."
_NO_STAR_YET = (
    "No star can be earned with one training seed a row: differences are of these models only, "
    "not of the methods."
)


def headline(of: Material) -> str:
    """Return the headline about λ and T, cost, stability or the first protocol's comparisons."""
    if not of.results.records or not any(of.measured.values()):
        return _NOTHING
    if of.plan.layout == LAYOUT:
        return _best_place(of)
    if words := _cost_words(of):
        return words
    if "stability" in of.plan.measures and (
        steady := steadiness_contrasts(steadiness(of.plan, of.results))
    ):
        return _verdict(steady, "steadiness")
    return _verdict(of.tables[0].contrasts, of.tables[0].label)


def more_verdicts(of: Material) -> list[str]:
    """Return the verdict on the comparisons of each protocol, without the one in the headline."""
    if of.plan.layout == LAYOUT or not any(of.measured.values()):
        return []
    said = dict.fromkeys(_verdict(table.contrasts, table.label) for table in of.tables)
    return [text for text in said if text != headline(of)]


def _verdict(contrasts: Sequence[Contrast], label: str) -> str:
    """Say which comparisons of a row with its base earned a star, and which did not."""
    found = [each for each in contrasts if each.comparison.base]
    if not found:
        return _NONE_COMPARED
    if all(each.p is None for each in found):
        return _NO_STAR_YET
    stars: list[Contrast] = []
    worse: list[Contrast] = []
    rest: list[Contrast] = []
    for each in found:
        (stars if each.star else worse if each.worse else rest).append(each)
    if not stars and not worse:
        return f"None of {len(found)} comparisons ({label}) earned a star{_named(rest)}."
    parts = [f"{len(stars)} of {len(found)} comparisons ({label}) earned a star{_named(stars)}"]
    parts += [f"{len(rest)} did not{_named(rest)}"] if rest else []
    parts += [f"{len(worse)} went the other way beyond chance{_named(worse)}"] if worse else []
    return "; ".join(parts) + "."


def _named(contrasts: Sequence[Contrast]) -> str:
    """List the first comparisons in words, means over backbones before single backbones."""
    if not contrasts:
        return ""
    widest = sorted((each.comparison for each in contrasts), key=lambda each: -len(each.pairs))
    words = [f"{each.one} against {each.other} in {each.metric}" for each in widest]
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return f": {', '.join(words[:_NAMED])}{more}"


def _cost_words(of: Material) -> str:
    """Say what each SOLID model costs relative to its base; empty where cost was not measured."""
    found = records_of(of.plan, of.results)
    rows = {tuple(sorted(row.labels.items())): row.name for row in of.plan.rows}
    words = []
    for row in of.plan.rows:
        base = REFERENCES.get(row.labels.get(MODEL, ""), ("",))[0]
        other = rows.get(tuple(sorted({**row.labels, MODEL: base}.items())), "")
        if row.name in found and other in found:
            one, two = found[row.name], found[other]
            size = one["parameters"]["total"] / two["parameters"]["total"]
            time = one["inference"]["seconds"] / two["inference"]["seconds"]
            words.append(
                f"{row.name} has {size:.2f} times the parameters of {other} and takes {time:.2f} "
                "times as long a batch"
            )
    return "; ".join(words) + "." if words else ""


def _best_place(of: Material) -> str:
    """Say at which λ and T each metric is best."""
    rows: Sequence[Measured] = of.measured[of.plan.protocols[0]]
    words = []
    for sweep in sweeps(of.plan, rows):
        places = [
            f"λ = {across}, T = {down}"
            for down, line in zip(sweep.down, sweep.values, strict=True)
            for across, value in zip(sweep.across, line, strict=True)
            if value is not None and value == sweep.best
        ]
        words += [f"{sweep.metric} at {' and at '.join(places)}"] if places else []
    if not words:
        return _NOTHING
    seeds = f"{of.plan.seeds} training seed{'' if of.plan.seeds == 1 else 's'}"
    best = f"Best of {len(rows)} places over {seeds} ({of.tables[0].label}): {'; '.join(words)}."
    return f"{best} Being the best of many is not tested."


def baseline_words(of: Material) -> str:
    """Say how many trained rows are above the best baseline; empty where there is no baseline."""
    rows = next((rows for rows in of.measured.values() if rows), ())
    main = _MAIN[rows[0].protocol] if rows else ""
    means = {
        row.name: (row.deterministic, mean) for row in rows if (mean := row.mean(main)) is not None
    }
    baselines = {name: mean for name, (baseline, mean) in means.items() if baseline}
    trained = [mean for baseline, mean in means.values() if not baseline]
    if not baselines or not trained:
        return ""
    best = max(baselines, key=lambda name: baselines[name])
    above = sum(mean > baselines[best] for mean in trained)
    label = next(table.label for table in of.tables if table.protocol == rows[0].protocol)
    return (
        f"{above} of {len(trained)} trained rows are above the best baseline, {best} ({main} "
        f"{baselines[best]:.4f}, {label})."
    )


def finished_words(of: Material) -> str:
    """Say how many cells are finished, and which rows lack some."""
    cells = {place.key for place in of.plan.places}
    missing = {place.key for place in of.results.missing(of.plan)}
    done = f"{len(cells - missing)} of {len(cells)} cells are finished"
    if not missing:
        return f"{done}: {of.plan.title}, on {of.plan.data_name}."
    rows = list(dict.fromkeys(place.row for place in of.plan.places if place.key in missing))
    more = f" and {len(rows) - _NAMED} more rows" if len(rows) > _NAMED else ""
    return (
        f"{done}; missing: {', '.join(rows[:_NAMED])}{more}. Everything below is of what is there."
    )


def unfinished_words(of: Material) -> str:
    """Say how many trainings kept their last allowed epoch and may not have converged.

    Such rows compare budgets, not methods.
    """
    records = [of.results.records[place.key] for place in of.trained()]
    cut = sum(
        any(stage["epoch"] >= record["spec"]["train"]["epochs"] for stage in record["stages"])
        for record in records
    )
    if not cut:
        return ""
    stages = {len(record["stages"]) for record in records}
    more = ""
    if 1 in stages and max(stages) > 1:
        more = " A model of two stages had up to twice the epochs of one that has a single stage."
    return (
        f"{cut} of {len(records)} trainings kept the last epoch that they were allowed: they may "
        f"not have converged.{more}"
    )
