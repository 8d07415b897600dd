"""What a proof file holds: one bundle, many that share nodes, or a C2SP `.tlog-proof`.

`verify` reads one form only, so that it stays small. Everything else is turned
into that form here, outside the island, by code that need not be trusted: what
comes out is checked as if it had come from a stranger.

Next: provenance/verify.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provenance.proving.proof import bundle_text
from provenance.proving.proof_batch import VERSION, expanded
from provenance.proving.tlog_proof import HEADER, parse_tlog_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["bundles_in"]

_BATCH: Final = re.compile(rb'"v"\s*:\s*"%b"' % VERSION.encode())
"""Also in a form that `expanded` will refuse, so that its reason is told and not another."""


def bundles_in(data: bytes) -> Iterator[bytes]:
    """Yield the bundles of a proof file, each as `verify.check_bundle` takes it.

    What is neither a batch nor a `.tlog-proof` is given back as it is: only `verify`
    decides whether it is a bundle.

    Raises:
        InputError: A batch or a `.tlog-proof` that cannot be read.
        VerificationError: A batch whose nodes do not give its checkpoint's root.
    """
    if data.startswith(HEADER.encode()):
        yield bundle_text(parse_tlog_proof(data))
    elif _BATCH.search(data):
        yield from map(bundle_text, expanded(data))
    else:
        yield data
