"""What params.yaml may say, and what its reader is told when it says something else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from features.errors import ParameterError
from features.tables import CONTRACT, Field
from pipelines.params import digest, load, parse
from pipelines.presets import PRESETS

FLAT = "tables: {leads: {path: leads.csv, outcome_column: won}}\n"


def refused(text: str) -> str:
    with pytest.raises(ParameterError) as caught:
        parse(dedent(text))
    assert caught.value.code == 2
    return str(caught.value)


def test_a_minimal_file_has_only_tables():
    params = parse(FLAT)
    assert (params.seed, params.train.stage, params.train.horizon_days) == (7, "won", 90)
    assert (params.check.max_quarantine_share, params.scorecard.mql_points) == (0.05, 50)
    assert (params.tracking.uri, params.score.runs) == ("sqlite:///mlflow.db", "runs")
    assert params.tables["leads"].is_flat


def test_fields_are_read_with_kind_and_time():
    params = parse(
        """
        tables:
          leads:
            path: leads.csv
            outcome_column: won
            fields:
              "Größe: cm": {kind: number}
              plan: {kind: category, time: current, label: their plan}
        """
    )
    fields = params.tables["leads"].fields
    assert fields["Größe: cm"] == Field("number")
    assert fields["plan"] == Field("category", "current", "their plan")


@pytest.mark.parametrize(
    ("text", "path", "near"),
    [
        (FLAT + "train: {horizon_day: 3}", "train.horizon_day", "horizon_days"),
        (FLAT + "sede: 3", "sede", "seed"),
        ("tables: {leads: {pth: leads.csv, outcome_column: won}}", "tables.leads.pth", "path"),
        (
            "tables: {leads: {path: l.csv, outcome_column: w, fields: {a: {kind: flag, tme: static}}}}",
            "tables.leads.fields.a.tme",
            "time",
        ),
        (
            FLAT + "scorecard: {rules: [{feature: a, at_least: 1, points: 1, pionts: 3}]}",
            "scorecard.rules.0.pionts",
            "points",
        ),
        ("tables: {leds: {path: leads.csv}}", "tables.leds", "leads"),
        (
            "tables: {leads: {path: l.csv, outcome_column: w, mapping: {led_id: Id}}}",
            "tables.leads.mapping.led_id",
            "lead_id",
        ),
    ],
)
def test_an_unknown_key_is_refused_with_its_path_and_the_nearest_name(text: str, path: str, near: str):
    message = refused(text)
    assert f"'{path}'" in message
    assert f"did you mean '{near}'" in message


@pytest.mark.parametrize(
    ("section", "path", "expected"),
    [
        ("seed: '7'", "seed", "a whole number"),
        ("train: {bags: true}", "train.bags", "a whole number"),
        ("train: {horizon_days: 1.5}", "train.horizon_days", "a whole number"),
        ("train: {horizon_days: 0}", "train.horizon_days", "greater than or equal to 1"),
        ("train: {max_depth: 9}", "train.max_depth", "less than or equal to 8"),
        ("train: {bags: 0}", "train.bags", "greater than"),
        ("train: {max_rows: 999}", "train.max_rows", "greater than or equal to 1000"),
        ("train: {as_of: soon}", "train.as_of", "a moment such as"),
        ("check: {max_quarantine_share: 1.01}", "check.max_quarantine_share", "less than or equal to 1"),
        ("scorecard: {mql_points: 1e999}", "scorecard.mql_points", "a finite number"),
        ("features: {kinds: {call: {weight: 1e999}}}", "features.kinds.call.weight", "a finite number"),
        ("features: {kinds: {call: {says: maybe}}}", "features.kinds.call.says", "'direct', 'contextual'"),
        ("score: {publish_columns: name}", "score.publish_columns", "a list"),
        ("score: {grade_shares: [0.5, 0.5, 0.75]}", "score.grade_shares", "three rising shares"),
        ("score: {routes: {call: [A1], wait: [A1]}}", "score.routes", "grades by route, each grade in one"),
        ("tracking: mlflow", "tracking", "a section"),
        ("preset: sugarcrm", "preset", "'salesforce', 'hubspot', 'dynamics' or 'marketo'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path_and_what_is_expected(section: str, path: str, expected: str):
    message = refused(FLAT + section)
    assert f"'{path}' must be {expected}" in message


def test_more_generic_features_than_the_library_holds_are_refused():
    assert refused(FLAT + "features: {library_max: 40}") == (
        "features.generic_max (60) is above features.library_max (40) — "
        "generic features count there too: set features.generic_max to 40 or less"
    )
    assert parse(FLAT + "features: {library_max: 40, generic_max: 40}").features.generic_max == 40


def test_numbers_of_which_one_leaves_the_other_without_effect_are_refused():
    assert refused(FLAT + "retrain: {every_days: 5}") == (
        "retrain.rest_days (7) is above retrain.every_days (5) — "
        "a training cannot be due in the days of rest: lower retrain.rest_days"
    )
    assert parse(FLAT + "retrain: {every_days: 7}").retrain.rest_days == 7
    assert parse(FLAT + "retrain: {every_days: null, rest_days: 60}").retrain.rest_days == 60
    assert refused(FLAT + "monitor: {realised: {weeks: 3}}").startswith(
        "monitor.realised.recent_weeks (4) is above monitor.realised.weeks (3)"
    )
    assert parse(FLAT + "monitor: {realised: {weeks: 4}}").monitor.realised.weeks == 4


@pytest.mark.parametrize("what", ["its folder", "score.runs", "engine.shared"])
def test_a_folder_that_would_be_read_as_a_column_is_refused(tmp_path, what):
    home = tmp_path / ("owner=ann" if what == "its folder" else "home")
    home.mkdir()
    given = {"score.runs": "score: {runs: owner=ann/runs}", "engine.shared": "engine: {shared: owner=ann}"}
    (home / "params.yaml").write_text(FLAT + given.get(what, ""))
    with pytest.raises(ParameterError, match=f"{what} lies in a folder called 'owner=ann'"):
        load(home / "params.yaml")


def test_no_message_repeats_a_value():
    hidden = "postgresql://u:hunter2@db"
    for text in (
        f"seed: {hidden}",
        f"train: {hidden}",
        f"train: {{as_of: '{hidden}'}}",
        f"check: ['{hidden}']",
    ):
        assert "hunter2" not in refused(FLAT + text)


def test_the_highest_depth_is_eight():
    assert parse(FLAT + "train: {max_depth: 8}").train.max_depth == 8


def test_no_and_yes_are_texts_as_people_mean_them():
    params = parse("tables: {leads: {path: l.csv, outcome_column: y, won_values: [yes, no, on, NO]}}")
    assert params.tables["leads"].won_values == ("yes", "no", "on", "NO")


@pytest.mark.parametrize("value", ["true", "1", "1.0"])
def test_a_won_value_that_yaml_reads_as_something_else_is_to_be_quoted(value: str):
    message = refused(f"tables: {{leads: {{path: l.csv, outcome_column: w, won_values: [{value}]}}}}")
    assert "'tables.leads.won_values.0' must be text — put it in quotes" in message


def test_a_key_that_stands_twice_is_refused_with_its_line():
    message = refused("seed: 1\n" + FLAT + "seed: 2")
    assert "line 3: the key 'seed' stands twice" in message


def test_a_tab_is_explained():
    assert "a tab stands where YAML wants spaces" in refused("train:\n\tbags: 3")


def test_yaml_runs_no_code():
    refused("seed: !!python/object/apply:os.getcwd []\n" + FLAT)


@pytest.mark.parametrize("text", ["", "leads", "[1, 2]"])
def test_a_file_without_keys_is_refused(text: str):
    assert "holds no parameters" in refused(text)


def test_a_section_with_all_keys_commented_out_means_the_defaults():
    assert parse(FLAT + "train:\n  # bags: 9\n").train.bags == 4


def test_a_moment_is_utc_and_a_date_is_its_midnight():
    texts = ("2026-01-02", "2026-01-02T00:00:00", "2026-01-02T02:00:00+02:00", "2026-01-02 00:00:00Z")
    moments = [parse(FLAT + f"train: {{as_of: {text}}}").train.as_of for text in texts]
    assert moments == [datetime(2026, 1, 2, tzinfo=UTC)] * 4


def test_a_missing_file_says_how_to_get_one(tmp_path: Path):
    with pytest.raises(
        ParameterError, match=r"no params.yaml here — run `leadrank init FILE…` or `leadrank demo`"
    ):
        load(tmp_path / "params.yaml")


def test_a_folder_or_another_encoding_is_no_parameter_file(tmp_path: Path):
    (tmp_path / "latin.yaml").write_bytes("# Größe\n".encode("latin-1"))
    with pytest.raises(ParameterError, match="not UTF-8"):
        load(tmp_path / "latin.yaml")
    with pytest.raises(ParameterError, match="cannot be read"):
        load(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path):
    (tmp_path / "params.yaml").write_text(FLAT, encoding="utf-8-sig")
    assert load(tmp_path / "params.yaml") == parse(FLAT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tables: {touches: {path: t.csv}}", "the table 'leads' is missing"),
        ("tables: {leads: {path: l.csv}}", "nothing says which leads were won"),
        (
            "tables: {leads: {path: l.csv, outcome_column: w}, outcomes: {path: o.csv}}",
            "the outcome is given twice",
        ),
        ("tables: {leads: {outcome_column: w}}", "tables.leads has no path"),
        ("tables: {leads: {format: database, outcome_column: w, url_env: DB}}", "without an address"),
        (
            "tables: {leads: {format: database, url_env: D, database_table: v, path: l, outcome_column: w}}",
            "both a path and format: database",
        ),
        ("tables: {leads: {format: spark, outcome_column: w}}", "a table of Spark without a name"),
        (
            "tables: {leads: {format: spark, spark_table: t, path: l, outcome_column: w}}",
            "both a path and format: spark",
        ),
        (
            "tables: {leads: {path: l, spark_table: t, outcome_column: w}}",
            "tables.leads has a spark_table and format: csv",
        ),
        (
            "tables: {leads: {format: spark, spark_table: t, outcome_column: w}}",
            "'tables.leads' of Spark, and engine.name is 'duckdb' — set engine.name: spark",
        ),
        (
            "tables: {leads: {path: l, fields: {a: {kind: flag, time: tracked}}}, outcomes: {path: o}}",
            "'tables.leads.fields.a' tracked, but there is no field history",
        ),
        (
            "tables: {leads: {path: l.csv, outcome_column: w, fields: {w: {kind: flag}}}}",
            "the outcome column is also a field",
        ),
        ("tables: {leads: {path: l.csv, outcome_column: w, won_values: []}}", "won_values is empty"),
        (
            "tables: {leads: {path: l.csv}, outcomes: {path: o.csv, fields: {a: {kind: flag}}}}",
            "tables.outcomes takes no fields",
        ),
        (
            "tables: {leads: {path: l.csv, order_column: n}, outcomes: {path: o.csv}}",
            "order_column needs an outcome_column",
        ),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(text: str, message: str):
    assert message in refused(text)


def test_a_table_of_spark_is_read_where_spark_is_the_engine():
    params = parse(
        """
        engine: {name: spark}
        tables: {leads: {format: spark, spark_table: "delta.`/lake/leads`", outcome_column: w}}
        """
    )
    assert params.tables["leads"].spark_table == "delta.`/lake/leads`"


def test_touches_are_optional_in_both_ways_to_start():
    parse("tables: {leads: {path: l.csv}, outcomes: {path: o.csv}}")
    parse("tables: {leads: {path: l.csv, outcome_column: w}, touches: {path: t.csv}}")


def test_a_preset_names_headers_and_an_explicit_mapping_wins():
    params = parse(
        """
        preset: salesforce
        tables:
          leads: {path: l.csv, mapping: {source: My_Source__c}}
          outcomes: {path: o.csv}
        """
    )
    leads = params.tables["leads"]
    assert (leads.header("lead_id"), leads.header("created_at")) == ("Id", "CreatedDate")
    assert leads.header("source") == "My_Source__c"
    assert params.tables["outcomes"].mapping == {}


def test_presets_map_contract_columns_only():
    for headers in PRESETS.values():
        for table, mapping in headers.items():
            assert set(mapping) <= set(CONTRACT[table].columns)
            assert len(set(mapping.values())) == len(mapping)


def test_the_digest_follows_the_meaning_and_not_the_text():
    same = "# a comment\nseed: 7\n" + FLAT
    assert digest(parse(FLAT)) == digest(parse(same))
    assert digest(parse(FLAT)) != digest(parse("seed: 8\n" + FLAT))
    assert digest(parse(FLAT)) != digest(parse(FLAT.replace("won", "y")))


def test_parameters_cannot_be_changed_after_loading():
    params = parse(FLAT)
    with pytest.raises(ValueError, match="frozen"):
        params.train.bags = 1
