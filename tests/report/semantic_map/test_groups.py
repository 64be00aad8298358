from __future__ import annotations

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.describe import make_semantics, matrices_of
from solidrec.report.semantic_map.groups import Group, _apart_from_centroid, groups_of
from solidrec.semantics.fuse import Fused, fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import SemanticsSpec


def test_the_most_central_items_are_the_nearest_to_the_centroid(data: PreparedData) -> None:
    opened, ids = make_semantics(data.path, SemanticsSpec(clusters=5))
    matrices = matrices_of(opened, ids)
    fused = fuse([matrices[name] for name in ids.modalities])
    found = groups_of(opened, ids, fused, matrices)
    assert sorted(group.number for group in found) == [1, 2, 3, 4, 5]
    assert [len(group.members) for group in found] == sorted(
        (len(group.members) for group in found), reverse=True
    )
    for group in found:
        members = [item for item in range(1, 41) if ids.of_item[item] == group.number]
        far = {
            item: float(((fused.vectors[item - 1] - ids.centroids[group.number - 1]) ** 2).sum())
            for item in members
        }
        assert group.members.tolist() == members
        assert [far[item] for item in group.central.tolist()] == pytest.approx(sorted(far.values()))
        assert group.trained == sum(int(opened.train_counts[item]) for item in members)
        assert (group.driver, group.following) == (None, 0)


def test_distance_counts_the_modalities_that_an_item_has() -> None:
    fused = Fused(
        np.array([[1.0, 2], [1, 0], [0, 0]]), np.array([[1.0, 1], [1, 0], [0, 0]]), (1, 1)
    )
    codes, centroids = np.array([[0], [1], [1], [1]]), np.array([[0.5, 1.0]])
    ids = SemanticIds(codes, centroids, (), "kmeans", ("text",), 0, "a test")
    assert _apart_from_centroid(ids, fused).tolist() == [(0.25 + 1) / 5, 0.25 / 1, np.inf]


def test_codes_that_follow_and_the_modality_that_drives_are_told(data: PreparedData) -> None:
    opened, ids = make_semantics(
        data.path,
        SemanticsSpec(method="kmeans", modalities=("content", "text"), clusters=4, levels=2),
    )
    matrices = matrices_of(opened, ids)
    found: list[Group] = groups_of(
        opened, ids, fuse([matrices[name] for name in ids.modalities]), matrices
    )
    for group in found:
        assert group.following == len(
            {tuple(ids.codes[item, 1:]) for item in group.members.tolist()}
        )
        assert group.driver in ("content", "text", None)
