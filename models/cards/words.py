"""What figures, contenders and columns of a model card are called; the catalogues translate them."""

from __future__ import annotations

from features.catalogue import Language
from models.labels import marked

SLICES = (
    marked("slice"), marked("value"), marked("rows"), marked("leads"), marked("positive"), marked("forecast"),
    marked("came true (95 %)"), marked("inside"), marked("ROC-AUC (95 %)"),
)  # fmt: skip
SLICES_NOTE = marked(
    "Forecast is the mean probability. The interval of the rate counts leads (Wilson); of twenty forecasts "
    "that are right, one lies outside."
)
HELD = {"rising": marked("the chance never falls"), "falling": marked("the chance never rises")}
HELD_COLUMNS = (marked("as its value rises"), marked("features"))
TARGET = (
    marked("rows"), marked("reached"), marked("ROC-AUC"), marked("log loss"), marked("calibration error"),
    marked("remark"),
)  # fmt: skip
TAGS = (
    marked("tag"), marked("days ahead"), marked("precision floor"), marked("precision"), "n",
    marked("base rate"), marked("shown"),
)  # fmt: skip
TAGS_NOTE = marked(
    "Precision is that of the n tagged rows of the test slice; where it misses its floor, a tag is not shown."
)
CALIBRATION = (marked("forecast"), marked("came true"), marked("rows"))
LEAKS = (marked("column"), marked("verdict"), marked("evidence"))
LINEAGE_COLUMNS = (marked("what"), marked("value"))
LINEAGE_NOTE = marked("The same data, parameters, code and packages make the same model, byte for byte.")
LINEAGE = {
    "data_digest": marked("digest of the data"),
    "params_digest": marked("digest of the parameters"),
    "known_until": marked("outcomes known until"),
    "decided_leads": marked("leads with an outcome"),
    "leadrank": marked("version of leadrank"),
    "leadrank_commit": marked("commit of leadrank"),
    "leadrank_changed": marked("code differs from its commit"),
    "project_commit": marked("commit of the project"),
    "project_changed": marked("project differs from its commit"),
    "packages_digest": marked("digest of the installed packages"),
    "lock_digest": marked("digest of requirements.lock"),
}
CODES = {
    "n": marked("rows"),
    "positives": marked("positive"),
    "base_rate": marked("base rate"),
    "roc_auc": marked("ROC-AUC"),
    "average_precision": marked("average precision"),
    "log_loss": marked("log loss"),
    "brier": marked("Brier score"),
    "calibration_error": marked("calibration error"),
    "lift_10": marked("lift at 10 %"),
    "lift_20": marked("lift at 20 %"),
    "capture_10": marked("capture at 10 %"),
    "capture_20": marked("capture at 20 %"),
    "model": marked("model"),
    "scorecard": marked("scorecard"),
    "newest_first": marked("newest first"),
    "logistic_regression": marked("logistic regression"),
    "learned_card": marked("learned card"),
}


def called(code: str, words: Language) -> str:
    """A figure or contender in words; a code without any is shown with spaces for underscores."""
    return words.text(CODES[code]) if code in CODES else code.replace("_", " ")
