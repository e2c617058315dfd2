"""A Management Node as the public material describes it: tastypie's envelope, paging and errors."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

Row = dict[str, Any]


class StandIn:
    """An ASGI application over `tables` (path -> rows).

    `scripted` answers are given first, one per request. `total_error` is added to `total_count`.
    `after` runs after each page, to let rows move.
    """

    def __init__(self, **tables: list[Row]) -> None:
        self.tables = {f"/api/admin/status/v1/{name}/": rows for name, rows in tables.items()}
        self.cap = 10_000
        self.total_error = 0
        self.scripted: list[Response] = []
        self.requests: list[Request] = []
        self.after: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        response = self.scripted.pop(0) if self.scripted else self.page(request)
        await response(scope, receive, send)
        self.after()

    def page(self, request: Request) -> Response:
        path = request.url.path
        if path not in self.tables:
            return Response(status_code=404)
        query = dict(request.query_params)
        limit, offset = min(int(query.pop("limit", 20)), self.cap), int(query.pop("offset", 0))
        rows = self.tables[path]
        total = len(rows) + self.total_error

        def link(start: int) -> str | None:
            return (
                f"{path}?{urlencode({**query, 'limit': limit, 'offset': start})}"
                if 0 <= start < total
                else None
            )

        meta = {
            "limit": limit,
            "next": link(offset + limit),
            "offset": offset,
            "previous": link(offset - limit),
            "total_count": total,
        }
        return JSONResponse({"meta": meta, "objects": rows[offset : offset + limit]})

    @property
    def queries(self) -> list[tuple[int, int]]:
        """The (limit, offset) of every request."""
        return [
            (int(request.query_params["limit"]), int(request.query_params["offset"]))
            for request in self.requests
        ]


def conferences(count: int, first: int = 0) -> list[Row]:
    return [
        {"id": f"c{number}", "name": f"meeting {number}", "tag": ""} for number in range(first, first + count)
    ]
