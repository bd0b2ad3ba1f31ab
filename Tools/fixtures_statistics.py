#!/usr/bin/env python3
"""Makes Tests/Fixtures/statistics: what scipy, statsmodels and numpy say of paired differences, p-values and a table.

Needs scipy 1.17 and statsmodels.
"""
import csv
import json
import pathlib
from collections import defaultdict

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "statistics"


def samples(generator):
    """Differences by name. Those with ties are multiples of 1/64, so that equal ones are equal to the bit."""
    normal = lambda n, shift=0.0: generator.normal(shift, 1, n)
    steps = lambda n, width: generator.integers(-width, width + 1, n) / 64
    for n in list(range(1, 11)) + [13, 14, 25, 49, 50, 51, 60]:
        yield f"distinct {n}", normal(n, 0.3)
    for n in list(range(1, 11)) + [12, 13, 14, 25, 50, 51, 60]:
        values = steps(n, 3)
        yield f"ties and zeros {n}", values if values.any() else values + 1 / 64
    for n in [3, 7, 13, 14, 25, 50, 60]:
        values = steps(n, 4)
        yield f"ties without zeros {n}", np.where(values == 0, 5 / 64, values)
    for n in [5, 13, 14, 50, 51]:
        values = normal(n, 0.4)
        values[n // 2] = 0
        yield f"one zero {n}", values
    for n in [1, 2, 5, 6, 13, 14, 25, 60]:
        yield f"all equal {n}", np.full(n, 0.25)
    for n in [2, 4, 6, 12, 14, 26, 60]:
        pairs = normal(n // 2)
        yield f"opposite signs {n}", np.concatenate([pairs, -pairs])
    for n in [6, 13, 25, 50, 60]:
        yield f"all positive {n}", np.abs(normal(n)) + 0.01
    for n in [2, 5, 13]:  # scipy refuses one zero, and gives NaN for more than 13
        yield f"all zero {n}", np.zeros(n)


def wilcoxon():
    for name, values in samples(np.random.default_rng(11)):
        with np.errstate(invalid="ignore"):  # scipy computes z, which it does not use, of zeros too
            result = stats.wilcoxon(values)
        assert np.isfinite(result.pvalue), name
        yield {
            "name": name,
            "differences": values.tolist(),
            "statistic": float(result.statistic),
            "pValue": float(result.pvalue),
        }


def holm():
    generator = np.random.default_rng(12)
    families = [generator.uniform(0, 0.2, n).tolist() for n in [1, 2, 3, 5, 8, 20]]
    families += [[0.01, 0.01, 0.04, 0.04], [0.03, 0.02, 0.02], [0.9, 0.8, 1.0], [0.001, 0.5, 0.5, 0.0005]]
    for p in families:
        yield {"pValues": p, "adjusted": multipletests(p, method="holm")[1].tolist()}


def bootstrap():
    """Intervals of 200,000 resamples, each stratum resampled by itself, and the standard error of the mean."""
    generator = np.random.default_rng(13)
    for name, sizes, shift in [("one stratum", [30], 0), ("three strata", [20, 5, 11], 2), ("one of one", [12, 1], 1)]:
        strata = [generator.gamma(2, 0.02, n) + shift * 0.05 * i for i, n in enumerate(sizes)]
        count = sum(sizes)
        mean = lambda *parts, axis: sum(part.sum(axis=axis) for part in parts) / count
        result = stats.bootstrap(
            [s for s in strata if len(s) > 1],
            lambda *parts, axis: mean(*parts, axis=axis) + sum(s[0] for s in strata if len(s) == 1) / count,
            n_resamples=200_000, vectorized=True, paired=False, method="percentile", batch=10_000,
            rng=np.random.default_rng(14))
        yield {
            "name": name,
            "strata": [s.tolist() for s in strata],
            "lower": float(result.confidence_interval.low),
            "upper": float(result.confidence_interval.high),
            "standardError": float(result.standard_error),
        }


HEADER = ["method", "fold", "seed", "train_sites", "test_site", "case", "class", "pass", "metric", "value", "outcome"]


def results(generator):
    """Rows of a leave-one-site-out experiment: three methods, two seeds, two classes; some misses and empties."""
    sites = {"A": 9, "B": 6, "C": 4}
    shift = {"A": 0.0, "B": -0.05, "C": -0.2}
    for method, passes, gain in [("bn", ["first"], 0.0), ("dual", ["first", "final"], 0.03), ("in", ["first"], 0.01)]:
        for seed in [1, 2]:
            for site, count in sites.items():
                train = "+".join(s for s in sites if s != site)
                for case in range(1, count + 1):
                    if method == "in" and site == "B" and case == 2:
                        continue  # never scored
                    for structure in ["liver", "spleen"]:
                        for name in passes:
                            draw = generator.uniform()
                            outcome = "miss" if draw < 0.05 else "bothEmpty" if draw > 0.95 else "found"
                            dice = round(float(np.clip(generator.normal(0.8 + shift[site] + gain, 0.05), 0, 1)), 6)
                            dice = {"miss": 0.0, "bothEmpty": None, "found": dice}[outcome]
                            assd = round(float(generator.gamma(3, 0.4)), 6) if outcome == "found" else None
                            for metric, value in [("dice", dice), ("assd_mm", assd)]:
                                yield [method, f"not-{site}", seed, train, site, f"Case{case}", structure, name,
                                       metric, value, outcome]


def spread(values):
    values = [v for v in values if v is not None]
    return {
        "count": len(values),
        "mean": float(np.mean(values)) if values else None,
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
    }


def mean(values):
    values = [v for v in values if v is not None]
    return float(np.mean(values)) if values else None


def arm(rows):
    """Means and spreads of the rows of one method, pass and metric; and the cases' values."""
    seeds = sorted({r[2] for r in rows})
    cases = sorted({(r[4], r[5]) for r in rows})
    by_seed = {
        s: {c: mean([r[9] for r in rows if r[2] == s and (r[4], r[5]) == c]) for c in cases} for s in seeds}
    values = {c: mean([by_seed[s][c] for s in seeds]) for c in cases}
    sites = sorted({c[0] for c in cases})
    of_site = lambda table, site: [v for c, v in table.items() if c[0] == site]
    summary = {
        "sites": {
            site: {
                "overCases": spread(of_site(values, site)),
                "betweenSeeds": spread([mean(of_site(by_seed[s], site)) for s in seeds]),
            } for site in sites},
        "meanOfSites": {
            "overCases": spread([mean(of_site(values, site)) for site in sites]),
            "betweenSeeds": spread([mean([mean(of_site(by_seed[s], site)) for site in sites]) for s in seeds]),
        },
        "allCases": {
            "overCases": spread(values.values()),
            "betweenSeeds": spread([mean(by_seed[s].values()) for s in seeds]),
        },
        "misses": sum(r[10] == "miss" for r in rows),
    }
    return summary, values


def table():
    """Writes results.csv; returns what is expected of it for both metrics, compared with bn."""
    rows = list(results(np.random.default_rng(15)))
    with open(ROOT / "results.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(["" if field is None else repr(field) if isinstance(field, float) else field for field in row]
                         for row in np.random.default_rng(16).permutation(np.array(rows, dtype=object)).tolist())
    expected = {}
    for metric in ["dice", "assd_mm"]:
        groups = defaultdict(list)
        for row in rows:
            if row[8] == metric:
                groups[row[0] + "/" + row[7]].append(row)
        arms = {name: arm(group) for name, group in groups.items()}
        comparisons = {}
        for name, (_, values) in arms.items():
            if name == "bn/first":
                continue
            base = arms["bn/first"][1]
            pairs = [values[c] - base[c] for c in values if values[c] is not None and base.get(c) is not None]
            comparisons[name] = {
                "pairs": len(pairs),
                "unpaired": len(set(values) | set(base)) - len(pairs),
                "meanDifference": float(np.mean(pairs)),
                "pValue": float(stats.wilcoxon(np.round(pairs, 10)).pvalue),
            }
        adjusted = multipletests([c["pValue"] for c in comparisons.values()], method="holm")[1]
        for comparison, p in zip(comparisons.values(), adjusted):
            comparison["adjustedP"] = float(p)
        expected[metric] = {"arms": {name: summary for name, (summary, _) in arms.items()}, "comparisons": comparisons}
    return expected


def main():
    ROOT.mkdir(parents=True, exist_ok=True)
    fixtures = {"wilcoxon": list(wilcoxon()), "holm": list(holm()), "bootstrap": list(bootstrap()), "table": table()}
    text = json.dumps(fixtures, separators=(",", ":")).replace('},{"', '},\n{"')
    (ROOT / "statistics.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
