"""Means, spreads of seeds and bootstrap intervals of the raw tables."""
from collections import defaultdict
from statistics import mean, stdev

import numpy

RESAMPLES = 2000
RESAMPLING_SEED = 1


def groups(rows):
    """Dice by site and class, and then by case; undefined ones (both masks empty) left out."""
    found = defaultdict(dict)
    for row in rows:
        if row["dice"]:
            found[row["site"], row["class"]][row["case"]] = float(row["dice"])
    return found


def dice_of_cell(rows):
    """The mean of sites and classes of the means over cases."""
    return mean(mean(cases.values()) for cases in groups(rows).values())


def interval(cells):
    """The 95 % bootstrap interval of the mean Dice over cases, seeds averaged first.

    Cases are drawn anew within each site; a drawn case brings all its classes.
    """
    by_case = defaultdict(lambda: defaultdict(list))
    for rows in cells:
        for (site, label), cases in groups(rows).items():
            for case, dice in cases.items():
                by_case[site, label][case].append(dice)
    values = {group: {case: mean(each) for case, each in cases.items()} for group, cases in by_case.items()}
    members = {site: sorted({case for (other, _), cases in values.items() if other == site for case in cases})
               for site in {site for site, _ in values}}
    draw = numpy.random.default_rng(RESAMPLING_SEED)
    means = []
    for _ in range(RESAMPLES):
        drawn = {site: draw.integers(len(cases), size=len(cases)) for site, cases in sorted(members.items())}
        resampled = []
        for (site, _), cases in values.items():
            chosen = [cases[members[site][index]] for index in drawn[site] if members[site][index] in cases]
            if chosen:
                resampled.append(mean(chosen))
        means.append(mean(resampled))
    return tuple(numpy.percentile(means, (2.5, 97.5)))


class Summary:
    """What is known of one contestant on one data set with one budget."""

    def __init__(self, cells, costs):
        dice = [dice_of_cell(rows) for rows in cells]
        self.seeds, self.mean, self.spread = len(dice), mean(dice), stdev(dice) if len(dice) > 1 else None
        self.low, self.high = interval(cells)
        self.training = mean(float(cost["training_seconds"]) for cost in costs)
        self.inference = mean(float(cost["inference_seconds"]) / int(cost["cases"]) for cost in costs)
        self.memory = max(int(cost["training_megabytes"]) for cost in costs)
        self.preparation = mean(float(cost["preparation_seconds"]) for cost in costs)
        self.iterations, self.notes = costs[0]["iterations"], costs[0]["notes"]
        self.cases = int(costs[0]["cases"])


def summaries(scores, costs):
    """A Summary for each data set, contestant and budget."""
    rows, paid = defaultdict(list), defaultdict(list)
    for row in scores:
        rows[row["data"], row["contestant"], int(row["budget"]), row["seed"]].append(row)
    for cost in costs:
        paid[cost["data"], cost["contestant"], int(cost["budget"])].append(cost)
    return {cell: Summary([rows[(*cell, cost["seed"])] for cost in each], each) for cell, each in paid.items()}
