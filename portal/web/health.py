"""For operations: liveness, readiness and metrics."""

from datetime import timedelta

import sqlalchemy as sa
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal import business_time
from portal.models import Heartbeat

HEARTBEAT_TIMEOUT = timedelta(seconds=30)


async def alive(request: Request) -> Response:
    """`GET` for liveness: the process runs."""
    del request
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """Readiness of database, queue and worker; 503 names the one that is not."""
    settings = request.app.state.settings
    parts: dict[str, str] = {}
    try:
        async with request.app.state.database.connection() as connection:
            last_beat = (
                await connection.execute(sa.select(sa.func.max(col(Heartbeat.beat_at))))
            ).scalar()
        parts["database"] = "ok"
        is_alive = last_beat is not None and business_time.now() - last_beat < HEARTBEAT_TIMEOUT
        parts["worker"] = "ok" if is_alive else "no sign of life for 30 seconds"
    except (SQLAlchemyError, OSError):
        parts["database"] = "cannot be reached"
        parts["worker"] = "unknown"
    parts["queue"] = await _queue(settings.redis_url)
    is_healthy = all(state == "ok" for state in parts.values())
    return JSONResponse(
        {"status": "ok" if is_healthy else "failing", **parts}, 200 if is_healthy else 503
    )


async def metrics(request: Request) -> Response:
    """The metrics for Prometheus; served only where a setting allows it."""
    if not request.app.state.settings.metrics:
        raise HTTPException(404)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def _queue(url: str | None) -> str:
    if url is None:
        return "no REDIS_URL is set"
    queue = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        await queue.ping()
    except (RedisError, OSError):
        return "cannot be reached"
    else:
        return "ok"
    finally:
        await queue.aclose()
