"""The settings that decide how a log is prepared, frozen and checked."""

from __future__ import annotations

from typing import Literal, final

from pydantic import Field

from solidrec.spec_base import Spec


@final
class PrepareSpec(Spec):
    """Settings for turning an interaction log and an items file into a prepared folder.

    >>> PrepareSpec.parse({"split": "tyme"})
    Traceback (most recent call last):
    solidrec.errors.UsageError: setting split: unknown name 'tyme'; did you mean 'time'?
    """

    user_column: str | None = Field(None, description="default user, user_id, reviewerID")
    item_column: str | None = Field(None, description="default item, item_id, asin, parent_asin")
    items_id_column: str | None = Field(
        None, description="the id column of the items file, if it has another name there"
    )
    time_column: str | None = Field(None, description="default timestamp, time, unixReviewTime")
    position_column: str | None = Field(None, description="default position")
    rating_column: str | None = Field(None, description="default rating")
    title_column: str | None = Field(None, description="default title, name")
    category_column: str | None = Field(
        None, description="default categories, categories_flat, category, attributes, genres"
    )
    category_separator: str | None = Field(
        None, description="what splits a category string, for example |"
    )
    order: Literal["auto", "file"] = Field(
        "auto", description="by timestamp, else by position; or file: the rows are in order"
    )
    ties: Literal["input", "item"] = Field(
        "input", description="equal times: keep the order of the input, or order by item id"
    )
    duplicates: Literal["keep", "drop", "error"] = Field(
        "drop", description="the same user, item and time twice"
    )
    duplicate_items: Literal["error", "first"] = Field(
        "error", description="the same item twice in the items file"
    )
    split: Literal["leave-one-out", "time", "none"] = Field(
        "leave-one-out",
        description="what is held out: the last two events of a user, the end of the log, "
        "or nothing",
    )
    valid_fraction: float = Field(
        0.1, description="share of events in the validation period of a split by time"
    )
    test_fraction: float = Field(
        0.1, description="share of events in the test period of a split by time"
    )
    valid_from: int | None = Field(
        None, description="start of the validation period, as a time, instead of a share"
    )
    test_from: int | None = Field(
        None, description="start of the test period, as a time, instead of a share"
    )
    min_rating: float | None = Field(None, description="interactions rated lower are dropped")
    k_core: int = Field(
        0, ge=0, description="users and items with fewer interactions are dropped; 0 drops none"
    )
    feature_start: Literal[0, 1] | None = Field(
        None, description="first value of the items file's item_idx, if it cannot be told"
    )
    negatives: int = Field(
        99, ge=0, description="fixed negatives of a target in validation and test"
    )
    seed: int = Field(0, ge=0, description="of the fixed negatives")
    on_bad_row: Literal["strict", "quarantine"] = Field(
        "strict", description="strict stops; quarantine sets bad rows aside in rejected.parquet"
    )
    max_bad_fraction: float = Field(
        0.01,
        ge=0,
        le=1,
        description="with quarantine, the share of bad rows above which prepare stops",
    )
    encoding: str = Field("utf-8", description="of csv, tsv and jsonl")
