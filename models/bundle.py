"""The bundle: a model as data, on disk and back, bit for bit.

``boosters/<target>-<bag>.txt``, ``model.json`` and ``SHA256SUMS``; no pickles, no code. Loading reads each
file once, compares its digest, and checks the trees before LightGBM sees them: what does not fit is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from features.catalogue import FeatureSpec
from features.errors import ModelError
from models.calibration import Calibration
from models.curves.spread import Spread
from models.fitting.blend import Blend
from models.fitting.linear import Linear
from models.further.amount import Amount
from models.further.horizons import Horizons, check_horizons
from models.matrix import Encoding
from models.segments.parts import check_blend, check_own, files_of, own_as_json, own_from_json

SCHEMA_VERSION = 2
MODEL_FILE, SUMS_FILE, BOOSTER_FOLDER = "model.json", "SHA256SUMS", "boosters"
AMOUNT_FILE = f"{BOOSTER_FOLDER}/amount.txt"


@dataclass(frozen=True)
class Window:
    """Training rows: first and last ``as_of`` (ISO, UTC; None in flat mode), how many, how many positive."""

    first_as_of: str | None
    last_as_of: str | None
    rows: int
    positives: int


@dataclass(frozen=True)
class Target:
    """One thing that the bundle predicts.

    Attributes
    ----------
    name
        Part of file names: small letters, digits, ``_``, ``.`` and ``-``.
    stage
        Stage whose reaching is predicted.
    horizon_days
        Days ahead; None where the outcome has no date (flat start).
    blend
        What the margin is the sum of.
    calibration
        Curve from margin to log-odds.
    spread
        How far the truth may lie from a probability.
    reference
        Probabilities of the reference population at evenly spaced quantiles, from the lowest to the highest.
    metrics
        Figures of the forward test, as in the training report.
    horizons
        Other days ahead and their curves from the same margin, shortest first.
    """

    name: str
    stage: str
    horizon_days: float | None
    blend: Blend
    calibration: Calibration
    reference: tuple[float, ...]
    spread: Spread
    metrics: Mapping[str, Any] = field(default_factory=dict)
    horizons: Horizons = ()


@dataclass(frozen=True)
class Bundle:
    """All that scoring needs.

    Attributes
    ----------
    targets
        What is predicted; the first ranks the leads.
    encoding
        From feature table to matrix.
    specs
        Words and families of the matrix's columns, in their order.
    window
        Training rows.
    kinds
        Values for which ``per`` features were made, by column.
    made_with
        Library versions.
    extras
        Further plain data, for example tag thresholds and evidence tables.
    amount
        What a lead is worth if it is won; None where the outcomes carry no amount.
    """

    targets: tuple[Target, ...]
    encoding: Encoding
    specs: tuple[FeatureSpec, ...]
    window: Window
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    amount: Amount | None = None

    @property
    def target(self) -> Target:
        """The target that ranks."""
        return self.targets[0]

    @property
    def fingerprint(self) -> str:
        """Digest of names, kinds, categories and words of the features: equal for equal inputs."""
        parts = [self.encoding.as_json(), [spec.as_json() for spec in self.specs]]
        return hashlib.sha256(_dumped(parts)).hexdigest()

    def files(self) -> dict[str, bytes]:
        """Content of every file by its path, the list of digests included."""
        found = {
            booster_path(target.name, bag): text.encode()
            for target in self.targets
            for bag, text in enumerate(target.blend.boosters)
        }
        for target in self.targets:
            of_values = files_of(target.blend.own, BOOSTER_FOLDER)
            if found.keys() & of_values.keys():
                raise ModelError("two boosters have one file", hint="name no stage segment-0")
            found |= of_values
        if self.amount is not None and self.amount.booster is not None:
            found[AMOUNT_FILE] = self.amount.booster.encode()
        found[MODEL_FILE] = _dumped(_as_json(self))
        sums = "".join(f"{_sha256(found[path])}  {path}\n" for path in sorted(found))
        return {**found, SUMS_FILE: sums.encode()}

    @property
    def digest(self) -> str:
        """SHA-256 of the list of digests: names this model and no other."""
        return _sha256(self.files()[SUMS_FILE])


def from_files(files: Mapping[str, bytes]) -> Bundle:
    """The bundle that :meth:`Bundle.files` described.

    Raises
    ------
    ModelError
        A digest differs, a file is missing or unexpected, or a part is damaged.
    """
    _check_sums(files)
    try:
        data = json.loads(files[MODEL_FILE], parse_constant=_refuse_constant)
        bundle = _bundle(data, files)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refusal("model.json lacks parts or holds wrong ones") from error
    _check_whole(bundle, data, files)
    return bundle


def booster_path(target: str, bag: int) -> str:
    """Path of a booster inside the bundle.

    Raises
    ------
    ModelError
        The target's name is more than small letters, digits, ``_``, ``.`` and ``-``.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,63}", target, re.ASCII):
        raise ModelError(
            f"the target '{target}' cannot name a file", hint="use small letters, digits, _ . and -"
        )
    return f"{BOOSTER_FOLDER}/{target}-{bag}.txt"


