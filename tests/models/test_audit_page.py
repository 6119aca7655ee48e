"""The page of the audit: whole, escaped, without addresses, and the same each time."""

import base64
import re
from dataclasses import replace

import pytest

from features.catalogue import FeatureSpec
from models.audit.audit import Audit
from models.audit.findings import Finding
from models.audit.page import page
from models.audit.verdicts import judged, said


def report(name: str, *findings: Finding, loss: float | None = 0.01, **known: object):
    figures = {
        "auc_alone": 0.7, "loss": loss, "auc_without": 0.7, "fill_past": 0.9, "fill_won": 1.0,
        "fill_tonight": 0.1, "null_association": 0.2, "auc_alone_today": None, "today_gain": None,
        "ahead_share": None,
    }  # fmt: skip
    spec = FeatureSpec(name, name, "fit", "number", "{value}")
    given = {"is_field": True, "time": "static", "is_unknown": False, **known}
    return said(judged(spec, findings, figures, **given))


@pytest.fixture(scope="module")
def audit() -> Audit:
    leak = Finding("Price $ & <b>tier</b>", "closing", "filled at the end", "refuse")
    columns = (
        report(leak.column, leak),
        report("visits", time=None, is_unknown=True),
        report("industry", loss=None),
    )
    return Audit(columns, 0.71, None, 1234, 56)


def test_every_column_is_on_the_page_with_its_evidence(audit):
    text = page(audit)
    for column in audit.columns[1:]:
        assert column.column in text
        assert column.evidence in text
    assert "filled at the end" in text
    assert "1,234, 56" in text


def test_names_are_escaped(audit):
    text = page(audit)
    assert "<b>tier</b>" not in text
    assert "Price $ &amp; &lt;b&gt;tier&lt;/b&gt;" in text


def test_the_page_asks_no_address_and_runs_no_script(audit):
    text = page(audit)
    assert "<script" not in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)


def test_pictures_are_inside_and_the_same_each_time(audit):
    found = re.findall(r'data:image/svg\+xml;base64,([^"]+)', page(audit))
    assert len(found) == 2
    assert all(b"<svg" in base64.b64decode(data) for data in found)
    assert page(audit) == page(replace(audit))


def test_an_audit_without_figures_of_a_model_has_a_page_too():
    columns = (report("industry", loss=None),)
    assert "industry" in page(Audit(columns, None, None, 10, 10))
