"""What is taken from a server of ``http``: no more than was asked for, and not for ever."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LARGEST_ANSWER = 64_000_000
"""Bytes of an answer of which no range was asked for, such as a listing."""
CONNECTING, SILENCE, WHOLE = 10.0, 30.0, 300.0
"""Seconds until a server answers, between two parts of an answer, and for all of one."""
_RANGE, _END = re.compile(r"bytes=(\d+)-(\d+)"), re.compile(r"bytes=-(\d+)")
_OK = 200


def client_options(configured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an aiohttp session: limits of time, and answers that are read to a limit.

    A server may ignore the range that it was asked for, or pack an answer that unpacks to far more.

    Parameters
    ----------
    configured : mapping of str to value
        What the user gives sessions, such as ``trust_env`` for a proxy, or headers.

    Raises
    ------
    ImportError
        If aiohttp is not installed.
    """
    import aiohttp

    class Bounded(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            if self._body is None:
                self._body = await _read(self)
            return self._body

    timeout = aiohttp.ClientTimeout(total=WHOLE, sock_connect=CONNECTING, sock_read=SILENCE)
    headers = {**configured.get("headers", {}), "Accept-Encoding": "identity"}
    own = {"timeout": timeout, "response_class": Bounded, "headers": headers, "auto_decompress": False}
    return {**configured, **own}


async def _read(response: Any) -> bytes:
    """Return the body of an answer, or of one that holds more than was asked for that part.

    Some servers take no notice of ranges: what lies before a part, or an end, is read too, up to a limit.
    """
    wanted, is_whole = response.request_info.headers.get("Range", ""), response.status == _OK
    asked, end = _RANGE.fullmatch(wanted), _END.fullmatch(wanted)
    start, stop = (int(asked[1]), int(asked[2]) + 1) if asked else (0, LARGEST_ANSWER)
    if end and not is_whole:
        stop = int(end[1])
    elif asked and not is_whole:
        start, stop = 0, stop - start
    try:
        if start and stop > LARGEST_ANSWER:
            raise ValueError("expected a server that answers ranges, found the whole where a part was asked for")
        if (packed := response.headers.get("Content-Encoding", "identity")) != "identity":
            raise ValueError(f"expected an answer as it is stored, found one packed as {packed[:20]!r}")
        body = bytearray()
        async for part in response.content.iter_any():
            body += part
            if len(body) > stop:
                if not asked and (is_whole or not end):
                    raise ValueError(f"expected an answer of at most {LARGEST_ANSWER} bytes, found more")
                break
        else:
            return bytes(body[-int(end[1]) :] if end else body[start:])
    except BaseException:
        response.close()
        raise
    response.close()  # what is left is not waited for
    return bytes(body[start:stop])