def _as_json(bundle: Bundle) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "fingerprint": bundle.fingerprint,
        "targets": [_target_as_json(target) for target in bundle.targets],
        "encoding": bundle.encoding.as_json(),
        "specs": [spec.as_json() for spec in bundle.specs],
        "window": asdict(bundle.window),
        "kinds": {name: list(values) for name, values in bundle.kinds.items()},
        "made_with": dict(bundle.made_with),
        "extras": dict(bundle.extras),
        "amount": None if bundle.amount is None else bundle.amount.as_json(),
    }


def _target_as_json(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "stage": target.stage,
        "horizon_days": target.horizon_days,
        **own_as_json(target.blend.own),
        "weights": list(target.blend.weights),
        "linear": None if target.blend.linear is None else target.blend.linear.as_json(),
        "calibration": target.calibration.as_json(),
        "reference": list(target.reference),
        "spread": target.spread.as_json(),
        "metrics": dict(target.metrics),
        "horizons": [{"days": days, "curve": curve.as_json()} for days, curve in target.horizons],
    }


def _bundle(data: Mapping[str, Any], files: Mapping[str, bytes]) -> Bundle:
    if data["schema_version"] != SCHEMA_VERSION:
        raise _refusal(f"its schema version is not {SCHEMA_VERSION}")
    encoding = Encoding.from_json(data["encoding"])
    return Bundle(
        targets=tuple(_target(target, files, len(data["encoding"]["names"])) for target in data["targets"]),
        encoding=encoding,
        specs=tuple(FeatureSpec.from_json(spec) for spec in data["specs"]),
        window=Window(**data["window"]),
        kinds={name: tuple(values) for name, values in data["kinds"].items()},
        made_with=data["made_with"],
        extras=data["extras"],
        amount=_amount(data["amount"], files, encoding),
    )


def _target(data: Mapping[str, Any], files: Mapping[str, bytes], columns: int) -> Target:
    texts = tuple(files[booster_path(data["name"], bag)].decode() for bag in range(len(data["weights"])))
    linear = None if data["linear"] is None else Linear.from_json(data["linear"], columns=columns)
    own = own_from_json(data, files, BOOSTER_FOLDER, columns=columns)
    return Target(
        name=data["name"],
        stage=data["stage"],
        horizon_days=data["horizon_days"],
        blend=Blend(texts, tuple(float(weight) for weight in data["weights"]), linear, own),
        calibration=Calibration.from_json(data["calibration"]),
        reference=tuple(float(value) for value in data["reference"]),
        spread=Spread.from_json(data["spread"]),
        metrics=data["metrics"],
        horizons=tuple(
            (float(part["days"]), Calibration.from_json(part["curve"])) for part in data["horizons"]
        ),
    )


def _amount(data: Mapping[str, Any] | None, files: Mapping[str, bytes], encoding: Encoding) -> Amount | None:
    if data is None:
        return None
    return Amount.from_json(data, files[AMOUNT_FILE].decode() if data["has_trees"] else None, encoding)


def _check_sums(files: Mapping[str, bytes]) -> None:
    """Compare every file with the list, and the list with the files that are there."""
    if SUMS_FILE not in files or MODEL_FILE not in files:
        raise _refusal(f"{MODEL_FILE} or {SUMS_FILE} is missing")
    lines = files[SUMS_FILE].decode(errors="replace").splitlines()
    listed = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    if set(listed) != set(files) - {SUMS_FILE}:
        raise _refusal(f"its files are not those that {SUMS_FILE} names")
    if any(_sha256(files[path]) != digest for path, digest in listed.items()):
        raise _refusal(f"a file does not match its digest in {SUMS_FILE}")


def _check_whole(bundle: Bundle, data: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Check that the parts belong together, trees last."""
    if not bundle.targets or not bundle.encoding.names:
        raise _refusal("it predicts nothing")
    if tuple((s.name, s.kind) for s in bundle.specs) != tuple(
        zip(bundle.encoding.names, bundle.encoding.kinds, strict=True)
    ):
        raise _refusal("its features and their words differ")
    if data["fingerprint"] != bundle.fingerprint:
        raise _refusal("its features do not match their fingerprint")
    if set(bundle.files()) != set(files) or set(data) != set(_as_json(bundle)):
        raise _refusal("it holds unexpected content")
    for target in bundle.targets:
        _check_target(target, bundle.encoding)
    if bundle.amount is not None:
        bundle.amount.check(features=len(bundle.encoding.names))


def _check_target(target: Target, encoding: Encoding) -> None:
    rises = all(a <= b for a, b in pairwise(target.reference))
    inside = all(0 < value < 1 for value in target.reference)
    if len(target.reference) < 2 or not rises or not inside:  # noqa: PLR2004 - a range has two ends
        raise _refusal("its reference population is not a rising list of probabilities")
    check_horizons(target.horizons, target.calibration, target.horizon_days)
    check_blend(target.blend, features=len(encoding.names))
    check_own(target.blend.own, encoding)


def _dumped(data: object) -> bytes:
    try:
        return (
            json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        ).encode()
    except (TypeError, ValueError) as error:
        raise ModelError("the model holds what JSON cannot", hint="keep extras plain and finite") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refuse_constant(_: str) -> None:
    raise _refusal("model.json holds a number that is not finite")


def _refusal(why: str) -> ModelError:
    return ModelError(f"the bundle is refused: {why}", hint="restore it from the registry, or train again")
