"""Contributions: LightGBM's own and shap's, for every kind of split, in any order and number of threads."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import ModelError
from models import contributions as module
from models.contributions import Kernel
from models.fitting.classifier import MOST_DEPTH
from models.trees import check_booster
from models.treeshap import groups as sharing
from models.treeshap import kernel as machine
from models.treeshap import tables as layout
from models.treeshap.paths import leaves, trees

FEATURES, CATEGORY = 12, 5  # so that a path of depth 8 can ask for 8 of them
ZERO = np.float64(np.float32(1e-35))  # the greatest number that LightGBM takes for zero
ODD = [np.nan, 0.0, -0.0, ZERO, -ZERO, ZERO * 2, -ZERO * 2, 1e-300, np.inf, -np.inf, 1e300, 0.5]
ODD_CATEGORIES = [
    np.nan,
    -1.0,
    -0.5,
    -0.0,
    0.99,
    31.0,
    32.9,
    39.0,
    40.0,
    63.0,
    64.0,
    1e10,
    -1e10,
    np.inf,
    -np.inf,
]


def history(rows: int, seed: int, *, has_nulls: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, counts with many zeros, and a category with codes 0 to 39; some signal in each."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, FEATURES))
    matrix[:, 3] = rng.poisson(0.8, rows)
    matrix[:, CATEGORY] = rng.integers(0, 40, rows)
    signal = matrix[:, 0] - matrix[:, 1] * (matrix[:, CATEGORY] % 3 == 2) + matrix[:, 3] * (matrix[:, 2] > 0)
    if has_nulls:
        matrix[rng.random(matrix.shape) < 0.15] = np.nan
    return matrix, (signal + rng.normal(size=rows) > 0.5).astype(int)


def grown(seed: int, *, rows: int = 400, count: int = 6, has_nulls: bool = True, **more) -> str:
    """A booster's text."""
    matrix, label = history(rows, seed, has_nulls=has_nulls)
    weight = np.random.default_rng(seed).uniform(0.1, 9, rows)
    params = {
        "objective": "binary", "num_leaves": 12, "max_depth": 5, "min_data_in_leaf": 3,
        "min_data_per_group": 3, "cat_smooth": 1, "verbose": -1, "num_threads": 1, "seed": seed, **more,
    }  # fmt: skip
    data = lightgbm.Dataset(matrix, label, weight=weight, categorical_feature=[CATEGORY], params=params)
    text = lightgbm.train(params, data, num_boost_round=count).model_to_string()
    return text[: text.index("end of trees\n")] + "end of trees\n"


def with_other_kinds(text: str, seed: int) -> str:
    """The text with missing type, default side and some thresholds of splits on numbers drawn anew."""
    rng = np.random.default_rng(seed)

    def drawn(match: re.Match) -> str:
        kinds = [int(kind) for kind in match.group(2).split()]
        pairs = [
            (threshold, str(kind))
            if kind & 1
            else (str(rng.choice([threshold, "0", repr(float(ZERO)), "inf"], p=[0.7, 0.1, 0.1, 0.1])),
                  str(int(rng.integers(0, 8)) * 2))
            for threshold, kind in zip(match.group(1).split(), kinds, strict=True)
        ]  # fmt: skip
        thresholds, changed = (" ".join(line) for line in zip(*pairs, strict=True))
        return f"threshold={thresholds}\ndecision_type={changed}\n"

    found = re.sub(r"threshold=(.+)\ndecision_type=(.+)\n", drawn, text)
    body = found.split("\n\n", 1)[1].removesuffix("end of trees\n")
    sizes = " ".join(str(len(tree)) for tree in re.split(r"(?m)^(?=Tree=)", body)[1:])
    return re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", found)


def hard_rows(text: str, seed: int) -> np.ndarray:
    """Rows of history, of odd values, and of thresholds and their neighbours."""
    rng = np.random.default_rng(seed)
    numbers = [t for tree in trees(text) for t in tree.threshold] or [0.0]
    numbers = [*ODD, *numbers, *np.nextafter(numbers, np.inf), *np.nextafter(numbers, -np.inf)]
    odd = rng.choice(numbers, size=(200, FEATURES))
    odd[:, CATEGORY] = rng.choice([*ODD_CATEGORIES, *range(45)], size=200)
    return np.vstack([history(100, seed + 1)[0], odd])


def by_lightgbm(text: str, rows: np.ndarray) -> np.ndarray:
    """Contributions and, last, the base."""
    return lightgbm.Booster(model_str=text).predict(rows, pred_contrib=True, num_threads=1)


def margin(text: str, rows: np.ndarray) -> np.ndarray:
    return lightgbm.Booster(model_str=text).predict(rows, raw_score=True, num_threads=1)


@pytest.fixture(scope="module")
def bags() -> list[str]:
    return [grown(1), grown(2, max_depth=8, num_leaves=40)]


ROWS = history(700, seed=3)[0]


