"""Asking witnesses to cosign the newest checkpoint, all at once, whatever they are like.

A witness that is slow, dead or hostile costs its own deadline and nothing else:
every answer is bounded in size and time, no redirect is followed, and a
cosignature is checked before it is stored. Nothing here ever makes an append wait:
entries are acknowledged first, and seen by witnesses soon after.

Next: provenance/wire/watch.py
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from provenance.clock import monotonic
from provenance.errors import InputError, ProvenanceError, RemoteError, VerificationError
from provenance.notes.checkpoint import format_line, key_id, parse, parse_line
from provenance.notes.cosignature import check_line
from provenance.store.published import read_high_water
from provenance.store.witnessed import Cosignature, store
from provenance.wire.witness import ADD_CHECKPOINT, SIZE_TYPE, Request, format_request, parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.clock import Clock
    from provenance.notes.trust import TrustedWitness
    from provenance.store.published import LogFiles
    from provenance.store.reading import LogReader

__all__ = ["ASK_SECONDS", "Answer", "Collector", "Round"]

ASK_SECONDS: Final = 15.0
"""For one witness in one round, repetitions included."""
_CONNECT_SECONDS: Final = 5.0
_PAUSES: Final = (0.25, 1.0, 2.0, 4.0)
"""Seconds before each repetition, as far as the deadline allows."""
_FIRST_REST, _LONGEST_REST = 5.0, 300.0
"""Seconds for which a witness that failed is left alone by the next rounds, doubled each time."""
_MAX_ANSWER: Final = 64 << 10  # bytes
_MOST_CONFLICTS: Final = 5
_FUTURE_SECONDS: Final = 5 * 60
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_REASONS: Final = {
    403: "does not know the key that signs for this log; its operator runs `witness follow`",
    404: "does not follow this log; its operator runs `provenance witness follow`",
}


class Answer(NamedTuple):
    """What came of asking one witness.

    Attributes:
        name: The witness's, from the policy.
        status: "cosigned"; "known", which it had before; "later", nothing yet, and nothing
            wrong; "failed"; or "disputed": it has seen another history of this log than ours.
        text: More about it, one line.
    """

    name: str
    status: Literal["cosigned", "known", "later", "failed", "disputed"]
    text: str


class Round(NamedTuple):
    """One asking round: about which size, and what came of it, in the policy's order."""

    size: int
    answers: tuple[Answer, ...]


class _Passing(Exception):  # noqa: N818 - no error yet, a reason to ask again
    """An attempt failed in a way that may pass."""


class _Disputed(Exception):  # noqa: N818 - a verdict on the log, or on the witness
    """The witness remembers what this log does not contain."""


class _Overtaken(Exception):  # noqa: N818 - a state
    """The witness has cosigned a later checkpoint of this log."""


class Collector:
    """Collects cosignatures for one log."""

    def __init__(
        self, log: LogReader, files: LogFiles, clock: Clock, seconds: float = ASK_SECONDS
    ) -> None:
        """Collect for `log`, which belongs to the thread that calls.

        Args:
            log: Read for checkpoints, proofs and the trust policy.
            files: Where cosignatures are stored.
            clock: Judges the times that witnesses claim.
            seconds: Each witness's deadline in a round.
        """
        self._log = log
        self._files = files
        self._clock = clock
        self._seconds = seconds
        self._rests: dict[str, tuple[float, float]] = {}  # until when, and how long

    @property
    def has_witnesses(self) -> bool:
        """Whether the policy names any witness with an address."""
        return any(one.url for one in self._log.witnesses.trust.witnesses)

    async def round(self) -> Round:
        """Ask every witness that has not cosigned the published checkpoint; store what comes.

        Raises:
            WorkspaceError: The log or its policy cannot be read.
        """
        note = self._published()
        size = parse(note)[0].size
        names = {one.key: one.name for one in self._log.witnesses.trust.witnesses}
        have = {names.get(key) for key in self._log.witnesses.cosigners(size)}
        asked = [
            self._ask_once(one, note) if one.name not in have else _already(one)
            for one in self._log.witnesses.trust.witnesses
        ]
        return Round(size, tuple(await asyncio.gather(*asked)))

    def _published(self) -> str:
        """The newest checkpoint that has been published, which is nearly always the newest.

        Nobody outside may see one before the high-water file remembers it: that is what
        an old database put back is noticed by.
        """
        note = self._log.checkpoint()
        said, _ = parse(note)
        mark = read_high_water(self._files.high_water, said.origin)
        return note if mark is None or mark.size >= said.size else self._log.checkpoint(mark.size)

    async def _ask_once(self, witness: TrustedWitness, note: str) -> Answer:
        if witness.url is None:
            return Answer(witness.name, "later", "the policy gives no address for it")
        until, rest = self._rests.get(witness.name, (0.0, _FIRST_REST / 2))
        if monotonic() < until:
            return Answer(witness.name, "later", "did not answer lately; is left alone for now")
        answer = await self._asked(witness, note)
        self._rests.pop(witness.name, None)
        if answer.status in {"failed", "disputed"}:
            rest = min(2 * rest, _LONGEST_REST)
            self._rests[witness.name] = monotonic() + rest, rest
        return answer

    async def _asked(self, witness: TrustedWitness, note: str) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                found = await _Asking(self._log, witness, note, self._clock).run()
                # Beside the event loop: the writers' lock may be held for a while.
                await asyncio.to_thread(store, self._files, [found])
        except TimeoutError:
            return Answer(witness.name, "failed", f"no good answer within {self._seconds:g} s")
        except _Disputed as error:
            return Answer(witness.name, "disputed", str(error))
        except _Overtaken as error:
            return Answer(witness.name, "later", str(error))
        except ProvenanceError as error:
            return Answer(witness.name, "failed", str(error))
        return Answer(witness.name, "cosigned", f"size {found.size}")


