"""The night as an Airflow DAG (Airflow 3): one run a day, never two at once, old days on demand.

Not imported by leadrank; copy it into your DAG folder. ``data_interval_end`` is the midnight that is ranked,
so a backfill ranks the night it stands for and never takes the place of a newer one.
"""  # noqa: INP001

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="leadrank",
    schedule="30 1 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001  # Airflow's default zone is UTC
    catchup=False,
    max_active_runs=1,
):
    BashOperator(
        task_id="score",
        cwd="/srv/crm",
        bash_command="leadrank score --top 0 --json --as-of {{ data_interval_end.strftime('%Y-%m-%d') }}",
        retries=3,  # a service that is down, a lock and a full disk (exit codes 5, 6, 7) may pass
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=2),
    )
