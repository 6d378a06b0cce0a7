"""Who is answered: the page itself, with its token, from this machine; and what is said of everything else."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from inmo.errors import UserError
from inmo.harness.web.server import HOST, Server


def _fail(given: Mapping[str, Any]) -> Mapping[str, Any]:
    raise UserError("draw a box first")


def _picture(video: int, index: int) -> bytes:
    if index == 7:
        raise UserError("frame 7 is damaged")
    return [b"jpeg of 0", b"jpeg of 1"][index]


@pytest.fixture(scope="module")
def server() -> Server:
    made = Server("label", {"echo": lambda given: {"got": given["word"]}, "fail": _fail}, _picture)
    threading.Thread(target=made.run, daemon=True).start()
    return made


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of an answer."""
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


JSON = {"Content_Type": "application/json"}


def test_the_page_its_files_and_its_answers(server: Server) -> None:
    status, body, headers = ask(server.address)
    assert (status, b"<title>Label a video</title>" in body) == (200, True)
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    for name in ("style.css", "stage.js", "label.js"):
        assert ask(server.address + name)[0] == 200
    assert ask(f"{server.address}frame/0/1")[:2] == (200, b"jpeg of 1")
    status, body, _ = ask(f"{server.address}do/echo", b'{"word": "x"}', **JSON)
    assert (status, json.loads(body)) == (200, {"got": "x"})


def test_what_a_person_can_mend_is_said(server: Server) -> None:
    status, body, _ = ask(f"{server.address}do/fail", b"{}", **JSON)
    assert (status, json.loads(body)) == (422, {"error": "draw a box first"})
    status, body, _ = ask(f"{server.address}frame/0/7")
    assert (status, json.loads(body)) == (422, {"error": "frame 7 is damaged"})


@pytest.mark.parametrize("path", ["", "label.html", "../server.py", "%2e%2e/server.py", "page/style.css", "frame/0/99"])
def test_other_paths_are_not_there(server: Server, path: str) -> None:
    wrong = server.address if path else f"http://{HOST}:{server.port}/"
    assert ask(wrong + path)[0] == 404


@pytest.mark.parametrize("token", ["x", "", "%00", "a" * 32])
def test_without_the_token_nothing_is_there(server: Server, token: str) -> None:
    base = f"http://{HOST}:{server.port}/{token}/"
    assert {ask(base + path)[0] for path in ("", "stage.js", "frame/0/0")} == {404}
    assert ask(f"{base}do/echo", b'{"word": "x"}', **JSON)[0] == 404


def test_other_names_and_other_sites_are_refused(server: Server) -> None:
    assert ask(server.address, Host="evil.example")[0] == 403
    assert ask(server.address, Host=f"evil.example:{server.port}")[0] == 403
    assert ask(server.address, Host=f"localhost:{server.port}")[0] == 200
    body = b'{"word": "x"}'
    url = f"{server.address}do/echo"
    assert ask(url, body, Origin="http://evil.example", **JSON)[0] == 403
    assert ask(url, body, Origin="null", **JSON)[0] == 403
    assert ask(url, body, Origin=f"http://{HOST}:{server.port}", **JSON)[0] == 200
    assert ask(url, body, Content_Type="text/plain")[0] == 415
    assert ask(url, body)[0] == 415


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"[" * 50_000])
def test_what_no_page_of_ours_sends(server: Server, body: bytes) -> None:
    assert ask(f"{server.address}do/echo", body, **JSON)[0] == 400


def test_it_listens_on_this_machine_alone_and_says_when_a_port_is_taken(server: Server) -> None:
    assert {socket.getsockname()[0] for socket in server._sockets} == {HOST}
    with pytest.raises(UserError, match=f"port {server.port} cannot be had"):
        Server("label", {}, _picture, server.port)
    other = Server("label", {}, _picture)
    assert other.token != server.token
    assert len(other.token) == 32
    for socket in other._sockets:
        socket.close()
