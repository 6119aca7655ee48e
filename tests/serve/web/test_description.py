"""The API does what its description says, whatever a generator of requests thinks of (Schemathesis)."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from serve.state.users import Role
from serve.web import limiting
from serve.web.pages.documentation import described

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance


@pytest.fixture
def api(ranked, monkeypatch):
    """The description of the API, answered by the application itself for a manager of South."""
    from limits import RateLimitItemPerMinute

    monkeypatch.setattr(limiting, "REQUESTS", RateLimitItemPerMinute(100_000))
    ranked.user("sales", Role.MANAGER, ["South"])
    found = schemathesis.openapi.from_dict(described(ranked.app))
    found.app = ranked.app
    found.token = ranked.program("sales").headers["authorization"]
    return found


SETTINGS = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def test_every_answer_is_one_that_the_description_has(api):
    every = [found.ok() for found in api.get_all_operations()]
    operations = [
        operation for operation in every if not operation.path.endswith("/score")
    ]  # wants a champion
    assert len(operations) >= 8
    for operation in operations:

        @given(case=operation.as_strategy())
        @SETTINGS
        def answers(case):
            answer = case.call("http://localhost", headers={"Authorization": api.token})
            case.validate_response(answer, checks=CHECKS)
            assert "zqNorth" not in answer.text

        answers()