@given(
    seed=st.integers(0, 10_000),
    depth=st.integers(1, MOST_DEPTH),
    size=st.sampled_from([2, 3, 12, 31, 80]),
    zero_as_missing=st.booleans(),
    use_missing=st.booleans(),
    has_nulls=st.booleans(),
    has_other_kinds=st.booleans(),
    onehot=st.sampled_from([1, 100]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_model_and_row_gets_lightgbms_contributions_and_they_add_up_to_its_margin(
    seed, depth, size, zero_as_missing, use_missing, has_nulls, has_other_kinds, onehot
):
    text = grown(
        seed, has_nulls=has_nulls, max_depth=depth, num_leaves=size, max_cat_to_onehot=onehot,
        zero_as_missing=zero_as_missing, use_missing=use_missing, max_cat_threshold=40,
    )  # fmt: skip
    text = with_other_kinds(text, seed) if has_other_kinds else text
    check_booster(text, features=FEATURES)
    rows = hard_rows(text, seed)
    values, base = Kernel.of([text]).contributions(rows, threads=1)
    oracle = by_lightgbm(text, rows)
    np.testing.assert_allclose(values, oracle[:, :-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(base, oracle[0, -1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(base + values.sum(axis=1), margin(text, rows), rtol=0, atol=1e-9)


# shap itself sets up its colour maps in a way that matplotlib will drop.
@pytest.mark.filterwarnings("ignore:The set_.* function:PendingDeprecationWarning")
def test_contributions_are_the_mean_of_shaps_tree_explainer_over_the_bags(bags):
    import shap

    values, base = Kernel.of(bags).contributions(ROWS, threads=1)
    oracle = [shap.TreeExplainer(lightgbm.Booster(model_str=text))(ROWS) for text in bags]
    np.testing.assert_allclose(values, np.mean([o.values for o in oracle], axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(base, np.mean([o.base_values[0] for o in oracle]), rtol=0, atol=1e-9)


def test_boosters_count_by_their_weights(bags):
    values, base = Kernel.of(bags, [0.25, 2.0]).contributions(ROWS, threads=1)
    oracle = 0.25 * by_lightgbm(bags[0], ROWS) + 2 * by_lightgbm(bags[1], ROWS)
    np.testing.assert_allclose(values, oracle[:, :-1], rtol=0, atol=1e-9)
    np.testing.assert_allclose(base, oracle[0, -1], rtol=0, atol=1e-9)


def test_a_tree_of_one_leaf_belongs_to_the_base(bags):
    constant = grown(1, min_data_in_leaf=10_000, count=1)
    assert [tree.feature for tree in trees(constant)] == [[]]
    values, base = Kernel.of([constant]).contributions(ROWS, threads=1)
    assert not values.any()
    assert base == margin(constant, ROWS[:1])[0] != 0
    mixed, mixed_base = Kernel.of([constant, bags[0]]).contributions(ROWS, threads=1)
    sums = (margin(constant, ROWS) + margin(bags[0], ROWS)) / 2
    np.testing.assert_allclose(mixed_base + mixed.sum(axis=1), sums, rtol=0, atol=1e-9)


def test_the_last_bit_depends_neither_on_threads_nor_on_pieces_nor_on_other_rows(bags, monkeypatch):
    kernel = Kernel.of(bags)
    values, _ = kernel.contributions(ROWS, threads=1)
    order = np.random.default_rng(0).permutation(len(ROWS))
    assert np.array_equal(kernel.contributions(ROWS[order], threads=1)[0], values[order])
    for pieces, threads in ((1, 1), (100, 2), (256, 1), (300, 0), (5000, 2)):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", pieces)
        assert np.array_equal(kernel.contributions(ROWS, threads=threads)[0], values), (pieces, threads)


def test_other_layouts_of_the_same_matrix_give_the_same(bags):
    kernel = Kernel.of(bags)
    values, _ = kernel.contributions(ROWS, threads=1)
    frozen = ROWS.copy()
    frozen.flags.writeable = False
    for matrix in (frozen, np.asfortranarray(ROWS), np.repeat(ROWS, 2, axis=1)[:, ::2]):
        assert np.array_equal(kernel.contributions(matrix, threads=1)[0], values)
    assert machine.add_contributions.signatures == machine.add_contributions.signatures[:1]


def test_no_rows_give_no_contributions_but_a_base(bags):
    values, base = Kernel.of(bags).contributions(ROWS[:0], threads=1)
    assert values.shape == (0, FEATURES)
    assert base == Kernel.of(bags).contributions(ROWS[:1], threads=1)[1]


def test_a_tree_of_depth_eight_is_explained_and_a_deeper_one_refused():
    deep = grown(1, max_depth=8, num_leaves=200, rows=2000, feature_fraction_bynode=0.4)
    assert max(depths(deep)) == 8
    assert max(len(leaf.conditions) for tree in trees(deep) for leaf in leaves(tree)) == 8
    np.testing.assert_allclose(
        Kernel.of([deep]).contributions(ROWS, threads=1)[0],
        by_lightgbm(deep, ROWS)[:, :-1],
        rtol=0,
        atol=1e-9,
    )
    deeper = grown(1, max_depth=9, num_leaves=200, count=1, rows=2000)
    with pytest.raises(ModelError, match="deeper than 8"):
        Kernel.of([deeper])


def depths(text: str) -> list[int]:
    """Depth of each node's children, by a walk of its own."""
    found = []
    for tree in trees(text):
        depth = {0: 0}
        for node in range(len(tree.feature)):  # a child stands after its parent
            for child in (tree.left[node], tree.right[node]):
                depth[child] = depth[node] + 1
        found += depth.values()
    return found


def test_what_does_not_fit_is_refused(bags):
    with pytest.raises(ModelError, match="not 12 columns wide"):
        Kernel.of(bags).contributions(ROWS[:, :5], threads=1)
    with pytest.raises(ModelError, match="no booster"):
        Kernel.of([])
    matrix, label = history(100, 0)
    narrow = lightgbm.train({"verbose": -1}, lightgbm.Dataset(matrix[:, :2], label), 1).model_to_string()
    with pytest.raises(ModelError, match="different matrices"):
        Kernel.of([bags[0], narrow])


def test_a_node_without_training_rows_and_a_set_without_end_are_refused(bags):
    emptied = re.sub(r"internal_count=\d+", "internal_count=0", bags[0], count=1)
    with pytest.raises(ModelError, match="without training rows"):
        Kernel.of([emptied])
    tree = next(tree for text in bags for tree in trees(text) if tree.sets)
    tree.sets[0][:] = [1] * 2047
    assert list(layout.parts([(tree, 1.0)]))
    tree.sets[0][:] = [1] * 2048
    with pytest.raises(ModelError, match="categories beyond 65,504"):
        list(layout.parts([(tree, 1.0)]))


def test_tables_beyond_the_bound_are_not_kept_and_change_nothing(bags, monkeypatch):
    whole = Kernel.of(bags)
    expected, _ = whole.contributions(ROWS, threads=1)
    most = max(
        part.table_bytes for text in bags for tree in trees(text) for part in layout.parts([(tree, 1)])
    )
    monkeypatch.setattr(layout, "PART_BYTES", most)
    monkeypatch.setattr(module, "KEPT_BYTES", 3 * most)
    kernel = Kernel.of(bags)
    assert len(kernel._parts) > 2
    assert all(part.table_bytes < 2 * most for part, _ in kernel._parts)
    kept = [tables.nbytes for _, tables in kernel._parts if tables is not None]
    assert 0 < sum(kept) <= 3 * most
    assert len(kept) < len(kernel._parts)
    np.testing.assert_allclose(kernel.contributions(ROWS, threads=2)[0], expected, rtol=0, atol=1e-12)


def test_a_part_has_fewer_thresholds_than_a_rank_can_count(bags, monkeypatch):
    monkeypatch.setattr(layout, "MOST_NODES", 50)
    parts = list(layout.parts((tree, 1.0) for tree in trees(bags[1])))
    assert [len(part.plan.node_column) for part in parts[:-1]] == [78] * (len(parts) - 1)
    assert layout.MOST_NODES + 2**MOST_DEPTH < machine.MISSING - 1


def test_neighbouring_leaves_share_tables_of_at_most_256_patterns(bags):
    assert sharing.MOST_BITS >= MOST_DEPTH
    for tree in trees(bags[1]):
        found = leaves(tree)
        groups = sharing.groups(found)
        assert [leaf for group in groups for leaf in group] == found
        assert len(groups) < len(found) / 2
        assert all(len({c.asked for leaf in group for c in leaf.conditions}) <= 8 for group in groups)


def test_reading_the_module_does_not_load_numba():
    code = "import sys, models.explaining; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


ROOT = Path(__file__).resolve().parents[2]
FILLING = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import tree_kernel as k
one, places = np.array([0.5]), np.array([0, 1])
zero = np.array([0])
leaves = k.Leaves(np.array([2.0]), np.array([1]), places, one, zero, np.zeros(1, np.uint8), zero)
tables = np.zeros(2)
k.fill_tables(leaves, one, np.array([1.0]), tables)
assert tables.tolist() == [-1.0, 1.0], tables
"""


@pytest.mark.parametrize("can_keep", [False, True])
def test_where_nothing_can_be_written_the_machine_code_is_made_anew(tmp_path, can_keep):
    shutil.copy(ROOT / "models" / "treeshap" / "kernel.py", tmp_path / "tree_kernel.py")
    if not can_keep:  # also root cannot make a folder where a file is
        (tmp_path / "__pycache__").touch()
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null", "LOCALAPPDATA": "/dev/null"}
    subprocess.run(
        [sys.executable, "-B", "-c", FILLING, str(tmp_path)],
        env=nowhere, check=True,
    )  # fmt: skip
    assert bool(list(tmp_path.glob("__pycache__/*.nbi"))) == can_keep
