"""A feature: a function from a lead's history to one value, and the words to say it in.

``FeatureSpec`` is the part that a model keeps (names and words); ``Feature`` adds the function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, TypeAlias, get_args

from features.errors import FeatureError
from features.languages import ENGLISH, PLURAL_FORMS, Language, language
from features.sentences import NOT_KNOWN, PLACEHOLDERS, POINTS_LEFT, around, forms_wanted, pieces, speaker
from features.wording import Sentence

__all__ = [
    "ENGLISH", "NOT_KNOWN", "POINTS_LEFT", "Catalogue", "Compute", "Feature", "FeatureSpec", "Language", "On",
    "around", "catalogue", "feature", "language",
]  # fmt: skip
"""Models know this module of ours only: languages and what a card says around a sentence come through it."""

Compute: TypeAlias = Callable[..., Any]
On: TypeAlias = Literal[
    "leads", "touches", "outcomes", "account_touches", "account_outcomes", "account_leads", "peers", "words",
    "owner",
]  # fmt: skip


@dataclass(frozen=True)
class FeatureSpec:
    """What a model and a page need to know about one column of the feature table.

    Attributes
    ----------
    name
        Column name, for example ``email_opens_30d``.
    stem
        Name without its window: the columns of one stem speak with one sentence.
    family
        File that the feature lives in: ``fit``, ``behaviour``, ``recency`` …
    kind
        ``number`` (also counts and flags as 0 and 1) or ``category`` (text).
    says
        Sentence for a sales manager; ``{value}``, ``{days}``, ``{window}`` (the window in words), ``{each}``
        and ``{label}`` are filled in.
    days
        Window length in days; None for all history.
    each
        The value that a ``per`` feature is about, for example a touch kind; None for plain features.
    doc
        What it measures, in which unit, and what null means.
    one, none
        The sentence where the number is 1, and where it is 0; None says it as for others.
    label
        What the user calls the column that the feature reads; None for features of no single column.
    translations
        The user's own translations by language, as in `features.wording.Sentence`.
    """

    name: str
    stem: str
    family: str
    kind: Literal["number", "category"]
    says: str
    days: int | None = None
    each: str | None = None
    doc: str = ""
    one: str | None = None
    none: str | None = None
    label: str | None = None
    translations: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)

    def sentence(self, value: object, language: str = "en") -> str:
        """Fill the sentence in; None leaves the value open.

        >>> says, one = "{value} opens {window}", "{value} open {window}"
        >>> opens = FeatureSpec("opens_30d", "opens", "behaviour", "number", says, 30, one=one)
        >>> opens.sentence(4.0), opens.sentence(1.0)
        ('4 opens in the last 30 days', '1 open in the last 30 days')
        """
        return self.speaker(language)(value)

    def speaker(self, language: str = "en") -> Callable[[object], str]:
        """What fills the sentence in, prepared for many values: call it once for each different one.

        Parameters
        ----------
        language
            ``en``, ``zh`` or ``ru``.

        Raises
        ------
        ParameterError
            There is no such language.
        """
        return speaker(self, language)

    def as_json(self) -> dict[str, Any]:
        """Plain data; `from_json` brings it back. Words that it does not have are left out."""
        said = asdict(self)
        return {name: value for name, value in said.items() if name not in _OPTIONAL or value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FeatureSpec:
        """The feature that `as_json` described, also where an earlier version did."""
        own = {code: tuple(forms) for code, forms in data.get("translations", {}).items()}
        return cls(**{**data, "translations": own})


_OPTIONAL = ("one", "none", "label", "translations")


@dataclass(frozen=True)
class Feature(FeatureSpec):
    """A feature that can be computed.

    Attributes
    ----------
    on
        Rows that the function receives (`features.pasts`); ``leads`` gives one row per snapshot.
    per
        Column of which the function sees the rows of one value: ``each``, or if that is None every value
        in turn, and the feature is the value with the greatest result. None for plain features.
    is_top
        Whether the feature is the value itself.
    empty
        Value for a lead without rows in the window; None leaves it null.
    compute
        History to one aggregate, or for ``leads`` the row to one column.
    """

    on: On = "touches"
    per: str | None = None
    is_top: bool = False
    empty: float | None = None
    compute: Compute = len

    @property
    def spec(self) -> FeatureSpec:
        """The part without the function."""
        return FeatureSpec(**{f.name: getattr(self, f.name) for f in fields(FeatureSpec)})


class Catalogue:
    """Features by name, in the order they were defined."""

    def __init__(self) -> None:
        self._features: dict[str, Feature] = {}

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._features.values())

    def __len__(self) -> int:
        return len(self._features)

    def feature(
        self,
        *,
        on: On,
        says: str | Sentence,
        days: int | Sequence[int | None] | None = None,
        per: str | None = None,
        top: str | None = None,
        empty: float | None = None,
        kind: Literal["number", "category"] = "number",
    ) -> Callable[[Compute], Compute]:
        """Add the decorated function as a feature, or as one feature per window.

        Parameters
        ----------
        on
            Table whose history the function receives, already cut at the moment.
        says
            Sentence for a sales manager, with ``{value}`` and, if used, ``{days}``, ``{window}`` (the window
            in words) and ``{each}``; a `Sentence` where 1 or 0 is said in other words, or for translations.
        days
            Window lengths in days; None is all history. ``days=(7, 30)`` on ``opens`` adds
            ``opens_7d`` and ``opens_30d``.
        per
            Column whose most common values each get a copy: it sees only the rows with that value.
        top
            Column of which the feature is the value whose rows give the function's greatest result (of
            results equal to six decimals, the last in the alphabet).
        empty
            Value for a lead without rows in the window.
        kind
            ``category`` if the function returns text.

        Raises
        ------
        FeatureError
            The name is taken, the function has no docstring, or a sentence could not be filled in.
        """
        said = Sentence(says) if isinstance(says, str) else says

        def add(compute: Compute) -> Compute:
            about = {"per": top, "is_top": True, "kind": "category"} if top else {"per": per, "kind": kind}
            plain = _plain(compute, said, on=on, empty=empty, **about)
            for length in (days,) if days is None or isinstance(days, int) else days:
                name = plain.stem if length is None else f"{plain.stem}_{length}d"
                self._add(replace(plain, name=name, days=length))
            return compute

        return add

    def expand(self, values: Mapping[str, Sequence[str]]) -> tuple[Feature, ...]:
        """All features, with each ``per`` feature copied for the given values of its column.

        Parameters
        ----------
        values
            Values by column name, for example ``{"kind": ["email_open", "web_visit"]}``.
        """
        return tuple(copy for f in self for copy in _copies(f, values))

    def _add(self, feature: Feature) -> None:
        if feature.name in self._features:
            raise FeatureError(f"feature '{feature.name}' is already defined", hint="pick another name")
        self._features[feature.name] = feature


def _plain(compute: Compute, said: Sentence, **given: Any) -> Feature:
    """One feature over all history, named like its function."""
    stem = compute.__name__
    _check(stem, str(given["on"]))
    _check_words(stem, said)
    if not compute.__doc__:
        raise FeatureError(
            f"feature '{stem}' has no docstring",
            hint="say what it measures, in which unit, and when it is null",
        )
    return Feature(
        stem,
        stem,
        compute.__module__.rpartition(".")[2],
        says=said.many,
        one=said.one,
        none=said.none,
        translations=said.translations,
        doc=compute.__doc__.strip(),
        compute=compute,
        **given,
    )


def _check(stem: str, on: str) -> None:
    """Refuse rows that do not exist."""
    if on not in get_args(On):
        raise FeatureError(
            f"feature '{stem}' is on '{on}', and there are no such rows",
            hint=f"use {', '.join(get_args(On))}",
        )


def _check_words(stem: str, said: Sentence) -> None:
    """Refuse a sentence that could not be filled in, and a translation that lacks a form."""
    for code, forms in said.translations.items():
        wanted = forms_wanted(said, code)
        if isinstance(forms, str) or len(forms) != wanted:
            raise FeatureError(
                f"the translation '{code}' of feature '{stem}' does not have {wanted} texts",
                hint=f"give a list for {' or '.join(PLURAL_FORMS)}: its plural forms, then that for 0",
            )
    every = [
        said.many,
        said.one,
        said.none,
        *(text for forms in said.translations.values() for text in forms),
    ]
    if any(not _can_be_filled_in(text) for text in every if text is not None):
        raise FeatureError(
            f"the sentence of feature '{stem}' has an unknown placeholder",
            hint="use {value}, {days}, {window} and {each}",
        )


def _can_be_filled_in(template: str) -> bool:
    try:
        named = {name for _, name, _ in pieces(template)}
    except ValueError:  # a brace that is not closed
        return False
    return named <= {None, *PLACEHOLDERS}


def _copies(feature: Feature, values: Mapping[str, Sequence[str]]) -> Iterator[Feature]:
    if feature.per is None or feature.is_top:
        yield feature
        return
    for each in values.get(feature.per, ()):
        name = feature.name.replace(feature.stem, f"{feature.stem}[{each}]", 1)
        yield replace(feature, name=name, stem=f"{feature.stem}[{each}]", each=each)


catalogue = Catalogue()
feature = catalogue.feature
