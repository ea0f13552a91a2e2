"""Real clients of face recognition services, as their makers ship them: each a child process that is called a line at a time.

    with deepstack_python("http://127.0.0.1:8000", key="...") as client:
        seen = client.call("recognize", image=folder / "code.png")

A picture is given as the `Path` of its file; the driver hands it over as its client wants it. What comes back is what the
client itself gave. What the client raised is a `ClientError`.
"""

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = _ROOT / ".venv-clients"
DRIVERS = Path(__file__).resolve().parent / "drivers"
NODE_DRIVERS = Path(__file__).resolve().parent / "node"
ENDS_WITHIN_S = 5.0


class ClientError(Exception):
    """What the client raised: its class, what it says, and the service's own code where the client gives it."""

    def __init__(self, kind: str, message: str, code: Any = None) -> None:
        super().__init__(f"{kind}: {message}" if code is None else f"{kind} ({code}): {message}")
        self.kind = kind
        self.message = message
        self.code = code


class ClientLost(Exception):
    """The driver gave no answer: it ended, or did not answer in time."""


class Client:
    """One client in a process of its own, which sees nothing of the environment of the tests."""

    def __init__(
        self,
        driver: Path,
        settings: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
        limit_s: float = 60,
    ) -> None:
        made = ENVIRONMENT / ".made" if driver.suffix == ".py" else driver.parent / "node_modules" / ".made"
        if not made.exists():
            raise RuntimeError(f"{made} is missing: make setup-clients")
        interpreter = ENVIRONMENT / "bin" / ("python" if driver.suffix == ".py" else "node")
        self._command = [interpreter, driver, json.dumps(settings)]
        self._environment = environment or {}
        self._limit_s = limit_s
        self._unread = b""

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="gatepass-client-")
        self._heard = Path(self._home.name) / "heard.log"
        with self._heard.open("wb") as heard:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=heard,
                cwd=self._home.name,
                env={
                    "HOME": self._home.name,  # so that no one's own configuration is found
                    "LANG": "C.UTF-8",  # python-facepp asks for the locale
                    "PYTHONDONTWRITEBYTECODE": "1",
                    **self._environment,
                },
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
        self._home.cleanup()

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, name: str, /, **arguments: Any) -> Any:
        """What the client's call of that name gave."""
        if self._process.poll() is not None:
            raise ClientLost(f"it has ended: {self._heard.read_text()}")
        assert self._process.stdin is not None
        asked = json.dumps({"call": name, "arguments": arguments}, default=_picture)
        self._process.stdin.write(asked.encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._line())
        if "error" in answer:
            raise ClientError(answer["error"], answer["message"], answer.get("code"))
        return answer["result"]

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        deadline = time.monotonic() + self._limit_s
        while b"\n" not in self._unread:
            if not select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._end(at_once=True)
                raise ClientLost(f"no answer within {self._limit_s:g} s: {self._heard.read_text()}")
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                raise ClientLost(f"it ended: {self._heard.read_text()}")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _end(self, *, at_once: bool = False) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if at_once:
            self._process.kill()
        self._process.stdin.close()
        try:
            self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(ENDS_WITHIN_S)
        self._process.stdout.close()


def _picture(value: Any) -> dict[str, str]:
    if not isinstance(value, Path):
        raise TypeError(f"{value!r} has no JSON form")
    return {"path": str(value.absolute())}


def compreface_sdk(url: str, key: str) -> Client:
    """compreface-sdk, for Python."""
    return Client(DRIVERS / "compreface_sdk.py", {**_host_and_port(url), "key": key})


def compreface_js_sdk(url: str, key: str) -> Client:
    """@exadel/compreface-js-sdk, for Node."""
    return Client(NODE_DRIVERS / "compreface_js_sdk.mjs", {**_host_and_port(url), "key": key})


def boto3(url: str, access_key: str, secret_key: str, region: str = "eu-west-1") -> Client:
    """boto3's client of Rekognition."""
    return Client(DRIVERS / "aws_boto3.py", {}, _aws(url, access_key, secret_key, region))


def awscli(url: str, access_key: str, secret_key: str, region: str = "eu-west-1") -> Client:
    """`aws rekognition`, run anew for every call."""
    return Client(DRIVERS / "aws_cli.py", {}, _aws(url, access_key, secret_key, region))


def client_rekognition(url: str, access_key: str, secret_key: str, region: str = "eu-west-1") -> Client:
    """@aws-sdk/client-rekognition, for Node."""
    return Client(NODE_DRIVERS / "client_rekognition.mjs", {}, _aws(url, access_key, secret_key, region))


def deepstack_python(url: str, key: str = "") -> Client:
    """deepstack-python."""
    at = urlsplit(url)
    return Client(DRIVERS / "deepstack_python.py", {"host": at.hostname or "", "port": str(at.port), "key": key})


def baidu_aip(proxy: str, api_key: str, secret_key: str) -> Client:
    """baidu-aip, for Python. Its host is fixed, so it is led here by a proxy: the address of a `connect_proxy`."""
    return Client(DRIVERS / "baidu_aip.py", {"proxy": proxy, "api_key": api_key, "secret_key": secret_key})


def baidu_aip_sdk(url: str, api_key: str, secret_key: str) -> Client:
    """baidu-aip-sdk, for Node."""
    return Client(NODE_DRIVERS / "baidu_aip_sdk.mjs", {"url": url, "api_key": api_key, "secret_key": secret_key})


def tencent_iai(url: str, secret_id: str, secret_key: str, region: str = "ap-guangzhou") -> Client:
    """tencentcloud-sdk-python-iai."""
    credentials = {"secret_id": secret_id, "secret_key": secret_key}
    return Client(DRIVERS / "tencent_iai.py", {"endpoint": urlsplit(url).netloc, "region": region, **credentials})


def python_facepp(url: str, api_key: str, api_secret: str) -> Client:
    """python-facepp."""
    return Client(DRIVERS / "python_facepp.py", {"url": url, "api_key": api_key, "api_secret": api_secret})


def _host_and_port(url: str) -> dict[str, str]:
    at = urlsplit(url)
    return {"host": f"{at.scheme}://{at.hostname}", "port": str(at.port)}


def _aws(url: str, access_key: str, secret_key: str, region: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_REKOGNITION": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,  # the name of it that the one for Node reads
    }
