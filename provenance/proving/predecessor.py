"""The log before this one: what entry 0 of a continued log says of it, and how that is checked.

A continued log has its predecessor's entries at the same indexes, with the same
types, times and bodies. Its leaves differ, because chain values begin with the
origin. But every leaf of the predecessor follows from ours and from its own
founding body, so whoever has our leaves can rebuild its tree, and compare that
with the checkpoint which its key has signed. Pure.

Next: provenance/store/register.py
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.disclosure.privacy import b64, unb64
from provenance.errors import EncodingError, InputError, VerificationError
from provenance.hashing import body_digest, chain_next, chain_start, leaf_hash
from provenance.notes.checkpoint import Checkpoint, parse
from provenance.proving import merkle
from provenance.proving.leaf import decode_leaf, refit_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Predecessor"]

_MEMBERS: Final = {"checkpoint", "founding"}
_CHUNK: Final = 1_000


class Predecessor(NamedTuple):
    """The log that this one continues.

    Attributes:
        said: Its last checkpoint that is known.
        note: The same, as its key has signed it.
        founding: The exact bytes of the body of its entry 0, which ours replaces.
    """

    said: Checkpoint
    note: str
    founding: bytes

    @classmethod
    def read(cls, content: Any) -> Predecessor | None:
        """Read what entry 0 says; None where the log continues no other.

        Raises:
            EncodingError: It is out of form.
        """
        if content is None:
            return None
        if not isinstance(content, dict) or content.keys() != _MEMBERS:
            raise EncodingError("predecessor is null, or has the members checkpoint and founding")
        try:
            note = str(content["checkpoint"])
            said = parse(note)[0]
            return cls(said, note, unb64(str(content["founding"])))
        except (InputError, ValueError) as error:
            raise EncodingError(f"predecessor: {error}") from None

    def to_content(self) -> dict[str, str]:
        """Write it as it stands in entry 0."""
        return {"checkpoint": self.note, "founding": b64(self.founding)}

    def retrace(self, leaves: Iterable[bytes]) -> None:
        """Rebuild the predecessor's tree from our leaves, and compare it with its checkpoint.

        Args:
            leaves: Ours, from entry 0 on, at least as many as the predecessor had.

        Raises:
            VerificationError: Our entries are not the ones that its checkpoint covers.
        """
        edge, chain = merkle.EMPTY_EDGE, chain_start(self.said.origin)
        rest = islice(leaves, self.said.size)
        while part := list(islice(rest, _CHUNK)):
            hashes: list[bytes] = []
            for index, data in enumerate(part, edge.size + len(hashes)):
                old = self.leaf(index, data, chain)
                chain = chain_next(old)
                hashes.append(leaf_hash(old))
            edge = merkle.append(edge, hashes).edge
        if (edge.size, edge.root) != (self.said.size, self.said.root):
            raise VerificationError(
                f"the entries carried over are not those of {self.said.origin}, whose checkpoint "
                f"of {self.said.size} entries is named in entry 0"
            )

    def leaf(self, index: int, ours: bytes, chain: bytes) -> bytes:
        """Return the predecessor's leaf, from ours and its chain value of the leaf before."""
        digest = decode_leaf(ours).body_digest if index else body_digest(self.founding)
        return refit_leaf(ours, index, digest, chain)
