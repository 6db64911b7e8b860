"""The generator of corrections at length: mistakes of `match` by family of correction.

    python -m bench.corrections --cases 10000 --seed 1 [--show 3]

Takes real lists where they lie beside this project, and invented ones, corrects them as the tests do
(`tests/monitor/generated.py`), takes the corrections back in a third publication, and prints how many cases and which
mistakes each family gave. Families in brackets correct two telling fields at once: measured, and no promise.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable

from hypothesis import HealthCheck, Phase, given, seed, settings

from monitor.matching.matcher import match
from monitor.model import ListName
from tests.monitor.corrections import ALL_FAMILIES, MEASURED
from tests.monitor.generated import Plan, build, invented_base, judge, plans, real_bases, taken_back, words_of

_KINDS = ("false term.", "false new", "missed left", "missed new", "crossed")


def main() -> int:
    """Exit 0 where no case went wrong, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--show", type=int, default=3, metavar="N", help="examples of each family's mistakes (3)")
    parser.add_argument("--participating", type=int, default=12, metavar="N", help="real lists to start from (12)")
    parser.add_argument("--pending", type=int, default=6, metavar="N", help="real pending lists to start from (6)")
    options = parser.parse_args()

    bases = real_bases(options.participating, options.pending)
    bases += (invented_base(), invented_base(ListName.PENDING, 60))
    cases: Counter[str] = Counter()
    corrected: Counter[str] = Counter()
    mistaken: dict[str, Counter[str]] = {}
    shown: dict[str, list[str]] = {}
    matching = 0.0

    def run(plan: Plan) -> None:
        nonlocal matching
        case = build(plan)
        begin = time.perf_counter()
        found = match(case.old, case.new)
        matching += time.perf_counter() - begin
        mistakes = judge(case, found)
        if not mistakes:
            back = taken_back(case, found)
            mistakes = judge(back, match(back.old, back.new))
        cases[plan.family] += 1
        corrected[plan.family] += case.corrected
        mistaken.setdefault(plan.family, Counter()).update(
            {kind: len(wrong) for kind, wrong in zip(_KINDS, mistakes.all(), strict=True)}
        )
        if mistakes:
            shown.setdefault(plan.family, []).append(f"{plan}\n      " + "\n      ".join([*words_of(mistakes)][:6]))

    drawn = settings(
        max_examples=-(-options.cases // len(ALL_FAMILIES)),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for family in (*ALL_FAMILIES, *MEASURED):
        drawn(seed(f"{options.seed} {family}")(given(plans(bases, [family]))(run)))()
    print(f"{sum(cases.values()):,} cases on {len(bases)} lists, {sum(corrected.values()):,} rows corrected,", end=" ")
    print(f"match {matching / sum(cases.values()) * 1000:.1f} ms a case, seed {options.seed}\n")
    print(f"{'family':38} {'cases':>6} {'rows':>8}" + "".join(f"{kind:>13}" for kind in _KINDS))

    def line(name: str, families: Iterable[str]) -> int:
        """Print the figures of some families together; how many mistakes there were."""
        total = sum((Counter(mistaken[family]) for family in families), Counter())
        counts = "".join(f"{total[kind]:>13}" for kind in _KINDS)
        print(f"{name:38} {sum(cases[f] for f in families):>6} {sum(corrected[f] for f in families):>8}{counts}")
        return total.total()

    for family in sorted(cases):
        line(f"({family})" if family in MEASURED else family, [family])
    wrong = line("in all, without those in brackets", ALL_FAMILIES)
    for family, examples in sorted(shown.items()):
        for example in examples[: options.show]:
            print(f"\n{family}: {example}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
