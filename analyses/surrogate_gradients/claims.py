"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.surrogate_gradients import protocols
from neurocode.studies import Claim, mean_interval, study_table, verdict_of

FIXED = Path(__file__).with_name("claims.toml")
KINDS = ["shape", "height"]
TEN = 10
#: Test accuracy from which on networks count as accurate.
ACCURATE = 0.9
#: Places of a break that are tried, and bootstrap samples.
PLACES, SAMPLES = 200, 200

Tables = dict[str, pd.DataFrame]
Judge = Callable[[Tables, float, float], tuple[np.ndarray | float, bool | None]]


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim that the tables can judge; one with a printed value holds where ours lies within the bound of it.

    A claim whose statistic has too few rows is left out, and one from tables of the quick protocol is "not comparable".
    """
    fixed = tomllib.loads(FIXED.read_text(encoding="utf-8"))
    chance = fixed.pop("chance")
    tables = {path.stem: _longest(study_table(path)) for path in sorted(folder.glob("*.parquet"))}
    tables = {name: table for name, table in tables.items() if _is_complete(name, table)}
    found = []
    for name, entry in fixed.items():
        needs, judge = JUDGES[name]
        if not all(need in tables for need in needs):
            continue
        values, holds = judge(tables, chance, entry["bound"])
        values = np.atleast_1d(values)
        if not len(values) or not np.isfinite(values).all():
            continue
        if "paper_value" in entry:
            holds = abs(np.mean(values) - entry["paper_value"]) < entry["bound"]
        quick = any(protocol_of(tables[need]) == "quick" for need in needs)
        found.append(_claim(entry, values, "not comparable" if quick else verdict_of(holds)))
    return found


def protocol_of(table: pd.DataFrame) -> str:
    """The protocol whose number of epochs the rows of a table have."""
    (protocol,) = (name for name, epochs in protocols.EPOCHS.items() if epochs == table["epochs"].iloc[0])
    return protocol


def _longest(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the protocol with the most epochs, without failed ones."""
    table = table[table["error"].isna()]
    return table[table["epochs"] == table["epochs"].max()] if len(table) else table


def _is_complete(name: str, table: pd.DataFrame) -> bool:
    """Whether no row of the protocol is missing: a stopped run leaves a table that settles nothing."""
    return len(table) > 0 and len(table) >= protocols.n_rows(name, protocol_of(table))


def _claim(entry: dict[str, object], values: np.ndarray, verdict: str) -> Claim:
    text = f"{entry['claim']} ({entry['statistic']})"
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    if spread is not None:
        low, high = mean_interval(values)
        text += f" [95 % interval {low:.3g} to {high:.3g}]"
    printed = "" if "paper_value" not in entry else str(entry["paper_value"])
    return Claim(text, str(entry["source"]), printed, float(values.mean()), spread, len(values), verdict)


