"""How often random Korean rosters touch chat that holds no name at all.

`PYTHONPATH=tests python tests/bench/random_rosters.py [--rosters N]` masks the 4,000 lines of
songys_negatives with random rosters and prints the share of rows touched, on average and at worst. The
names have two syllables, drawn from those typical of given names, and from all that given names have, whose
pairs are often everyday words. Needs the outside test data.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from garim.masking.engine import Engine
from garim.masking.open_names.lexicon import GIVEN_SYLLABLES, TYPICAL_GIVEN_SYLLABLES
from garim.masking.people import Person

LINES = Path(__file__).parents[3] / "shared" / "testdata" / "gold" / "songys_negatives.txt"
SIZES = (5, 10, 30, 100)
WELLS = {"typical": sorted(TYPICAL_GIVEN_SYLLABLES), "all": sorted(GIVEN_SYLLABLES)}


def roster(draw: random.Random, syllables: Sequence[str], size: int) -> list[str]:
    """Return `size` names of two syllables, each once."""
    names: dict[str, None] = {}
    while len(names) < size:
        names["".join(draw.choices(syllables, k=2))] = None
    return list(names)


def touched(names: Sequence[str], lines: Sequence[str]) -> tuple[float, set[str]]:
    """Return the share of lines that a roster's names touch, and what they touched."""
    found = Engine([Person(name, "", (name,)) for name in names]).find(lines)
    words = {line[f.start : f.end] for line, here in zip(lines, found, strict=True) for f in here}
    return sum(bool(here) for here in found) / len(lines), words


def main() -> None:
    """Draw, mask, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rosters", type=int, default=200, help="rosters of each size and well")
    parser.add_argument("--words", action="store_true", help="print what the worst roster touched")
    options = parser.parse_args()
    lines = LINES.read_text("utf-8").splitlines()
    for well, syllables in WELLS.items():
        for size in SIZES:
            draw = random.Random(size)
            results = [touched(roster(draw, syllables, size), lines) for _ in range(options.rosters)]
            shares = [share for share, _ in results]
            worst, words = max(results, key=lambda one: one[0])
            sys.stdout.write(
                f"{well:8} {size:4} names, {options.rosters} rosters: rows touched "
                f"{statistics.mean(shares):.4%} on average, {worst:.4%} at worst"
                f"{' ' + ' '.join(sorted(words)) if options.words else ''}\n"
            )


if __name__ == "__main__":
    main()
