"""Draws Dice against processor time."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

# One colour a program; dashes tell volumes from slices, and hollow marks dual norms.
COLOURS = {"nnunet": "#d55e00", "dynunet": "#0072b2", "dualnorm": "#009e73"}


def style(name):
    return {"color": COLOURS[name.split("-")[0]], "linestyle": "--" if "3d" in name else "-", "marker": "o",
            "markerfacecolor": "white" if name.endswith("dual") else COLOURS[name.split("-")[0]]}


def draw(found, order, path):
    """A panel for each data set; bars are standard deviations between seeds."""
    names = sorted({data for data, _, _ in found})
    figure, panels = pyplot.subplots(1, len(names), figsize=(4.5 * len(names), 4), squeeze=False)
    for panel, data in zip(panels[0], names):
        for contestant in order:
            budgets = sorted(budget for other, name, budget in found if (other, name) == (data, contestant))
            cells = [found[data, contestant, budget] for budget in budgets]
            if cells:
                panel.errorbar([budget / 60 for budget in budgets], [cell.mean for cell in cells],
                               [cell.spread or 0 for cell in cells], label=contestant, capsize=2, **style(contestant))
        panel.set(title=data, xscale="log", xlabel="processor minutes of training", ylabel="Dice")
        ticks = sorted({budget / 60 for other, _, budget in found if other == data})
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0][-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