def _at_best_beta(table: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy by seed (rows) of every shape (columns), at the beta best on validation."""
    validation = table.groupby([*KINDS, "beta"])["validation_score"].mean()
    best = pd.DataFrame(list(validation.groupby(KINDS).idxmax()), columns=[*KINDS, "beta"])
    return table.merge(best).pivot(index="seed", columns=KINDS, values="test_score")


def _largest_difference(accuracies: pd.DataFrame) -> np.ndarray:
    """By seed, the shape that is best on average minus the one that is worst."""
    means = accuracies.mean()
    return (accuracies[means.idxmax()] - accuracies[means.idxmin()]).to_numpy()


def _shape(table: str) -> Judge:
    def judge(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
        values = _largest_difference(_at_best_beta(tables[table]))
        return values, values.mean() < bound

    return judge


def _ten_best(table: pd.DataFrame) -> pd.Series:
    return table.groupby(KINDS)["test_score"].apply(lambda scores: scores.nlargest(TEN).mean())


def _shape_ten_best(tables: Tables, chance: float, bound: float) -> tuple[float, bool]:
    best = _ten_best(tables["grid"])
    return best.max() - best.min(), best.max() - best.min() < bound


def _attached_ten_best(tables: Tables, chance: float, bound: float) -> tuple[float, None]:
    return float(_ten_best(tables["attached_grid"]).iloc[0]), None


def _scale(name: str) -> Judge:
    def judge(tables: Tables, chance: float, bound: float) -> tuple[float, bool]:
        table = tables[name]
        means = table[table["beta"].between(1, 100)].groupby([*KINDS, "beta"])["test_score"].mean()
        worst = (means.groupby(KINDS).max() - means.groupby(KINDS).min()).max()
        return worst, worst < bound

    return judge


def _constant(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
    control = tables["controls"]
    control = control[(control["shape"] == "constant") & (control["gain"] == 1.0)]
    best = control.groupby("rate")["validation_score"].mean().idxmax()
    shapes = _at_best_beta(tables["repeats"])
    values = shapes[shapes.mean().idxmin()] - control[control["rate"] == best].set_index("seed")["test_score"]
    return values.dropna().to_numpy(), values.mean() > bound


def _zero_silent(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
    control = tables["controls"]
    values = control.loc[(control["shape"] == "zero") & (control["gain"] == 1.0), "test_score"].to_numpy()
    return values, _at_chance(values, chance, tables["controls"])


def _zero_firing(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
    firing = tables["controls"][tables["controls"]["gain"] > 1.0]
    scores = firing[firing["shape"] != "constant"].pivot(index="seed", columns="shape", values="test_score")
    values = (scores["superspike"] - scores["zero"]).to_numpy()
    return values, values.mean() > bound


def _at_chance(values: np.ndarray, chance: float, table: pd.DataFrame) -> bool:
    """Within two standard errors of chance: of the mean over seeds, or of the test part where that is larger.

    A test part is a tenth of ten classes: as many sequences as there are samples of a class.
    """
    tested = table["samples"].iloc[0] * len(values)
    error = max(np.sqrt(chance * (1 - chance) / tested), values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0)
    return bool(abs(values.mean() - chance) < 2 * error)


def _lost_by_reset(table: pd.DataFrame, asymptotic: bool) -> pd.DataFrame:
    """Detached minus attached test accuracy, by depth, beta and seed."""
    own = table[table["asymptotic"] == asymptotic]
    scores = own.pivot(index=["depth", "beta", "seed"], columns="reset_gradient", values="test_score")
    return (scores[False] - scores[True]).rename("lost").reset_index()


def _reset_normalised(name: str) -> Judge:
    def judge(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
        lost = _lost_by_reset(tables[name], False)
        depth, beta = lost.groupby(["depth", "beta"])["lost"].mean().idxmax()
        values = lost.loc[(lost["depth"] == depth) & (lost["beta"] == beta), "lost"].to_numpy()
        return values, values.mean() < bound

    return judge


def _reset_asymptotic(name: str) -> Judge:
    def judge(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
        lost = _lost_by_reset(tables[name], True).groupby(["depth", "seed"])["lost"].mean().unstack("depth")
        values = (lost[lost.columns.max()] - lost[lost.columns.min()]).to_numpy()
        low = mean_interval(values)[0] if len(values) > 1 else values.mean()
        return values, low > bound

    return judge


def _recurrent(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
    own = tables["loops"]
    own = own[own["asymptotic"] & (own["recurrent"] == "gradient")]
    worst = own.groupby("beta")["test_score"].mean().idxmin()
    values = own.loc[own["beta"] == worst, "test_score"].to_numpy()
    return values, _at_chance(values, chance, own)


def fit_broken_line(table: pd.DataFrame) -> tuple[float, float, float]:
    """Place, slope below and slope above of test accuracy against the decimal logarithm of spikes per neuron and trial.

    Least squares; the place is sought on a grid between the third lowest and the third highest activity. NaN where there are
    fewer than five activities.
    """
    own = table[table["spikes"] > 0]
    x, y = np.log10(own["spikes"].to_numpy()), own["test_score"].to_numpy()
    inner = np.sort(np.unique(x))[2:-2]
    if not len(inner):
        return float("nan"), float("nan"), float("nan")
    places = np.linspace(inner[0], inner[-1], PLACES)
    beyond = x - places[:, None]
    design = np.stack([np.ones_like(beyond), np.minimum(beyond, 0), np.maximum(beyond, 0)], axis=2)
    basis, triangle = np.linalg.qr(design)
    projected = np.einsum("pxk,x->pk", basis, y)
    errors = np.sum((np.einsum("pxk,pk->px", basis, projected) - y) ** 2, axis=1)
    best = int(np.argmin(errors))
    _, below, above = np.linalg.solve(triangle[best], projected[best])
    return float(places[best]), float(below), float(above)


def bootstrapped(table: pd.DataFrame) -> np.ndarray:
    """Place and slopes of the broken line for samples of rows drawn with replacement, (samples, 3)."""
    random = np.random.default_rng(0)
    return np.array([fit_broken_line(table.iloc[random.integers(0, len(table), len(table))]) for _ in range(SAMPLES)])


def write_sparse_limit(table: pd.DataFrame, path: Path) -> None:
    """Activity at which the line breaks with its 95 % interval, and the slopes per decade."""
    place, below, above = fit_broken_line(table)
    low, high = 10 ** np.quantile(bootstrapped(table)[:, 0], [0.025, 0.975])
    row = {"spikes": 10**place, "low": low, "high": high, "slope_below": below, "slope_above": above}
    pd.DataFrame([row]).to_csv(path, index=False, float_format="%.6g")


def _sparse(name: str) -> Judge:
    """Change of the slope: median over bootstrap samples, and whether nearly all lie above the bound."""

    def judge(tables: Tables, chance: float, bound: float) -> tuple[np.ndarray, bool]:
        values = bootstrapped(tables[name])
        change = values[:, 1] - values[:, 2]
        return np.median(change), float(np.quantile(change, 0.025)) > bound

    return judge


def _spiking(tables: Tables, chance: float, bound: float) -> tuple[float, bool]:
    own = tables["repeats"]
    own = own[(own["shape"] == "superspike") & (own["test_score"] >= ACCURATE)]
    if not len(own):
        return float("nan"), False
    random = np.random.default_rng(0)
    drawn = [_excess_of_complexity(own.iloc[random.integers(0, len(own), len(own))]) for _ in range(SAMPLES)]
    return _excess_of_complexity(own), float(np.quantile(drawn, 0.025)) > bound


def _excess_of_complexity(table: pd.DataFrame) -> float:
    """Rank correlation with the slope of complexity, less that of accuracy in size."""
    ranks = table[["beta", "lz_ratio", "test_score"]].rank().corr()["beta"]
    return float(abs(ranks["lz_ratio"]) - abs(ranks["test_score"]))


JUDGES: dict[str, tuple[tuple[str, ...], Judge]] = {
    "shape": (("repeats",), _shape("repeats")), "shape_ten_best": (("grid",), _shape_ten_best),
    "shape_other_spectrum": (("released_spectrum",), _shape("released_spectrum")),
    "scale_of_shapes": (("repeats",), _scale("repeats")),
    "scale_from_firing": (("firing_start",), _scale("firing_start")),
    "constant": (("repeats", "controls"), _constant), "zero_silent": (("controls",), _zero_silent),
    "zero_firing": (("controls",), _zero_firing), "reset_normalised": (("resets",), _reset_normalised("resets")),
    "reset_asymptotic": (("resets",), _reset_asymptotic("resets")),
    "reset_normalised_firing": (("firing_resets",), _reset_normalised("firing_resets")),
    "reset_asymptotic_firing": (("firing_resets",), _reset_asymptotic("firing_resets")),
     "recurrent_asymptotic": (("loops",), _recurrent),
    "sparse_limit": (("sparse",), _sparse("sparse")),
    "sparse_limit_firing": (("firing_sparse",), _sparse("firing_sparse")), "spiking": (("repeats",), _spiking),
    "ten_best_attached_asymptotic": (("attached_grid",), _attached_ten_best),
}  # fmt: skip
