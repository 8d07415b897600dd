"""Every parser of bytes from outside, a line each: samples that it takes, and its two functions."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.append(str(Path(__file__).parent.parent / "provenance"))

from bundle_tools import LOG, PARTIES, POLICY
from fuzz_tables import (
    foreign_tables,
    ingested,
    inspected,
    json_lines,
    parquets,
    tables,
    workbooks,
)
from small_log import seeded

from provenance import canonical
from provenance.disclosure.erased import read_erasure
from provenance.disclosure.privacy import b64
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.epcis.jsonpull import parse as parse_json
from provenance.epcis.keys import parse_key
from provenance.errors import EncodingError, InputError, ProvenanceError
from provenance.govern.anchor_checks import check_anchors
from provenance.govern.consistency import continues
from provenance.identifiers import parse_item, parse_path
from provenance.ingest.mapping import parse_mapping
from provenance.notes.checkpoint import (
    Checkpoint,
    format_line,
    format_note,
    format_text,
    format_vkey,
    parse,
    parse_line,
    parse_note,
    parse_text,
    parse_vkey,
    sign,
)
from provenance.notes.keys import generate, parse_secret
from provenance.notes.parties import Party
from provenance.notes.trust import parse_trust
from provenance.proving.leaf import decode_leaf, encode_leaf
from provenance.proving.predecessor import Predecessor
from provenance.proving.proof import bundle_text
from provenance.proving.proof_batch import expanded, shared
from provenance.proving.tlog_proof import format_tlog_proof, parse_tlog_proof
from provenance.proving.unpack import bundles_in
from provenance.store.published import read_high_water
from provenance.store.register import Register, founding_draft
from provenance.store.signed_batch import check_batch
from provenance.verify import check_bundle, parse_policy
from provenance.wire.bundles import format_entries, parse_entries
from provenance.wire.evidence import Proof, format_proof, parse_proof
from provenance.wire.monitor_state import State
from provenance.wire.paths import body_path, parse_body, parse_tile
from provenance.wire.witness import Request, format_request, parse_request, parse_size
from provenance.wire.witness_state import Witness, create_witness
from workspace import settings
from workspace.settings import settings_text
from workspace.tier_file import parse_tiers, tiers_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parent.parent.parent
SLOW_SECONDS = 5.0


class Parser(NamedTuple):
    """A parser under test.

    Attributes:
        samples: Makes valid inputs.
        read: Reads bytes, or raises one of our errors.
        write: Writes what was read as the same bytes; None where many bytes mean one thing.
        weight: As many times fewer inputs it gets, because each takes so much longer.
    """

    samples: Callable[[], Sequence[bytes]]
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes] | None = None
    weight: int = 1


def text(data: bytes) -> str:
    """Bytes as the command line hands them over, which need not be UTF-8."""
    return data.decode(errors="surrogateescape")


def raw(written: str) -> bytes:
    """The bytes of such a text."""
    return written.encode(errors="surrogateescape")


def notes() -> list[bytes]:
    """Checkpoints with no, one and three cosignatures, and a batch's note."""
    batch = canonical.decode(LOG.sealed[10].body)["note"]
    return [LOG.checkpoint(n, cosigners=k).encode() for n, k in ((11, 0), (6, 1), (1, 3))] + [
        raw(batch)
    ]


def bundles() -> list[bytes]:
    """Bundles with everything in them, and with as little as may be."""
    bare = LOG.bundle(0, 0, batch=None, consistency=None)
    tree = LOG.tree(LOG.leaves)
    anchor = {"kind": "stamp", "size": 7, "root": b64(tree.root_at(7)), "data": "AAAA"}
    anchor["path"] = [b64(node) for node in tree.inclusion_path(5, 7)]
    return [bundle_text(LOG.bundle(anchors=[{"kind": "x"}, anchor])), bundle_text(bare)]


