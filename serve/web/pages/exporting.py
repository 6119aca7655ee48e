"""The list as a file: the leads that the page would show, all of them and no other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from serve.views import export
from serve.views.asking import Asked
from serve.views.index import Index
from serve.web.asking import address
from serve.web.pages.today import index_of
from serve.web.place import place_of
from serve.web.rules import Anyone, Viewer

router = APIRouter()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/leads.csv")
def csv(request: Request, viewer: Anyone) -> Response:
    """As CSV."""
    index, wanted = _exported(request, viewer, "csv")
    return StreamingResponse(
        export.csv(index, viewer.scope, wanted), media_type="text/csv; charset=utf-8", headers=_named("csv")
    )


@router.get("/leads.xlsx")
def xlsx(request: Request, viewer: Anyone) -> Response:
    """As an Excel file."""
    index, wanted = _exported(request, viewer, "xlsx")
    folder = tempfile.TemporaryDirectory(prefix="leadrank-")
    path = Path(folder.name) / "leads.xlsx"
    export.xlsx(index, viewer.scope, wanted, path)
    return FileResponse(
        path, media_type=XLSX, headers=_named("xlsx"), background=BackgroundTask(folder.cleanup)
    )


def _exported(request: Request, viewer: Viewer, kind: str) -> tuple[Index, Asked]:
    """What is asked for, with a line in the audit log."""
    place, at = place_of(request), address(request.query_params)
    index, _ = index_of(place, at)
    place.store.audit.add(place.clock(), viewer.user_id, f"export {kind}", index.run.run_id)
    return index, at.asked


def _named(kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="leads.{kind}"'}
