"""Folders of Kilosort and Phy: samples become seconds, labels select clusters, and no Python code
in a folder is run."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Layout, read_trains
from neurocode.recordings.phy import read_phy

SAMPLES, CLUSTERS = [300, 600, 900, 1500, 3000, 3300], [7, 3, 7, 12, 3, 12]
PARAMETERS = (
    "import os\ndat_path = 'raw.dat'\nn_channels_dat = 4\ndtype = 'int16'\noffset = "
    "16\nsample_rate = 30000.\n"
)


@pytest.fixture
def folder(tmp_path):
    """Three clusters of two spikes each and a raw file of 6000 samples, 0.2 s."""
    place = tmp_path / "session" / "phy"
    place.mkdir(parents=True)
    np.save(place / "spike_times.npy", np.array(SAMPLES, np.uint64)[:, None])
    np.save(place / "spike_clusters.npy", np.array(CLUSTERS, np.int32))
    (place / "params.py").write_text(PARAMETERS)
    (place / "raw.dat").write_bytes(bytes(16 + 6000 * 4 * 2))
    (place / "cluster_group.tsv").write_text("cluster_id\tgroup\n3\tgood\n12\tnoise\n")
    (place / "cluster_KSLabel.tsv").write_text("cluster_id\tKSLabel\n3\tmua\n7\tmua\n12\tgood\n")
    return place


def test_samples_become_seconds_and_the_raw_file_says_the_end(folder):
    """Cluster 3 fires in samples 600 and 3000: 20 and 100 ms; the person's label stands before the
    sorter's; noise is left out."""
    with pytest.warns(UserWarning, match="1 of 3 clusters are labelled noise and left out"):
        trains = read_trains(folder)
    assert trains.names == ("phy/3 (good)", "phy/7 (mua)")
    np.testing.assert_allclose(trains.times, [0.02, 0.1, 0.01, 0.03], rtol=1e-15)
    assert trains.t_start.tolist() == [0, 0] and trains.t_stop.tolist() == [0.2, 0.2]
    with pytest.warns(UserWarning, match="noise"):
        table = nc.describe(folder, n_surrogates=0)
    assert table["rate"].tolist() == pytest.approx([10, 10]) and table[
        "mean_isi"
    ].tolist() == pytest.approx([0.08, 0.02])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ("good", ["phy/3 (good)"]),
        ("noise, GOOD", ["phy/3 (good)", "phy/12 (noise)"]),
        ("all", ["phy/3 (good)", "phy/7 (mua)", "phy/12 (noise)"]),
    ],
)
def test_labels_choose_clusters(folder, labels, names, recwarn):
    assert list(read_trains(folder, Layout(labels=labels)).names) == names
    assert not recwarn


def test_a_label_that_no_cluster_has_is_refused_with_those_there_are(folder):
    with pytest.raises(
        DataError,
        match="no cluster labelled best; the labels of its 3 clusters are good, mua, noise",
    ):
        read_phy(folder, labels="best")


def test_a_label_that_none_has_beside_one_that_some_have_is_said(folder):
    with pytest.warns(UserWarning, match=r"phy: no cluster is labelled best\.$") as warned:
        assert read_phy(folder, labels="Good, best").names == ("phy/3 (good)",)
    assert len(warned) == 1


def test_templates_stand_for_clusters_and_unlabelled_ones_are_unsorted(folder):
    (folder / "spike_clusters.npy").rename(folder / "spike_templates.npy")
    (folder / "cluster_KSLabel.tsv").unlink()
    assert read_phy(folder, labels="unsorted").names == ("phy/7 (unsorted)",)
    (folder / "cluster_group.tsv").unlink()
    assert read_phy(folder).names == ("phy/3", "phy/7", "phy/12")
    (folder / "cluster_info.tsv").write_text(
        "id\tgroup\tKSLabel\n3\t\tgood\n7\tnoise\tgood\n12\tmua\tgood\n"
    )
    assert read_phy(folder, labels="all").names == ("phy/3 (good)", "phy/7 (noise)", "phy/12 (mua)")


def test_without_the_raw_file_the_last_spike_is_the_end_and_a_note_says_so(folder):
    (folder / "raw.dat").unlink()
    with pytest.warns(
        UserWarning, match=r"raw file does not exist; .* end with its last spike, at 0.11 s"
    ):
        assert read_phy(folder, labels="all").t_stop.tolist() == pytest.approx([0.11] * 3)
    assert read_phy(folder, labels="all", t_stop=0.15).t_stop.tolist() == [0.15] * 3


def test_a_window_is_cut_out_of_a_folder(folder):
    part = read_trains(folder, Layout(labels="all", t_start=15, t_stop=60, time_unit="ms"))
    assert (
        part.counts.tolist() == [1, 1, 1]
        and part.t_start.tolist() == [0.015] * 3
        and part.t_stop.tolist() == [0.06] * 3
    )