def batches() -> list[bytes]:
    """Documents of some bundles and of one."""
    return [shared([LOG.bundle(at, 1) for at in (3, 4, 9)]), shared([LOG.bundle(5)])]


def tlog_proofs() -> list[bytes]:
    """Two `.tlog-proof` files."""
    return [format_tlog_proof(LOG.bundle(at)).encode() for at in (0, 7)]


@cache
def register() -> Register:
    """A register that has been founded."""
    return Register.founded(registers()[0])


def registers() -> list[bytes]:
    """The bodies of its founding and later entries."""
    draft = founding_draft(LOG.key.vkey, DEFAULT_POLICY)
    founding = canonical.encode({**draft.content, "_v": "policy/1"})
    other = generate(LOG.key.name, seeded(5))
    later = Register.founded(founding).rotation(other.vkey)
    old = generate("log.example/before", seeded(6))
    last = sign(Checkpoint(old.name, 5, bytes(32)), [old])
    before = Predecessor(parse(last)[0], last, founding).to_content()
    after = canonical.encode({**draft.content, "predecessor": before, "_v": "policy/1"})
    party = {"id": "acme", "name": "Acme", "role": "maker", "keys": [LOG.party.vkey]}
    said = {**party, "valid_from": "2026-01-01", "valid_to": None, "_v": "party/1"}
    bodies = canonical.encode({**later.content, "_v": "policy/1"}), canonical.encode(said), after
    return [founding, *bodies]


def read_register(data: bytes) -> Any:
    """An entry of a register, whichever."""
    try:
        return Register.founded(data)
    except ProvenanceError:
        return register().followed(5, data)


def read_policy(data: bytes) -> Any:
    """A trust policy, which the verifier and the log must both take, or both refuse."""
    answers = []
    for read in (parse_policy, parse_trust):
        try:
            answers.append(read(data))
        except InputError as error:
            answers.append(error)
    refused = [isinstance(answer, InputError) for answer in answers]
    assert refused[0] == refused[1], f"one takes it, one does not: {answers}"
    if refused[0]:
        raise answers[0]
    return answers


def read_proofs(data: bytes) -> Any:
    """A file of proofs in whatever form, judged in all its claims."""
    judged = []
    for one in bundles_in(data):
        verdicts = check_anchors(one, check_bundle(one, POLICY, PARTIES))
        kept = LOG.checkpoint(6).encode()
        judged.append([*verdicts, continues(one, verdicts, kept, parse_trust(LOG.policy()))])
        assert all(verdict.text.isprintable() for verdict in judged[-1])
    return judged


def read_mark(data: bytes) -> Any:
    """A high-water file."""
    path = Path(_folder()) / "high-water"
    path.write_bytes(data)
    return read_high_water(path, LOG.key.name)


@cache
def _folder() -> str:
    return tempfile.mkdtemp(prefix="fuzz-")


def high_water() -> list[bytes]:
    """What `publish` writes."""
    lines = LOG.checkpoint().split("\n")[:3]
    return [("\n".join(["provenance high-water v1", *lines]) + "\n").encode()]


def policies() -> list[bytes]:
    """Trust policies with and without witnesses."""
    return [LOG.policy(), f"log {LOG.key.vkey}\nquorum none\n".encode()]


def requests() -> list[bytes]:
    """What a log asks a witness."""
    path = tuple(LOG.tree(LOG.leaves).consistency_path(6, 11))
    note = LOG.checkpoint()
    return [format_request(Request(6, path, note)), format_request(Request(0, (), note))]


def vkeys() -> list[bytes]:
    """Keys of a log, of a party and of a witness."""
    return [raw(one) for one in (LOG.key.vkey, LOG.party.vkey, LOG.witnesses[0].vkey)]


def evidence() -> list[bytes]:
    """The proof of a split view."""
    path = tuple(LOG.tree(LOG.leaves).consistency_path(6, 11))
    return [raw(format_proof(Proof(bytes(32), path)))]


