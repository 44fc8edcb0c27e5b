"""Processes that train, killed at random moments, or asked to stop."""

import signal
from pathlib import Path

import pytest

from benchmarks import disturbed
from benchmarks.killed_training import OPTIONS, Place, ended, killed_runs, outcome, stopped_run


@pytest.fixture(scope="module", params=OPTIONS)
def place(request, dataset, tmp_path_factory):
    scratch = tmp_path_factory.mktemp(request.param)
    return Place(scratch, dataset.directory, OPTIONS[request.param], disturbed.run)


@pytest.fixture(scope="module")
def undisturbed(place):
    run = place.train("undisturbed")
    assert run.code == 0, run.told
    return run, outcome(place.path("undisturbed"))


@pytest.mark.slow
def test_killed_at_ten_random_moments(place, undisturbed):
    run, expected = undisturbed
    assert len(expected) > 60
    runs = killed_runs(place, 10, run.seconds, expected, seed=20)
    starts = [start for killed in runs for start in killed["starts"]]
    assert sum(start["killed"] for start in starts) == 10
    assert sum(start["unfinished"] for start in starts) > 0
    assert any("going back" in line for start in starts for line in start["told"])
    assert [killed["differs"] for killed in runs] == [[]] * len(runs)


@pytest.mark.slow
def test_a_signal_leaves_a_checkpoint(place, undisturbed):
    stopped = stopped_run(place, 120, undisturbed[1])
    assert stopped["code"] == 75
    assert stopped["told"].startswith("error: SIGTERM: stopped after step")
    assert not stopped["differs"]


def stop_while_it_starts(process) -> None:
    """As soon as TensorFlow is being loaded."""
    maps = Path("/proc", str(process.pid), "maps")
    while not ended(process, 0.01) and "tensorflow" not in maps.read_text():
        pass
    process.send_signal(signal.SIGTERM)
    ended(process, 120)


@pytest.mark.slow
def test_a_signal_before_the_first_step_ends_only_what_has_not_begun(place, undisturbed):
    fresh = place.train("fresh", stop_while_it_starts)
    assert (fresh.code, fresh.complaint) == (1, "error: interrupted")
    assert not place.path("fresh").exists()
    again = place.train("undisturbed", stop_while_it_starts)
    assert again.code == 75
    assert again.complaint.endswith("go on with --resume")
    assert outcome(place.path("undisturbed")) == undisturbed[1]
