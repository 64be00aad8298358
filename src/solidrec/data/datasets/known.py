"""The families of files that can be read, and the data sets with known published counts."""

from __future__ import annotations

from solidrec.data.datasets import amazon2014, amazon2018, amazon2023, douban, movielens, recbole
from solidrec.data.datasets.published import Counts, Dataset
from solidrec.data.datasets.raw import Format
from solidrec.registry import Registry

FORMATS: Registry[Format] = Registry(
    "format",
    "solidrec.formats",
    {
        "amazon-2014": amazon2014.FORMAT,
        "amazon-2018": amazon2018.FORMAT,
        "amazon-2023": amazon2023.FORMAT,
        "douban": douban.FORMAT,
        "movielens": movielens.FORMAT,
        "recbole": recbole.FORMAT,
    },
    base="solidrec.data.datasets.raw:Format",
)
"""Every family by name; other packages add theirs by entry points or ``package.module:FORMAT``."""

AMAZON_2014, AMAZON_2018 = amazon2014.FORMAT.address, amazon2018.FORMAT.address
_SOLID = "SOLID, Table 6"
_DGREC = "https://github.com/DeepGraphLearning/RecommenderSystems"
_DTCDR = "https://github.com/FengZhu-Joey/GA-DTCDR"


def _movielens(size: str, counts: Counts, *files: str) -> Dataset:
    address = f"https://grouplens.org/datasets/movielens/{size}/"
    return Dataset("movielens", files, counts, "GroupLens, rated items", address)


def _solid_2018(category: str, counts: Counts) -> Dataset:
    note = (
        "fewer rows than the 5-core file has: filtered further by those who released the set, "
        "MISSRec (Wang et al. 2023)"
    )
    files = (f"{category}_5.json", f"{category}.csv")
    return Dataset("amazon-2018", files, counts, _SOLID, AMAZON_2018, note)


def _solid_2014(category: str, counts: Counts) -> Dataset:
    note = "the counts of the ratings-only file, unfiltered"
    return Dataset("amazon-2014", (f"ratings_{category}.csv",), counts, _SOLID, AMAZON_2014, note)


def _five_core_2014(category: str, counts: Counts) -> Dataset:
    files = (f"reviews_{category}_5.json",)
    return Dataset("amazon-2014", files, counts, "the 5-core file", AMAZON_2014)


def _dgrec(domain: str, counts: Counts) -> Dataset:
    note = f"the SOLID paper's {domain.title()}, paper-{domain}, is this set"
    files = (f"douban_{domain}.tsv",)
    return Dataset("douban", files, counts, "DGRec, Song et al. 2019", _DGREC, note)


def _solid_douban(domain: str, counts: Counts, note: str) -> Dataset:
    return Dataset("douban", (f"douban_{domain}.tsv",), counts, _SOLID, _DGREC, note)


def _dtcdr(domain: str, counts: Counts) -> Dataset:
    files = (f"douban_{domain}/ratings.dat",)
    return Dataset("douban", files, counts, "DTCDR, Zhu et al. 2019", _DTCDR)


# If several data sets have the same file, the first one is recognised.
DATASETS: dict[str, Dataset] = {
    "movielens-100k": _movielens("100k", Counts(943, 1_682, 100_000), "u.data", "ml-100k.inter"),
    "movielens-1m": _movielens(
        "1m", Counts(6_040, 3_706, 1_000_209), "ml-1m/ratings.dat", "ml-1m.inter"
    ),
    "movielens-10m": _movielens(
        "10m", Counts(69_878, 10_677, 10_000_054), "ml-10M100K/ratings.dat", "ml-10m.inter"
    ),
    "movielens-20m": _movielens(
        "20m", Counts(138_493, 26_744, 20_000_263), "ml-20m/ratings.csv", "ml-20m.inter"
    ),
    "movielens-25m": _movielens("25m", Counts(162_541, 59_047, 25_000_095), "ml-25m/ratings.csv"),
    "movielens-32m": _movielens("32m", Counts(200_948, 84_432, 32_000_204), "ml-32m/ratings.csv"),
    "paper-arts": _solid_2018("Arts_Crafts_and_Sewing", Counts(45_486, 21_019, 395_150)),
    "paper-office": _solid_2018("Office_Products", Counts(87_436, 25_986, 684_837)),
    "paper-instruments": _solid_2018("Musical_Instruments", Counts(24_962, 9_964, 208_926)),
    "paper-scientific": _solid_2018("Industrial_and_Scientific", Counts(8_442, 4_385, 59_427)),
    "paper-cds": _solid_2014("CDs_and_Vinyl", Counts(1_578_597, 486_360, 3_749_004)),
    "paper-electronic": _solid_2014("Electronics", Counts(4_201_696, 476_002, 7_824_482)),
    "douban-book": _dgrec("book", Counts(46_548, 212_995, 1_908_081)),
    "douban-music": _dgrec("music", Counts(39_742, 164_223, 1_792_501)),
    "paper-book": _solid_douban(
        "book",
        Counts(46_549, 212_996, 1_861_533),
        "douban-book with one user and one item more, as if padding counted, "
        "and 46,548 rows less, one a user",
    ),
    "paper-music": _solid_douban(
        "music",
        Counts(39_743, 164_224, 1_792_502),
        "douban-music with one more of everything, as if padding counted",
    ),
    "dtcdr-book": _dtcdr("book", Counts(2_110, 6_777, 96_041)),
    "dtcdr-music": _dtcdr("music", Counts(1_672, 5_567, 69_709)),
    "amazon-2014-beauty": _five_core_2014("Beauty", Counts(22_363, 12_101, 198_502)),
    "amazon-2014-office": _five_core_2014("Office_Products", Counts(4_905, 2_420, 53_258)),
}
