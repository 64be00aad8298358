"""The families of files that can be read, and the data sets with known published counts."""

from __future__ import annotations

from solidrec.data.datasets import amazon2014, amazon2018, amazon2023, douban, movielens, recbole
from solidrec.data.datasets.published import Counts, Dataset
from solidrec.data.datasets.raw import Format

FORMATS: dict[str, Format] = {
    "amazon-2014": amazon2014.FORMAT,
    "amazon-2018": amazon2018.FORMAT,
    "amazon-2023": amazon2023.FORMAT,
    "douban": douban.FORMAT,
    "movielens": movielens.FORMAT,
    "recbole": recbole.FORMAT,
}

_GROUPLENS = "GroupLens, rated items"
_MOVIELENS = "https://grouplens.org/datasets/movielens/"
_SOLID = "SOLID, Table 6"
_FIVE_CORE_2018 = (
    "fewer rows than the 5-core file has: filtered further by those who released the set, "
    "MISSRec (Wang et al. 2023)"
)
_RATINGS_2014 = "the counts of the ratings-only file, unfiltered"
_DGREC = "https://github.com/DeepGraphLearning/RecommenderSystems"
_DTCDR = "https://github.com/FengZhu-Joey/GA-DTCDR"
AMAZON_2014, AMAZON_2018 = amazon2014.FORMAT.address, amazon2018.FORMAT.address

# If several data sets have the same file, the first one is recognised.
DATASETS: dict[str, Dataset] = {
    "movielens-100k": Dataset(
        "movielens",
        ("u.data", "ml-100k.inter"),
        Counts(943, 1_682, 100_000),
        _GROUPLENS,
        _MOVIELENS + "100k/",
    ),
    "movielens-1m": Dataset(
        "movielens",
        ("ml-1m/ratings.dat", "ml-1m.inter"),
        Counts(6_040, 3_706, 1_000_209),
        _GROUPLENS,
        _MOVIELENS + "1m/",
    ),
    "movielens-10m": Dataset(
        "movielens",
        ("ml-10M100K/ratings.dat", "ml-10m.inter"),
        Counts(69_878, 10_677, 10_000_054),
        _GROUPLENS,
        _MOVIELENS + "10m/",
    ),
    "movielens-20m": Dataset(
        "movielens",
        ("ml-20m/ratings.csv", "ml-20m.inter"),
        Counts(138_493, 26_744, 20_000_263),
        _GROUPLENS,
        _MOVIELENS + "20m/",
    ),
    "movielens-25m": Dataset(
        "movielens",
        ("ml-25m/ratings.csv",),
        Counts(162_541, 59_047, 25_000_095),
        _GROUPLENS,
        _MOVIELENS + "25m/",
    ),
    "movielens-32m": Dataset(
        "movielens",
        ("ml-32m/ratings.csv",),
        Counts(200_948, 84_432, 32_000_204),
        _GROUPLENS,
        _MOVIELENS + "32m/",
    ),
    "paper-arts": Dataset(
        "amazon-2018",
        ("Arts_Crafts_and_Sewing_5.json", "Arts_Crafts_and_Sewing.csv"),
        Counts(45_486, 21_019, 395_150),
        _SOLID,
        AMAZON_2018,
        _FIVE_CORE_2018,
    ),
    "paper-office": Dataset(
        "amazon-2018",
        ("Office_Products_5.json", "Office_Products.csv"),
        Counts(87_436, 25_986, 684_837),
        _SOLID,
        AMAZON_2018,
        _FIVE_CORE_2018,
    ),
    "paper-instruments": Dataset(
        "amazon-2018",
        ("Musical_Instruments_5.json", "Musical_Instruments.csv"),
        Counts(24_962, 9_964, 208_926),
        _SOLID,
        AMAZON_2018,
        _FIVE_CORE_2018,
    ),
    "paper-scientific": Dataset(
        "amazon-2018",
        ("Industrial_and_Scientific_5.json", "Industrial_and_Scientific.csv"),
        Counts(8_442, 4_385, 59_427),
        _SOLID,
        AMAZON_2018,
        _FIVE_CORE_2018,
    ),
    "paper-cds": Dataset(
        "amazon-2014",
        ("ratings_CDs_and_Vinyl.csv",),
        Counts(1_578_597, 486_360, 3_749_004),
        _SOLID,
        AMAZON_2014,
        _RATINGS_2014,
    ),
    "paper-electronic": Dataset(
        "amazon-2014",
        ("ratings_Electronics.csv",),
        Counts(4_201_696, 476_002, 7_824_482),
        _SOLID,
        AMAZON_2014,
        _RATINGS_2014,
    ),
    "douban-book": Dataset(
        "douban",
        ("douban_book.tsv",),
        Counts(46_548, 212_995, 1_908_081),
        "DGRec, Song et al. 2019",
        _DGREC,
        "the SOLID paper's Book, paper-book, is this set",
    ),
    "douban-music": Dataset(
        "douban",
        ("douban_music.tsv",),
        Counts(39_742, 164_223, 1_792_501),
        "DGRec, Song et al. 2019",
        _DGREC,
        "the SOLID paper's Music, paper-music, is this set",
    ),
    "paper-book": Dataset(
        "douban",
        ("douban_book.tsv",),
        Counts(46_549, 212_996, 1_861_533),
        _SOLID,
        _DGREC,
        "douban-book with one user and one item more, as if padding counted, "
        "and 46,548 rows less, one a user",
    ),
    "paper-music": Dataset(
        "douban",
        ("douban_music.tsv",),
        Counts(39_743, 164_224, 1_792_502),
        _SOLID,
        _DGREC,
        "douban-music with one more of everything, as if padding counted",
    ),
    "dtcdr-book": Dataset(
        "douban",
        ("douban_book/ratings.dat",),
        Counts(2_110, 6_777, 96_041),
        "DTCDR, Zhu et al. 2019",
        _DTCDR,
    ),
    "dtcdr-music": Dataset(
        "douban",
        ("douban_music/ratings.dat",),
        Counts(1_672, 5_567, 69_709),
        "DTCDR, Zhu et al. 2019",
        _DTCDR,
    ),
    "amazon-2014-beauty": Dataset(
        "amazon-2014",
        ("reviews_Beauty_5.json",),
        Counts(22_363, 12_101, 198_502),
        "the 5-core file",
        AMAZON_2014,
    ),
    "amazon-2014-office": Dataset(
        "amazon-2014",
        ("reviews_Office_Products_5.json",),
        Counts(4_905, 2_420, 53_258),
        "the 5-core file",
        AMAZON_2014,
    ),
}