@cache
def watcher() -> Witness:
    """A witness that follows the log."""
    made = create_witness(Path(_folder()) / "witness", "w.example/f", lambda: 0, seeded(70))
    made.follow(LOG.key.vkey)
    return made


def settings_of_a_witness() -> list[bytes]:
    """What `init` and `follow` write."""
    watcher()
    return [(Path(_folder()) / "witness" / "witness.toml").read_bytes()]


def read_settings(data: bytes) -> Any:
    """A `witness.toml`, which is read anew for each request."""
    witness, path = watcher(), Path(_folder()) / "witness" / "witness.toml"
    kept = path.read_bytes()
    path.write_bytes(data)
    try:
        return sorted(witness.followed())
    finally:
        path.write_bytes(kept)


def read_heard(data: bytes) -> Any:
    """A monitor's memory of sizes."""
    state = State(Path(_folder()), LOG.key.name)
    next(Path(_folder()).glob("*/pending")).with_name("heard").write_bytes(data)
    return state.heard()


def read_workspace(data: bytes) -> Any:
    """A `workspace.toml`."""
    path = Path(_folder()) / "workspace.toml"
    path.write_bytes(data)
    return settings.read_settings(path)


def read_batch(data: bytes) -> Any:
    """The content of a signed batch entry, judged with the register."""
    return check_batch(content(data), read_register(registers()[2]), 10, 1_774_300_000_000_000)


def content(data: bytes) -> dict[str, Any]:
    """The content of a body, which is an object wherever it is looked into."""
    found = canonical.decode(data)
    if not isinstance(found, dict):
        raise EncodingError("not an object")
    return {name: value for name, value in found.items() if name != "_v"}


PATHS = [b"tile/0/x001/x234/067.p/8", b"tile/entries/000", b"tile/63/x999/000", b"tile/1/003.p/255"]
ERASURES = [b'{"_v":"erasure/1","erased":[[3,"/carrier"],[4,null]],"party":"acme"}']
CODES = [b"https://id.example.org/01/09506000134352/10/ABC/21/12", b"(01)09506000134352(10)A"]
DOCUMENTS = [b'{"type":"EPCISDocument","eventList":[{"a":-1.5e3,"a":["\\u00e9",null]}]}']
EPCS = [b"urn:epc:id:sgtin:4012345.011122.25", b"https://id.gs1.org/01/09506000134352/21/25"]
LINKS = [b"/01/09506000134352/10/ABC/21/12", b"/x/acme/P%2F1/10/L%C3%BC"]

