"""Kill trainings at random times and compare their final bytes with an uninterrupted one's.

    python tests/kills/random_kills.py DATA OUT --kills 200 --model solid-duet --epochs 4

DATA is a folder of `solidrec prepare`. Each training is started again by the same command until it
ends, then compared and begun anew. Prints one line a training and a last one with the counts; the
exit code is 1 if any bytes differ or anything is left over.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LITTER = (".tmp-", ".old-", ".lock", "checkpoints")
OF_THE_CLOCK = {"manifest.json", "history.jsonl"}
"""Files that hold seconds, beside what is compared."""


def tree(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a run folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in OF_THE_CLOCK
    }


def left_over(folder: Path) -> list[str]:
    """Return what a finished training should have removed, in its folder and beside it."""
    paths = [*folder.rglob("*"), *folder.parent.glob(".*")]
    return [str(path) for path in paths if any(part in path.name for part in LITTER)]


def main() -> None:
    """Train once undisturbed, then kill and resume until enough were killed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the times of the kills")
    options, words = parser.parse_known_args()
    rng = random.Random(options.seed)
    command = [sys.executable, "-m", "solidrec", "train", str(options.data), *words, "--out"]

    started = time.monotonic()
    subprocess.run([*command, str(options.out / "whole")], check=True, capture_output=True)
    whole, expected = time.monotonic() - started, tree(options.out / "whole")
    kills = different = trained = 0
    while kills < options.kills:
        folder, own = options.out / "killed", 0
        while True:
            process = subprocess.Popen(
                [*command, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                code = process.wait(timeout=rng.uniform(0.1, 0.9) * whole)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                code = process.wait()
            if code != -signal.SIGKILL:
                break
            own += 1
        found, litter = tree(folder), left_over(folder)
        other = sorted(name for name, _ in expected.items() ^ found.items())
        kills, trained = kills + own, trained + 1
        different += bool(code or other or litter)
        print(f"{own} kills, exit {code}, different {other}, left over {litter}", flush=True)
        shutil.rmtree(folder)
    print(f"{kills} kills in {trained} trainings of {whole:.0f} s: {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
