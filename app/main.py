"""The application as an ASGI server runs it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version

from fastapi import FastAPI

from app.faces.http.front import Front
from app.faces.http.routes import make_routes
from app.faces.pages import files as pages
from app.settings import Settings
from app.wiring import running


def make_app(
    settings: Settings | None = None,
    *,
    beside: Callable[[Front], AbstractAsyncContextManager[None]] = lambda _front: nullcontext(),
) -> Front:
    """The whole service: started by the server's lifespan, stopped with it. The database has to be prepared.

    `beside` is what goes on as long as it is served.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(_routes: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as context:
            front.open(context)
            await context.pictures.warm_up()
            async with beside(front):
                yield

    routes = make_routes(version("gatepass"), lifespan, settings.public_url)
    routes.include_router(pages.router)
    front = Front(routes)
    return front
