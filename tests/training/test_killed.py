"""Processes that train, killed at random moments."""

import pytest

from benchmarks import disturbed
from benchmarks.killed_training import Place, killed_runs, outcome, stopped_run


@pytest.fixture(scope="module")
def place(dataset, tmp_path_factory):
    return Place(tmp_path_factory.mktemp("runs"), dataset.directory, disturbed.run)


@pytest.fixture(scope="module")
def undisturbed(place):
    run = place.train("undisturbed")
    assert run.code == 0, run.told
    return run, outcome(place.path("undisturbed"))


@pytest.mark.slow
def test_killed_at_twenty_random_moments(place, undisturbed):
    run, expected = undisturbed
    assert len(expected) > 60
    runs = killed_runs(place, 20, run.seconds, expected, seed=3)
    starts = [start for killed in runs for start in killed["starts"]]
    assert sum(start["killed"] for start in starts) == 20
    assert sum(start["unfinished"] for start in starts) > 0
    assert any("going back" in line for start in starts for line in start["told"])
    assert [killed["differs"] for killed in runs] == [[]] * len(runs)


@pytest.mark.slow
def test_a_signal_leaves_a_checkpoint(place, undisturbed):
    stopped = stopped_run(place, 120, undisturbed[1])
    assert stopped["code"] == 75
    assert stopped["told"].startswith("error: SIGTERM: stopped after step")
    assert not stopped["differs"]
