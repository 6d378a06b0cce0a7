"""A server for one person at this machine: on 127.0.0.1 alone, with a token in its address."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import webbrowser
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

from inmo.errors import UserError
from inmo.trackers.base import TrackerFailure

try:
    import tornado.httpserver
    import tornado.netutil
    import tornado.web
except ImportError as error:
    raise UserError("pages in the browser need the extra web: pip install 'inmo-harness[web]'") from error

HOST = "127.0.0.1"
MAX_BODY = 1 << 16  # bytes; what a page sends is a few numbers
KINDS = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # fmt: skip  # noqa: E501

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
Picture = Callable[[int, int], bytes]


class Server:
    """The files of a page, its pictures and its answers.

    Everything is computed by one thread, one thing after another: trackers and videos are no objects for two.

    Args:
        page: name of the page's own files, ``label`` or ``play``.
        answers: name -> from what the page sent to what it is answered, both JSON; UserError and TrackerFailure are
            shown to the person, KeyError, TypeError and ValueError mean that no page of ours sent it.
        picture: (video, frame) to JPEG.
        port: 0 for any that is free.

    Raises:
        UserError: the port cannot be had.
    """

    def __init__(self, page: str, answers: Mapping[str, Answer], picture: Picture, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        self.page, self.answers, self.picture = page, answers, picture
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="page")
        try:
            if not 0 <= port < 1 << 16:
                raise OSError("there are 65535")
            self._sockets = tornado.netutil.bind_sockets(port, HOST)
        except OSError as error:
            raise UserError(f"port {port} cannot be had ({error}): name another with --port, or none") from error
        self.port = self._sockets[0].getsockname()[1]
        logging.getLogger("tornado.access").setLevel(logging.ERROR)  # a refused request is no news to the terminal

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/{self.token}/"

    def run(self, *, show: bool = False) -> None:
        """Serve until an interruption (Ctrl-C), which ends the serving and is no error. ``show``: open a browser."""
        try:
            asyncio.run(self._serve(show))
        except KeyboardInterrupt:
            pass
        finally:
            self.pool.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, show: bool) -> None:
        given = {"server": self}
        application = tornado.web.Application(
            [
                (r"/([^/]+)/(|[a-z]+\.(?:js|css))", _File, given),
                (r"/([^/]+)/frame/(\d{1,7})/(\d{1,7})", _Frame, given),
                (r"/([^/]+)/do/([a-z]+)", _Do, given),
            ],
            default_handler_class=_Guarded,
            default_handler_args=given,
        )
        server = tornado.httpserver.HTTPServer(application, max_body_size=MAX_BODY)
        server.add_sockets(self._sockets)
        if show:
            webbrowser.open(self.address)
        await asyncio.Event().wait()


class _Guarded(tornado.web.RequestHandler):
    """Answers nobody but the page itself: the token in the path, this machine's name, no other site's request."""

    def initialize(self, server: Server) -> None:
        self.server = server

    def prepare(self) -> None:
        names = {f"{HOST}:{self.server.port}", f"localhost:{self.server.port}"}
        token = self.path_args[0] if self.path_args else ""
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise tornado.web.HTTPError(404)
        origin = self.request.headers.get("Origin")
        if self.request.host not in names or (origin is not None and origin.removeprefix("http://") not in names):
            raise tornado.web.HTTPError(403)  # a name that was made to lead here, or a page of another site

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")

    def write_error(self, status_code: int, **details: Any) -> None:
        self.finish({"error": f"the page was not understood ({status_code}): load it again"})

    async def compute(self, function: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.server.pool, function, *given)


class _File(_Guarded):
    """The page's files, from the package."""

    def get(self, token: str, name: str) -> None:
        file = resources.files("inmo.harness.web").joinpath("page", name or f"{self.server.page}.html")
        if not file.is_file():
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", KINDS[file.name.rpartition(".")[2]])
        self.finish(file.read_bytes())


class _Frame(_Guarded):
    async def get(self, token: str, video: str, index: str) -> None:
        try:
            picture = await self.compute(self.server.picture, int(video), int(index))
        except UserError as error:
            self.set_status(422)
            self.finish({"error": str(error)})
        except (IndexError, ValueError):
            raise tornado.web.HTTPError(404) from None
        else:
            self.set_header("Content-Type", "image/jpeg")
            self.set_header("Cache-Control", "private, max-age=3600")
            self.finish(picture)


class _Do(_Guarded):
    """What the page asks for: JSON in, JSON out."""

    async def post(self, token: str, name: str) -> None:
        if self.request.headers.get("Content-Type") != "application/json":  # which no form of another site can send
            raise tornado.web.HTTPError(415)
        answer = self.server.answers.get(name)
        if answer is None:
            raise tornado.web.HTTPError(404)
        try:
            given = json.loads(self.request.body)
            found = await self.compute(answer, given)
        except (UserError, TrackerFailure) as error:
            self.set_status(422)
            found = {"error": str(error)}
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
            raise tornado.web.HTTPError(400) from error
        self.finish(json.dumps(found))
