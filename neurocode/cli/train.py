"""``neurocode train``: train networks of a model on a task."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import print as show

from neurocode.errors import ModelError, TrainingError
from neurocode.extras import require
from neurocode.tasks.catalogue import ROWS, maker

EPILOG = """Examples:\n\n
neurocode train digits --neuron lif-normalised --hidden 64 --epochs 20 -o out/\n\n
neurocode train ecg --data qtdb-ecg/ --neuron adlif --hidden 36 --learn tau_u \
--learn tau_w --learn a --learn b
--epochs 100 --surrogate slayer --slope 5 --height 0.5 --dropout 0.15 --clip 1.5 --rate 0.01 \
--readout 3 -o out/\n\n
neurocode train burst-sequences --neuron my_neuron.toml --hidden 128 --hidden 64 \
--feed-forward -o out/\n\n
neurocode train digits --neuron noisy-lif --surrogate density --hidden 100 \
--feed-forward --rate 0.01 -o out/\n\n
neurocode train heidelberg --data shd_train.h5 --test shd_test.h5 --hidden 128 -o out/"""
DENSITY = "density"
NETWORK = "network.bin"
CAPTION = (
    "a, loss of training and validation. b, score (share of right answers, or mean squared "
    "error); dashed: the epoch with the best validation score, whose network is tested. c, spikes "
    "per neuron and step."
)


def train_command(
    task: Annotated[str, typer.Argument(help=f"One of {', '.join(ROWS)}.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder to write into; an interrupted training there continues."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="File or folder of the task, for tasks that are read from files."),
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Test file, for heidelberg.")] = None,
    neuron: Annotated[str, typer.Option(help="Library model or model .toml.")] = "adlif",
    hidden: Annotated[
        list[int] | None, typer.Option(help="Number of neurons of a layer; repeatable.")
    ] = None,
    feed_forward: Annotated[
        bool, typer.Option("--feed-forward", help="Leave out connections within layers.")
    ] = False,
    learn: Annotated[
        list[str] | None, typer.Option(help="Intrinsic parameter to learn; repeatable.")
    ] = None,
    surrogate: Annotated[
        str,
        typer.Option(
            help="Family of the surrogate derivative; 'density' is that of the escape noise of "
            "the neuron."
        ),
    ] = "superspike",
    slope: Annotated[
        float | None, typer.Option(help="Inverse width of the surrogate derivative; 10 by default.")
    ] = None,
    height: Annotated[
        float | None, typer.Option(help="Peak of the surrogate derivative; 1 by default.")
    ] = None,
    dropout: Annotated[float, typer.Option(help="Share of spikes dropped between layers.")] = 0.0,
    readout: Annotated[float, typer.Option(help="Time constant of the readout in steps.")] = 15.0,
    epochs: Annotated[int, typer.Option(help="Number of passes over the training part.")] = 50,
    batch: Annotated[int, typer.Option(help="Number of sequences per update.")] = 64,
    rate: Annotated[float, typer.Option(help="Learning rate of Adam.")] = 1e-3,
    schedule: Annotated[
        str, typer.Option(help="Schedule of the learning rate: constant or cosine.")
    ] = "constant",
    clip: Annotated[
        float | None, typer.Option(help="Largest norm of the gradient; larger ones are clipped.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, order, dropout and noise.")] = 0,
    segment: Annotated[
        int | None,
        typer.Option(
            help="Steps between saved states: larger values take less memory and more time."
        ),
    ] = None,
    current_unit: Annotated[
        str | None,
        typer.Option(help="Input to the neuron for a weighted sum of one, in models with units."),
    ] = None,
    margin_unit: Annotated[
        str | None,
        typer.Option(help="Distance to threshold that counts as one, in models with units."),
    ] = None,
) -> None:
    """Train a network of leaky readouts on a task; test the epoch with the best validation score.

    Writes the network (network.bin, which neurocode.learning.load reads), history.csv, result.json,
    a figure and report.html. An interrupted training continues from its last epoch when the same
    command is given again.
    """
    from neurocode.cli.progress import training_progress
    from neurocode.learning import train

    require("optax")
    settings = _settings(
        hidden or [],
        seed,
        epochs=epochs,
        batch_size=batch,
        learning_rate=rate,
        schedule=schedule,
        clip=clip,
    )
    spike = _surrogate(surrogate, slope, height)
    chosen = _task(task, data, test, seed)
    options = {
        "neuron": neuron,
        "hidden": hidden or [128],
        "recurrent": not feed_forward,
        "learned": learn or [],
        "spike": spike,
        "dropout": dropout,
        "readout": readout,
        "seed": seed,
        "segment": segment,
        "current_unit": current_unit,
        "margin_unit": margin_unit,
    }
    network = _network(chosen, **options)
    scratch = output / "training"
    with training_progress(epochs) as progress:
        result = train(
            network, chosen, seed=seed, settings=settings, folder=scratch, progress=progress
        )
    request = {
        "task": task,
        **options,
        "spike": DENSITY if spike is None else asdict(spike),
        "training": asdict(settings),
    }
    entry = _write(output, chosen, network, result, request)
    shutil.rmtree(scratch, ignore_errors=True)
    show(
        f"{task}: validation {entry['validation_score']:.4f} in epoch {entry['best_epoch']}, test "
        f"{entry['test_score']:.4f}"
    )
    show(f"Report: {output / 'report.html'}, network: {output / NETWORK}")


def _task(name: str, data: Path | None, test: Path | None, seed: int) -> Any:
    make, n_files = maker(name), ROWS[name].n_files
    _check_files(name, n_files, data, test)
    return make(*(data, test)[:n_files], seed=seed)


def _check_files(name: str, n_files: int, data: Path | None, test: Path | None) -> None:
    """Refuse to start without a file that the task needs, or with one that it does not read."""
    if n_files == 0 and data is not None:
        raise ModelError(f"Task '{name}' is made, not read from files: leave out --data.")
    if n_files > 0 and data is None:
        raise ModelError(f"Task '{name}' is read from files: give --data.")
    if n_files == 2 and test is None:
        raise ModelError(f"Task '{name}' has a separate test file: give --test.")
    if n_files < 2 and test is not None:
        raise ModelError(f"Task '{name}' has no separate test file: leave out --test.")


def _settings(hidden: list[int], seed: int, **options: Any) -> Any:
    """Settings of the training; an invalid option counts as bad use of the command."""
    from neurocode.learning import Settings
    from neurocode.learning.settings import require_whole

    try:
        for n in hidden:
            require_whole("hidden", n, 1)
        require_whole("seed", seed, 0)
        return Settings(**options)
    except TrainingError as error:
        text = str(error).replace("'batch_size'", "'batch'").replace("'learning_rate'", "'rate'")
        raise ModelError(text) from None


def _surrogate(family: str, slope: float | None, height: float | None) -> Any:
    """The surrogate derivative, or None for the derivative of the escape noise."""
    from neurocode.learning import Surrogate

    values: dict[str, Any] = {
        name: value for name, value in (("slope", slope), ("height", height)) if value is not None
    }
    if family != DENSITY:
        return Surrogate(family, **values)
    for name in values:
        raise ModelError(
            f"The derivative of the escape noise has its own {name}: leave out --{name}."
        )
    return None


def _network(
    task: Any,
    *,
    neuron: str,
    hidden: list[int],
    recurrent: bool,
    learned: list[str],
    spike: Any,
    dropout: float,
    readout: float,
    seed: int,
    segment: int | None,
    current_unit: str | None,
    margin_unit: str | None,
) -> Any:
    import jax

    from neurocode.learning import Dense, Layer, Network, Readout, Recurrent
    from neurocode.models import by_name

    keys = iter(jax.random.split(jax.random.key(seed), 3 * len(hidden) + 1))
    layers, n_in = [], task.n_inputs
    for n in hidden:
        inside = Recurrent(n, orthogonal=True, key=next(keys)) if recurrent else None
        layers.append(
            Layer(
                Dense(n_in, n, key=next(keys)),
                by_name(neuron),
                task.dt,
                recurrent=inside,
                learned=learned,
                spread=bool(learned),
                surrogate=spike,
                dropout=dropout,
                segment=segment,
                current_unit=current_unit,
                margin_unit=margin_unit,
                key=next(keys),
            )
        )
        n_in = n
    return Network(
        [*layers, Readout(Dense(n_in, task.n_outputs, key=next(keys)), task.dt, readout * task.dt)]
    )


def _write(
    output: Path, task: Any, network: Any, result: Any, request: dict[str, Any]
) -> dict[str, Any]:
    from neurocode.cli import page
    from neurocode.cli.output import output_folder, write_json
    from neurocode.plotting import save_figure

    history = result.history
    chosen = history.loc[history["epoch"] == result.best_epoch].iloc[0]
    entry = {
        "task": task.name,
        "neuron": request["neuron"],
        "hidden": request["hidden"],
        "loss": task.loss.name,
        "score": result.score_name,
        "parameters": network.n_parameters,
        "epochs": len(history),
        "best_epoch": result.best_epoch,
        "validation_score": float(chosen["validation_score"]),
        "test_loss": result.test_loss,
        "test_score": result.test_score,
        "sequences": {k: len(getattr(task, k)) for k in ("training", "validation", "test")},
        "seconds": float(history["seconds"].sum()),
    }
    with output_folder(output, request) as scratch:
        result.network.save(scratch / NETWORK)
        history.to_csv(scratch / "history.csv", index=False)
        write_json(scratch / "result.json", {"results": [entry]})
        _, png = save_figure(result.plot(), scratch / "training.pdf")
        text = (
            f"{entry['parameters']} parameters, {entry['epochs']} epochs in "
            f"{entry['seconds']:.0f} s. The network of epoch {entry['best_epoch']}, the best by "
            f"validation ({entry['validation_score']:.4f}), scores {entry['test_score']:.4f} on "
            f"the test part ({entry['score']}). It is kept in {NETWORK}, which "
            f"neurocode.learning.load reads."
        )
        parts = [
            page.paragraph(text),
            page.figure(png, CAPTION),
            page.heading("Epochs"),
            page.table(history, example="epoch>5"),
        ]
        page.write_page(scratch / "report.html", f"Training on {task.name}", parts)
    return entry
