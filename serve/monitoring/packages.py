"""Whether a night was made with other libraries than the one before: a ranking may move with them."""

from __future__ import annotations

from models.labels import marked
from models.phrases import Phrase
from serve.monitoring.figure import WARNING, Figure, Part
from serve.runs import Run

CHANGED = marked("'{subject}' is {now} tonight and was {before}")
ABSENT = "absent"


def packages(run: Run, before: Run | None) -> Part:
    """The libraries that changed since the run before.

    Returns
    -------
    Part
        A figure of kind ``packages`` for each library whose version is another, and one (``changed``)
        that counts them; none where a run does not say its libraries.
    """
    if before is None or not (run.manifest.get("packages") and before.manifest.get("packages")):
        return Part(())
    now, then = run.manifest["packages"], before.manifest["packages"]
    changed = [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    counted = Figure(
        kind="packages", subject="changed", measure="count", value=float(len(changed)), reference="earlier"
    )
    return Part((counted, *(_figure(name, now.get(name), then.get(name)) for name in changed)))


def _figure(name: str, now: str | None, before: str | None) -> Figure:
    return Figure(
        kind="packages",
        subject=name,
        measure="version",
        value=None,
        reference="earlier",
        level=WARNING,
        because=Phrase(CHANGED, subject=name, now=now or ABSENT, before=before or ABSENT),
    )
