import numpy as np
import pytest

from facenet_tf.records.measures import MEASURES, QUANTILES, WORST, distributions, worst
from facenet_tf.records.rows import Row


def row(number, identity="a", stored=True, **cells):
    place = {"shard": 0} if stored else {}
    return Row(f"{identity}/{number:03}", identity, 0, "train", "", "ok", **cells, **place)


def by_title(rows):
    return {found.title: found for found in distributions(rows)}


def test_columns_exist():
    assert {measure.column for measure in MEASURES} <= set(Row.__dataclass_fields__)
    assert {column for _, column, _ in WORST} <= {measure.column for measure in MEASURES}


def test_counts_and_quantiles():
    values = np.random.default_rng(0).normal(0, 20, 500)
    found = by_title([row(n, yaw=f"{value:.3f}") for n, value in enumerate(values)])["Yaw"]
    assert (found.bars[0].low, found.bars[-1].high) == (-90, 90)
    assert sum(bar.count for bar in found.bars) == found.count == 500
    for bar in found.bars:
        assert bar.count == ((values >= bar.low) & (values < bar.high)).sum()
    assert max(bar.share for bar in found.bars) == 1
    np.testing.assert_allclose(found.quantiles, np.quantile(values, QUANTILES), atol=1e-3)


def test_the_outermost_bar_holds_what_lies_beyond():
    rows = [row(n, sharpness=str(n % 10)) for n in range(300)] + [row(300, sharpness="99999")]
    found = by_title(rows)["Sharpness"]
    assert found.bars[-1].high < 10
    assert sum(bar.count for bar in found.bars) == 301
    assert found.bars[-1].count == 31


def test_images_per_person_are_records():
    rows = [row(n, "ann") for n in range(3)] + [row(n, "bob") for n in range(3)]
    rows += [row(3, "bob"), row(4, "bob"), row(5, "bob", stored=False), row(0, "cy", stored=False)]
    found = by_title(rows)["Images per person"]
    assert found.count == 2
    assert {bar.low: bar.count for bar in found.bars if bar.count} == {3: 1, 5: 1}
    assert found.quantiles[2] == 4


def test_bars_of_whole_numbers_hold_equally_many():
    rows = [row(n, f"p{person:03}") for person in range(101) for n in range(person)]
    bars = by_title(rows)["Images per person"].bars
    assert len(bars) <= 30
    assert {bar.high - bar.low for bar in bars} == {4}
    assert [bar.count for bar in bars[1:-1]] == [4] * (len(bars) - 2)


def test_what_was_not_measured_has_no_bars():
    found = by_title([row(0)])["Roll"]
    assert (found.count, found.bars, found.quantiles) == (0, [], [])


@pytest.mark.parametrize(
    ("order", "expected"), [("low", [1, 3, 0]), ("high", [2, 4, 0]), ("far", [1, 2, 4])]
)
def test_worst(order, expected):
    cells = ["0.5", "-9.0", "8.0", "-1.0", "7.0", ""]
    rows = [row(n, roll=cell) for n, cell in enumerate(cells)]
    rows.append(row(6, stored=False, roll="-99.0"))
    assert worst(rows, "roll", order, 3) == [rows[n] for n in expected]
    assert len(worst(rows, "roll", order, 99)) == 5
