"""The source must not load code as data, lose rows silently, hide a device or name a machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "torch.load", "torch.save", "yaml.load"}
TENSORS_ALONE = (
    "torch.load",
    "weights_only",
    True,
)  # for the published weights of others, of a known sha256
METHODS = {"cuda"}  # a device is chosen in one place and passed on
ARGUMENTS = {("weights_only", False), ("allow_pickle", True), ("ignore_errors", True)}
STRINGS = {"utf8-lossy"}
PATTERNS = {"read_parquet", "scan_parquet", "read_csv", "scan_csv", "scan_ipc"}
"""Readers of polars that take a path with ``[ ] * ?`` for a pattern, but for ``glob=False``."""
TEXTS = {"", ".md", ".toml", ".txt", ".cff", ".py", ".ipynb", ".json", ".csv", ".html", ".svg"}
MACHINE_PATH = re.compile(r"(?<![\w.~<$/:-])/(?:home|root|work|mnt|Users|tmp|opt|private)/[\w.]+")


def banned(source: str) -> Iterator[str]:
    """Everything banned in a source, as ``line: what``; docstrings and comments are exempt."""
    for node in ast.walk(ast.parse(source)):
        yield from (f"{getattr(node, 'lineno', 0)}: {what}" for what in banned_here(node))


def banned_here(node: ast.AST) -> list[str]:
    """What is banned in one node of a syntax tree, without its children."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names if alias.name.split(".")[0] in MODULES]
        case ast.ImportFrom(module=str(module)):
            return [module] if module.split(".")[0] in MODULES else []
        case ast.Constant(value=str(text)):
            return [text] if text in STRINGS else []
        case ast.Call(func=func, keywords=keywords):
            name = ast.unparse(func)
            safe = any(
                (name, k.arg, getattr(k.value, "value", None)) == TENSORS_ALONE for k in keywords
            )
            found = (
                [name]
                if (name in CALLS and not safe)
                or (isinstance(func, ast.Attribute) and func.attr in METHODS)
                else []
            )
            return [
                *found,
                *(ast.unparse(k) for k in keywords if is_banned_argument(name, k)),
                *is_pattern(func, node.args, keywords),
            ]
        case _:
            return []


def is_pattern(func: ast.expr, given: list[ast.expr], keywords: list[ast.keyword]) -> list[str]:
    """A path of the user's that would be read as a pattern: in polars, or in ``Path.glob``."""
    if not isinstance(func, ast.Attribute):
        return []
    literal = any((k.arg, getattr(k.value, "value", None)) == ("glob", False) for k in keywords)
    if func.attr in PATTERNS and not literal:
        return [f"{func.attr} without glob=False"]
    if ast.unparse(func) == "glob.glob":  # `data.several` is where patterns are read as such
        return []
    if func.attr in ("glob", "rglob") and not all(map(is_ours, given)):
        return [f"{func.attr} of a name that may hold a pattern"]
    return []


def is_ours(pattern: ast.expr) -> bool:
    """A pattern that is written here: a text, with constants at most."""
    parts = pattern.values if isinstance(pattern, ast.JoinedStr) else [pattern]
    inner = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    return all(
        isinstance(part, ast.Constant) or (isinstance(part, ast.Name) and part.id.isupper())
        for part in inner
    )


def is_banned_argument(call: str, keyword: ast.keyword) -> bool:
    """A reader that skips bad rows is banned; tidying up a temporary folder is no reader."""
    value = getattr(keyword.value, "value", None)
    return (keyword.arg, value) in ARGUMENTS and call != "shutil.rmtree"


def test_the_source_does_nothing_banned(repository: Path) -> None:
    package = repository / "src" / "solidrec"
    sources = {
        path.relative_to(package): path.read_text(encoding="utf-8")
        for path in sorted(package.rglob("*.py"))
    }
    assert sources
    assert [f"{path}:{line}" for path, source in sources.items() for line in banned(source)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    from joblib import dump",
        "torch.load(path)",
        "torch.load(path, map_location='cpu')",
        "torch.save(value, path, weights_only=True)",
        "x = np.load(path, allow_pickle=True)",
        "polars.read_csv(path, glob=False, ignore_errors=True)",
        "polars.read_csv(path, glob=False, encoding='utf8-lossy')",
        "yaml.load(text)",
        "eval('1')",
        "model.eval().cuda()",
        "pl.read_parquet(path)",
        "polars.scan_parquet(path, glob=True)",
        "pl.scan_csv(path, separator=';')",
        "folder.glob(f'{name}*.npy')",
        "folder.rglob(pattern)",
    ],
)
def test_a_banned_line_is_found(source: str) -> None:
    assert len(list(banned(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "pl.read_parquet(path, glob=False)",
        "folder.glob('*.npy')",
        "folder.glob(f'*/{MANIFEST}')",
        "np.load(path, allow_pickle=False)",
        "torch.load(path, weights_only=True)",
        "shutil.rmtree(folder, ignore_errors=True)",
        '"""No pickle, no eval(text), no utf8-lossy."""',
    ],
)
def test_a_harmless_line_passes(source: str) -> None:
    assert list(banned(source)) == []


def test_no_text_names_a_path_of_a_machine(repository: Path) -> None:
    patterns = (
        "*.md",
        "*.toml",
        "*.txt",
        "*.cff",
        "Makefile",
        ".ci/*",
        "docs/**/*",
        "benchmarks/**/*",
        "src/**/*.py",
    )
    paths = sorted(
        {
            path
            for pattern in patterns
            for path in repository.glob(pattern)
            if path.is_file() and path.suffix in TEXTS
        }
    )
    assert repository / "pyproject.toml" in paths
    found = {path.name: MACHINE_PATH.findall(path.read_text(encoding="utf-8")) for path in paths}
    assert {name: hits for name, hits in found.items() if hits} == {}


@pytest.mark.parametrize(
    "text", ["see /home/ann/data", "open('/tmp/x')", "/root/.cache", "PATH=/opt/wheels"]
)
def test_a_path_of_a_machine_is_found(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text",
    ["../shared/data", "https://site.org/home/ann", "users/work/x", "~/work/data", "a/tmp/b"],
)
def test_other_paths_pass(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_one_module_reads_patterns() -> None:
    paths = (Path(__file__).parents[1] / "src").rglob("*.py")
    found = [path.name for path in paths if "\nimport glob\n" in path.read_text("utf-8")]
    assert found == ["several.py"]
