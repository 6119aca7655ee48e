"""A CRM of sixty leads that the scorecard ranks: a whole night in a second, without a training."""

from __future__ import annotations

PARAMS = """\
tables:
  leads: {path: leads.csv, fields: {source: {kind: category, time: static}}}
  touches: {path: touches.csv}
  outcomes: {path: outcomes.csv}
gates: {freshness_days: {leads: 60, touches: 9, outcomes: 60}, churn: 1, score_drift: 99}
"""
NIGHT = ("--as-of", "2026-06-30")
LEADS, KINDS = 60, ("call", "demo_request", "email_open")


def write(home, *, more=""):
    """The three tables and params.yaml, with ``more`` at its end; a fifth of the leads is won."""
    home.mkdir(exist_ok=True)
    leads = [f"L{n},2026-05-{1 + n % 28:02},{'fair' if n % 2 else 'web'}" for n in range(LEADS)]
    touches = [
        f"L{n},2026-06-{1 + (n + 7 * k) % 29:02}T10:00,{kind}"
        for n in range(LEADS)
        for k, kind in enumerate(KINDS)
    ]
    outcomes = [f"L{n},won,2026-06-20" for n in range(0, LEADS, 5)]
    for name, header, rows in (
        ("leads", "lead_id,created_at,source", leads),
        ("touches", "lead_id,occurred_at,kind", touches),
        ("outcomes", "lead_id,stage,occurred_at", outcomes),
    ):
        (home / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (home / "params.yaml").write_text(PARAMS + more, encoding="utf-8")
    return home