PARSERS: dict[str, Parser] = {
    "note": Parser(notes, parse_note, lambda note: format_note(note).encode()),
    "checkpoint": Parser(lambda: notes()[:3], parse, lambda found: format_note(found[1]).encode()),
    "checkpoint text": Parser(
        lambda: [note.partition(b"\n\n")[0] + b"\n" for note in notes()[:3]],
        lambda data: parse_text(text(data)),
        lambda said: raw(format_text(said)),
    ),
    "vkey": Parser(vkeys, lambda data: parse_vkey(text(data)), lambda key: raw(format_vkey(key))),
    "policy": Parser(policies, read_policy),
    "tier file": Parser(
        lambda: [tiers_text(DEFAULT_POLICY).encode(), b'["event/1"]\ncarrier = "private"\n'],
        lambda data: parse_tiers(text(data), "tiers.toml", DEFAULT_POLICY),
    ),
    "bundle": Parser(bundles, read_proofs),
    "batch of bundles": Parser(batches, expanded, shared),
    "batch of bundles, judged": Parser(batches, read_proofs),
    "tlog-proof": Parser(
        tlog_proofs, parse_tlog_proof, lambda bundle: format_tlog_proof(bundle).encode()
    ),
    "tlog-proof, judged": Parser(tlog_proofs, read_proofs),
    "tile path": Parser(
        lambda: PATHS, lambda data: parse_tile(text(data)), lambda found: found.path.encode()
    ),
    "body path": Parser(
        lambda: [b"body/0", b"body/9223372036854775807"],
        lambda data: parse_body(text(data)),
        lambda index: body_path(index).encode(),
    ),
    "entry bundle": Parser(
        lambda: [format_entries(LOG.leaves), format_entries(LOG.leaves[:1])],
        parse_entries,
        format_entries,
    ),
    "leaf": Parser(
        lambda: LOG.leaves,
        decode_leaf,
        lambda leaf: encode_leaf(*(getattr(leaf, name) for name in leaf.__slots__)),
    ),
    "body": Parser(lambda: [one.body for one in LOG.sealed], canonical.decode, canonical.encode),
    "key file": Parser(
        lambda: [raw(LOG.key.secret_text())],
        lambda data: parse_secret(text(data)),
        lambda key: raw(key.secret_text()),
    ),
    "register": Parser(registers, read_register),
    "party": Parser(lambda: registers()[2:3], lambda data: Party.read(5, content(data))),
    "erasure": Parser(lambda: ERASURES, lambda data: list(read_erasure(canonical.decode(data)))),
    "signed batch": Parser(lambda: [LOG.sealed[10].body], read_batch),
    "high-water": Parser(high_water, read_mark),
    "witness request": Parser(requests, parse_request, format_request),
    "witness size": Parser(lambda: [b"0\n", b"42\n"], parse_size, lambda n: f"{n}\n".encode()),
    "witness settings": Parser(settings_of_a_witness, read_settings),
    "signature line": Parser(
        lambda: [note.splitlines()[-1] for note in notes()],
        lambda data: parse_line(text(data)),
        lambda line: raw(format_line(line)[:-1]),
    ),
    "monitor memory": Parser(lambda: [b'{"https://log.example": 7}\n', b"{}\n"], read_heard),
    "split view": Parser(
        evidence, lambda data: parse_proof(text(data)), lambda found: raw(format_proof(found))
    ),
    "workspace settings": Parser(
        lambda: [settings_text("log.example", "self", "https://log.example").encode()],
        read_workspace,
    ),
    "mapping": Parser(
        lambda: [(ROOT / "provenance/ingest/mappings/scms.toml").read_bytes()],
        lambda data: parse_mapping(text(data), "mapping.toml"),
    ),
    "table, ingested": Parser(tables, ingested, weight=6),
    "table, inspected": Parser(foreign_tables, inspected, weight=6),
    "workbook": Parser(workbooks, ingested, weight=6),
    "JSON lines": Parser(json_lines, ingested, weight=6),
    "Parquet": Parser(parquets, ingested, weight=6),
    "EPCIS document": Parser(lambda: DOCUMENTS, lambda data: parse_json(text(data))),
    "EPCIS key": Parser(lambda: EPCS, lambda data: parse_key(text(data))),
    "code": Parser(lambda: CODES, lambda data: parse_item(text(data))),
    "link": Parser(lambda: LINKS, lambda data: parse_path(text(data))),
}
"""By name; a parser that is added is a line here, and is fuzzed from then on."""


def fault(parser: Parser, data: bytes) -> str | None:
    """Say what is wrong with what a parser makes of `data`: other errors, other bytes, slowness."""
    start = time.process_time()
    try:
        value = parser.read(data)
        again = data if parser.write is None else parser.write(value)
    except ProvenanceError as error:
        return f"a message of several lines: {error}" if "\n" in str(error) else None
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        return f"{type(error).__name__}: {error}"
    if again != data:
        return f"is written back as {again!r}"
    seconds = time.process_time() - start
    return f"took {seconds:.1f} s" if seconds > SLOW_SECONDS else None


def takes(parser: Parser, data: bytes) -> bool:
    """Whether a parser reads `data`."""
    try:
        parser.read(data)
    except ProvenanceError:
        return False
    return True