async def _already(witness: TrustedWitness) -> Answer:
    return Answer(witness.name, "known", "has cosigned it before")


class _Asking:
    """One witness being asked about one checkpoint."""

    def __init__(self, log: LogReader, witness: TrustedWitness, note: str, clock: Clock) -> None:
        self._log = log
        self._witness = witness
        self._note = note
        self._text = parse(note)[1].text
        self._size = parse(note)[0].size
        self._clock = clock

    async def run(self) -> Cosignature:
        """Ask until there is an answer; the caller's deadline ends it otherwise."""
        import httpx  # noqa: PLC0415 - most commands speak to nobody

        url = _endpoint(self._witness)
        self._errors = (httpx.TransportError, httpx.InvalidURL)
        timeout = httpx.Timeout(ASK_SECONDS, connect=_CONNECT_SECONDS)
        # Compression would let a small answer become a large one.
        headers = {"accept-encoding": "identity", "user-agent": "provenance"}
        async with httpx.AsyncClient(
            timeout=timeout, follow_redirects=False, headers=headers
        ) as client:
            reason = ""
            for pause in (0.0, *_PAUSES):
                await asyncio.sleep(pause)
                try:
                    return await self._attempt(client, url)
                except _Passing as error:
                    reason = str(error)
        raise RemoteError(f"{url}: {reason}, {len(_PAUSES) + 1} times")

    async def _attempt(self, client: Any, url: str) -> Cosignature:
        old = self._log.witnesses.newest_of(self._witness.key)
        for _ in range(_MOST_CONFLICTS):
            path = self._log.consistency_path(old, self._size) if old else []
            body = format_request(Request(old, tuple(path), self._note))
            status, media_type, data = await self._post(client, url, body)
            if status == 200:  # noqa: PLR2004 - HTTP's
                return self._checked(data)
            old = self._other_size(url, status, media_type, data, old)
        raise RemoteError(f"{url}: changes its mind about its size")

    async def _post(self, client: Any, url: str, body: bytes) -> tuple[int, str, bytes]:
        try:
            async with client.stream("POST", url, content=body) as response:
                data = bytearray()
                async for part in response.aiter_raw():
                    data += part
                    if len(data) > _MAX_ANSWER:
                        raise RemoteError(f"{url}: an answer of over {_MAX_ANSWER} bytes")
                return response.status_code, _media_type(response.headers), bytes(data)
        except self._errors as error:
            raise _Passing(f"no answer ({type(error).__name__})") from None

    def _checked(self, data: bytes) -> Cosignature:
        """Take this witness's line out of a good answer; lines of other keys are passed over."""
        key = self._witness.key
        try:
            lines = [parse_line(line) for line in data.decode().split("\n")[:-1]]
        except (InputError, UnicodeDecodeError):
            raise RemoteError("its answer is no signature line") from None
        for line in lines:
            if (line.name, line.key_id) == (key.name, key_id(*key)):
                try:
                    seconds = check_line(line, key, self._text)
                except VerificationError as error:
                    raise RemoteError(f"{error}; nothing of it was kept") from None
                if seconds > self._clock() // 1_000_000 + _FUTURE_SECONDS:
                    raise RemoteError("its cosignature is of a time to come")
                return Cosignature(self._size, key, format_line(line).rstrip("\n"))
        raise RemoteError("its answer has no signature of the key that the policy gives")

    def _other_size(self, url: str, status: int, media_type: str, data: bytes, old: int) -> int:
        """Make out what a refusal means; returns the size to prove from instead."""
        if status in _PASSING:
            raise _Passing(f"the witness answers {status}")
        if status == 422:  # noqa: PLR2004 - HTTP's
            raise _Disputed(
                f"it has seen another history: what it saw of size {old} is not the beginning of "
                "this log; see the trust page on split views"
            )
        if status != 409 or media_type != SIZE_TYPE:  # noqa: PLR2004 - HTTP's
            raise RemoteError(f"{url}: {_REASONS.get(status, f'the witness answers {status}')}")
        try:
            theirs = parse_size(data)
        except InputError as error:
            raise RemoteError(f"{url}: {error}") from None
        if theirs > self._size:
            self._refuse_ahead(theirs)
        if theirs == old == self._size:
            raise _Disputed(
                f"it has seen another root at size {old} than this log's; see the trust page on "
                "split views"
            )
        return theirs

    def _refuse_ahead(self, theirs: int) -> None:
        if theirs <= self._log.size:
            raise _Overtaken("has cosigned a later checkpoint already")
        raise _Disputed(
            f"it has seen {theirs} entries, this log has only {self._log.size}: is it an old copy?"
        )


def _endpoint(witness: TrustedWitness) -> str:
    url = witness.url or ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and parts.hostname and not parts.query
    except ValueError:
        good = False
    if not good:
        raise InputError(f"the address of a witness is http or https, not {url!a}")
    return f"{url.rstrip('/')}/{ADD_CHECKPOINT}"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