def test_params_that_hold_code_run_nothing(folder):
    made = folder / "made"
    (folder / "params.py").write_text(
        f"sample_rate = 1000.\nopen({str(made)!r}, 'w')\ndat_path = __import__('os').getcwd()\n"
    )
    with pytest.warns(UserWarning, match="last spike"):
        assert read_phy(folder, labels="all").times.max() == 3.3
    (folder / "params.py").write_text(f"sample_rate = open({str(made)!r}, 'w') and 30000\n")
    with pytest.raises(
        DataError, match=r"params.py states no sample_rate as a plain number up to 1e.08 Hz; give"
    ):
        read_phy(folder)
    assert not made.exists()
    with pytest.warns(UserWarning, match="last spike"):
        assert read_phy(folder, labels="all", sampling_rate=3000.0).times.max() == pytest.approx(
            1.1
        )


def break_file(name, content):
    def change(folder):
        path = folder / name
        if content is None:
            path.unlink()
        elif isinstance(content, str):
            path.write_text(content)
        else:
            np.save(path, content)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            break_file("spike_clusters.npy", None),
            "neither spike_clusters.npy nor spike_templates.npy beside spike_times.npy",
        ),
        (
            break_file("spike_clusters.npy", np.arange(4)),
            "there are 6 spike times and 4 clusters of spikes, expected one cluster per spike",
        ),
        (
            break_file("spike_times.npy", np.array([0.5, 1, 2, 3, 4, 5])),
            "holds 0.5, expected whole numbers",
        ),
        (
            break_file("spike_times.npy", np.array([0, 1, 2, np.nan, 4, 5])),
            "holds nan, expected whole numbers",
        ),
        (
            break_file("spike_times.npy", np.array([-1, 1, 2, 3, 4, 5])),
            "holds the sample -1, expected none below zero",
        ),
        (
            break_file("spike_times.npy", np.zeros((2, 3), int)),
            r"shape \(2, 3\) of 'int64', expected one number per spike",
        ),
        (break_file("spike_times.npy", ""), "the file is empty"),
        (break_file("params.py", None), "states no sample_rate as a plain number"),
        (break_file("params.py", "sample_rate = True"), "states no sample_rate as a plain number"),
        (
            break_file("params.py", "sample_rate = -1"),
            "the sampling rate is -1 Hz, expected 0.001 to 1e",
        ),
        (
            break_file("params.py", "sample_rate = " + "9" * 400),
            "states no sample_rate as a plain number up to 1e",
        ),
        (
            break_file("spike_times.npy", np.array([2**64 - 1, 1, 2, 3, 4, 5], np.uint64)),
            r"holds 1.84467e\+19, expected the numbers",
        ),
        (break_file("params.py", "sample_rate = = 3"), "the file is not Python text"),
        (
            break_file("params.py", PARAMETERS.replace("4", "400")),
            "a spike at 0.11 s lies after the end of raw.dat at 0.002 s",
        ),
        (
            break_file("cluster_group.tsv", "cluster_id\tgroup\nx\tgood\n"),
            "'x' is not the number of a cluster",
        ),
    ],
)
def test_faults_of_a_folder_are_one_sentence(folder, change, says):
    change(folder)
    with pytest.raises(DataError, match=says) as caught:
        read_trains(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder}") and "\n" not in text and text.endswith((".", ")."))


def test_a_part_of_a_sorting_is_not_read_by_itself(folder):
    with pytest.raises(DataError, match=r"this is a part of the sorting in .*phy; give the folder"):
        read_trains(folder / "spike_times.npy", Layout(sampling_rate=30000.0))


def test_clusters_of_neighbouring_numbers_and_spikes_in_any_order_are_told_apart(folder):
    """Cluster 3 fires in samples 900 and 300, cluster 4 in 600 and 6000: 30, 10, 20 and 200 ms at
    30 kHz."""
    np.save(folder / "spike_times.npy", np.array([900, 6000, 300, 600]))
    np.save(folder / "spike_clusters.npy", np.array([3, 4, 3, 4]))
    trains = read_phy(folder, labels="all")
    assert [trains.train(k).tolist() for k in range(2)] == [
        pytest.approx([0.01, 0.03]),
        pytest.approx([0.02, 0.2]),
    ]
    part = read_phy(folder, labels="all", t_stop=0.025)
    assert [part.train(k).tolist() for k in range(2)] == [
        pytest.approx([0.01]),
        pytest.approx([0.02]),
    ]
    assert part.t_stop.tolist() == [0.025] * 2


def test_a_raw_file_ends_with_its_last_whole_sample(folder):
    (folder / "raw.dat").write_bytes(bytes(16 + 6000 * 4 * 2 + 7))
    assert read_phy(folder, labels="all").t_stop.tolist() == [0.2] * 3


def test_labels_of_the_sorter_are_those_of_the_table_of_phy_and_noise_has_any_case(folder):
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n12\tNoise\n")
    (folder / "cluster_info.tsv").write_text("id\tgroup\tKSLabel\n3\t\tgood\n")
    with pytest.warns(UserWarning, match="1 of 3 clusters are labelled noise"):
        assert read_phy(folder).names == ("phy/3 (good)", "phy/7 (mua)")
