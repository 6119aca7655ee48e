"""The parts of the leads by which a model is judged."""

import pyarrow as pa

from models.promoting.segments import segments


def test_rows_are_cut_by_category_and_by_age_on_its_boundary():
    table = pa.table(
        {"source": ["web", "fair", None], "lead_age_days": [29.9, 30.0, 400.0], "industry": ["a", "b", "c"]}
    )
    found = {name: texts.tolist() for name, texts in segments(table).items()}
    assert found == {"source": ["web", "fair", "unknown"], "age": ["new (under 30 days)", "old", "old"]}


def test_a_column_that_tells_no_rows_apart_and_a_number_are_no_slices():
    table = pa.table({"country": ["DE", "DE"], "territory": [1.0, 2.0]})
    assert segments(table) == {}
