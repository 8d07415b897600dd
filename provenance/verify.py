"""The offline verifier: what a proof bundle proves, told by this file, `hashing` and `errors`.

A bundle (JSON, `provenance/proof/1`) is judged under a trust policy (c2sp.org/tlog-policy): its
keys are all that is trusted. No code is shared with what builds proofs, so that one mistake cannot
hide in both. A `verify_*` function checks one claim: it returns None or raises `VerificationError`.
Alone, with blake3 and cryptography: `python -m provenance.verify bundle.json --policy log.policy`
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Sequence  # noqa: TC003 - one list of imports
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.errors import InputError, ProvenanceError, VerificationError
from provenance.hashing import HASH_SIZE, body_digest, field_commitment, leaf_hash, node_hash

__all__ = ["Policy", "Verdict", "check_bundle", "parse_policy"]
_MAX_BODY, _MAX_BUNDLE, _MAX_POLICY, _MAX_SIGNATURES = 16 << 20, 64 << 20, 64 << 10, 100
_LEAF, _BATCH, _ED25519, _COSIGNATURE = 88, 11, 1, 4  # bytes; types of entry and signatures
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)+")  # RFC 6901, but never the whole body
_VKEY: Final = re.compile(r"([^\s+\x00-\x1f\ud800-\udfff]+)\+([0-9a-f]{8})\+(.+)")
_LINE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")
_CHECKPOINT: Final = re.compile(r"(.+)\n(0|[1-9][0-9]{0,18})\n(.+)\n")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # all but newline
# Shapes of JSON: exact members; a tuple may be null; bytes are base64url text without padding.
_ENTRY_SHAPE: Final = {"index": int, "leaf": bytes, "path": [bytes], "body": (bytes,)}
_BATCH_SHAPE: Final = _ENTRY_SHAPE | {"position": int, "batch_path": [bytes]}
_FIELD_SHAPE: Final = {"path": str, "salt": bytes, "preimage": bytes}
_OLDER_SHAPE: Final = {"checkpoint": str, "path": [bytes]}
_SEEN_SHAPE: Final = {"v": str, "origin": str, "checkpoint": str, "disclosed": [_FIELD_SHAPE]}
_MORE_SHAPE: Final = {"batch": (_BATCH_SHAPE,), "consistency": (_OLDER_SHAPE,), "anchors": [object]}
_BUNDLE_SHAPE: Final = _ENTRY_SHAPE | _SEEN_SHAPE | _MORE_SHAPE
_Json = dict[str, Any]
_Key = tuple[str, str, int, bytes]  # name, key id in hexadecimal, signature type, public key
_Note = tuple[str, list[tuple[str, str, bytes]]]  # text; key name, key id and signature per line


class Policy(NamedTuple):
    """Whom to trust: logs, witnesses by name, and the witness or group that must have cosigned."""

    logs: list[_Key]
    witnesses: dict[str, _Key]
    groups: dict[str, tuple[int, list[str]]]  # threshold and members, in order of definition
    quorum: list[str]  # one name; "none" asks for no witness


class Verdict(NamedTuple):
    """What came of one claim; `absent` is no failure: it was not made, or not asked for."""

    name: str
    status: Literal["ok", "absent", "failed"]
    text: str


class _Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    note: _Note


def verify_inclusion(index: int, size: int, leaf: bytes, path: list[bytes], root: bytes) -> None:
    """Check that the leaf hash `leaf` stands at `index`: RFC 9162 section 2.1.3.2."""
    _demand(0 <= index < size, f"a tree of {size} has no index {index}")
    _demand({*map(len, (leaf, root, *path))} == {HASH_SIZE}, "a hash has not 32 bytes")
    _demand(_climb(index, size - 1, leaf, path)[1] == root, "the path leads to another root")


def verify_consistency(old: int, new: int, path: list[bytes], begin: bytes, root: bytes) -> None:
    """Check that the tree of `old` leaves begins that of `new`: 2.1.4.2 (size 0 proves nothing)."""
    _demand(0 < old <= new, f"nothing leads from a tree of {old} to one of {new}")
    _demand({*map(len, (begin, root, *path))} == {HASH_SIZE}, "a hash has not 32 bytes")
    if old == new:
        _demand(begin == root and not path, "one size, but two roots or a path")
        return
    first, *rest = path if old & (old - 1) and path else (begin, *path)
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    begun, grown = _climb(here, last, first, rest)
    _demand(begun == begin, "the path leads to another old root")
    _demand(grown == root, "the path leads to another new root")


def _climb(here: int, last: int, node: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """Climb from `node`, at `here` of 0..last; gives the root up to `node`, and the whole root."""
    begun = grown = node
    for sibling in path:
        _demand(last > 0, "the path is too long")
        if here & 1 or here == last:
            begun, grown = node_hash(sibling, begun), node_hash(sibling, grown)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            grown = node_hash(grown, sibling)
        here, last = here >> 1, last >> 1
    _demand(last == 0, "the path is too short")
    return begun, grown


def verify_signed(checkpoint: _Checkpoint, origin: str, policy: Policy) -> None:
    """Check that the log in question is one of the policy's, and signed the checkpoint."""
    _demand(checkpoint.origin == origin, f"the checkpoint is of the log {checkpoint.origin!a}")
    keys = [key for key in policy.logs if key[0] == origin]
    _demand(len(keys) > 0, f"the policy names no log {origin!a}")
    _demand(len(_signers(checkpoint.note, keys)) > 0, "no key that the policy trusts has signed it")


def verify_witnessed(checkpoint: _Checkpoint, policy: Policy) -> None:
    """Check that the quorum's witnesses cosigned (c2sp.org/tlog-cosignature)."""
    signers = _signers(checkpoint.note, policy.witnesses.values())
    present = {name for name, key in policy.witnesses.items() if key in signers}
    for name, (threshold, members) in policy.groups.items():
        if len(present.intersection(members)) >= threshold:
            present.add(name)
    _demand(policy.quorum[0] in present, f"{len(signers)} known witnesses are not the quorum")


def verify_included(entry: _Json, checkpoint: _Checkpoint) -> None:
    """Check an entry's leaf, and that it stands in the checkpoint's tree."""
    index, leaf = _open_leaf(entry["leaf"])[1], leaf_hash(entry["leaf"])
    _demand(index == entry["index"], f"the leaf is of index {index}, not of {entry['index']}")
    verify_inclusion(index, checkpoint.size, leaf, entry["path"], checkpoint.root)


def verify_body(entry: _Json) -> None:
    """Check that the body is the leaf's, and that no field is both clear and committed."""
    body = entry["body"]
    _demand(body is not None and len(body) <= _MAX_BODY, f"no body of at most {_MAX_BODY} bytes")
    _demand(body_digest(body) == _open_leaf(entry["leaf"])[2], "the body is not the leaf's")
    content = _json(body, "the body")
    formed = type(content) is dict and type(content.get("_c", {})) is dict
    _demand(formed, "the body, or what it commits to, is no JSON object")
    for path, commitment in content.get("_c", {}).items():
        _demand(_POINTER.fullmatch(path) is not None, f"{path!a} is committed, but is no path")
        _demand(not _is_clear(content, path), f"{path!a} is both clear and committed")
        _bytes(commitment, f"the commitment of {path!a}")


def verify_disclosed(entry: _Json, disclosed: list[_Json]) -> None:
    """Check that every disclosed field opens its own commitment in the body, once."""
    verify_body(entry)
    commitments = _json(entry["body"], "the body").get("_c", {})
    for path, salt, preimage in (one.values() for one in disclosed):
        _demand(path in commitments, f"the body has no commitment left for {path!a}")
        _demand(len(salt) == HASH_SIZE, f"the salt of {path!a} has {len(salt)} bytes, not 32")
        opens = field_commitment(salt, preimage) == _bytes(commitments.pop(path), "a commitment")
        _demand(opens, f"the opening of {path!a} is not what was committed to")
        pair = _json(preimage, "an opening")
        _demand(type(pair) is list and pair[:-1] == [path], f"{path!a} is opened as another path")


def verify_batch_signed(entry: _Json, checkpoint: _Checkpoint, parties: Sequence[str]) -> None:
    """Check that the entry's body is in a batch of the log that one of `parties` (vkeys) signed."""
    batch = entry["batch"]
    _demand(batch is not None, "the bundle names no batch")
    verify_included(batch, checkpoint)
    verify_body(batch)
    content, (kind, _, _) = _json(batch["body"], "the batch"), _open_leaf(batch["leaf"])
    form = {"_v": str, "party": str, "count": int, "root": str, "note": str}
    body = _shaped({name: content.get(name) for name in form}, form, "the batch")
    _demand(body["_v"] == "batch/1" and kind == _BATCH, "the batch entry is not a batch/1")
    leaf, root = leaf_hash(_open_leaf(entry["leaf"])[2]), _bytes(body["root"], "the batch's root")
    verify_inclusion(batch["position"], body["count"], leaf, batch["batch_path"], root)
    note = _note(body["note"], "the batch's note")
    said = "provenance-batch/v1\n{party}\n{count}\n{root}\n".format_map(body)
    _demand(note[0] == said, "the batch's note is of another batch")
    keys = [key for vkey in parties if (key := _vkey(vkey, _ED25519))[0] == body["party"]]
    _demand(len(_signers(note, keys)) > 0, f"no trusted key of {body['party']!a} has signed it")


def verify_older(older: _Json, checkpoint: _Checkpoint, policy: Policy) -> None:
    """Check that an older checkpoint of the log is signed too, and begins the same history."""
    begin = _checkpoint(older["checkpoint"])
    verify_signed(begin, checkpoint.origin, policy)
    verify_consistency(begin.size, checkpoint.size, older["path"], begin.root, checkpoint.root)


def check_bundle(data: bytes, policy: Policy, parties: Sequence[str] = ()) -> list[Verdict]:
    """Judge a bundle; where there are `parties` (vkeys), one of them must have signed its batch.

    Raises:
        InputError: It is not a bundle of at most 64 MiB; there is nothing to judge.
    """
    try:
        _demand(len(data) <= _MAX_BUNDLE, f"more than {_MAX_BUNDLE} bytes")
        it = _shaped(_json(data, "the file"), _BUNDLE_SHAPE, "the bundle")
        _demand(it["v"] == "provenance/proof/1", f"it is of version {it['v']!a}")
        point = _checkpoint(it["checkpoint"])
    except VerificationError as error:
        raise InputError(f"the bundle cannot be read: {error}") from None
    origin, fields, older = it["origin"], it["disclosed"], it["consistency"]
    opened = ", ".join(ascii(one["path"]) for one in fields)
    return [
        _judge("signed", True, f"at size {point.size}", verify_signed, point, origin, policy),
        _judge("witnessed", policy.quorum != ["none"], "", verify_witnessed, point, policy),
        _judge("included", True, f"entry {it['index']}", verify_included, it, point),
        _judge("body", it["body"] is not None, "as it was logged", verify_body, it),
        _judge("field", len(fields) > 0, opened, verify_disclosed, it, fields),
        _judge("batch-signed", len(parties) > 0, "", verify_batch_signed, it, point, parties),
        _judge("consistent", older is not None, "", verify_older, older, point, policy),
        Verdict("anchored", "absent", f"{len(it['anchors'])} anchors present, unchecked"),
    ]


def _judge(name: str, made: bool, good: str, verify: Callable[..., None], *on: object) -> Verdict:
    if not made:
        return Verdict(name, "absent", "not in the bundle, or not asked for")
    try:
        verify(*on)
    except VerificationError as error:
        return Verdict(name, "failed", str(error))
    return Verdict(name, "ok", good)


def _open_leaf(leaf: bytes) -> tuple[int, int, bytes]:  # type, index, body digest
    _demand(len(leaf) == _LEAF, f"a leaf of {len(leaf)} bytes, not {_LEAF}")
    _demand(leaf[:4] == b"PLE1", f"the leaf begins with {leaf[:4]!r}, not PLE1")
    _demand(leaf[5:8] == bytes(3), "the leaf's flags or padding are not zero")
    return leaf[4], int.from_bytes(leaf[8:16], "big"), leaf[24:56]


def _is_clear(value: Any, path: str) -> bool:
    try:
        for step in path[1:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            value = value[int(name)] if type(value) is list else value[name]
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _signers(note: _Note, keys: Collection[_Key]) -> set[_Key]:
    """Which of `keys` signed; a line of one of them that does not verify spoils the note."""
    signers, known = set[_Key](), {key[:2]: key for key in keys}
    for name, key_id, signature in note[1]:
        if key := known.get((name, key_id)):
            message, made = note[0], signature
            if key[2] == _COSIGNATURE:
                time, made = int.from_bytes(signature[:8], "big"), signature[8:]
                message = f"cosignature/v1\ntime {time}\n{message}"
            try:
                Ed25519PublicKey.from_public_bytes(key[3]).verify(made, message.encode())
            except (InvalidSignature, ValueError):
                raise VerificationError(f"the signature of {name!a} is wrong") from None
            signers.add(key)
    return signers


def _checkpoint(text: str) -> _Checkpoint:
    note = _note(text, "the checkpoint")
    match = _CHECKPOINT.fullmatch(note[0])
    if not match:
        raise VerificationError("the checkpoint's lines are not origin, size and root")
    root = _bytes(match[3], "the checkpoint's root", b"+/")
    _demand(len(root) == HASH_SIZE, f"the checkpoint's root has {len(root)} bytes, not 32")
    return _Checkpoint(match[1], int(match[2]), root, note)


def _note(text: str, what: str) -> _Note:
    """Take a signed note apart (c2sp.org/signed-note); nothing of it is trusted yet."""
    said, _, tail = text.rpartition("\n\n")
    *lines, _ = (_LINE.fullmatch(line) for line in tail.split("\n"))
    formed = tail.endswith("\n") and all(lines) and 0 < len(lines) <= _MAX_SIGNATURES
    _demand(formed, f"{what} does not end in 1 to {_MAX_SIGNATURES} whole signature lines")
    _demand(not _CONTROL.search(text), f"{what} holds control characters")
    found = [(line[1], _bytes(line[2], "a signature", b"+/")) for line in lines if line]
    return f"{said}\n", [(name, raw[:4].hex(), raw[4:]) for name, raw in found]


def parse_policy(data: bytes) -> Policy:
    """Read a trust policy (c2sp.org/tlog-policy) of at most 64 KiB, with Ed25519 keys.

    Raises:
        InputError: It is not one; the message names the line.
    """
    policy, number, text = Policy([], {}, {}, []), 0, data.decode(errors="surrogateescape")
    try:
        plain = len(data) <= _MAX_POLICY and not _CONTROL.search(text.replace("\t", " "))
        _demand(plain, f"over {_MAX_POLICY} bytes, or with control characters")
        _demand(text.endswith("\n"), "the last line does not end; is the file whole?")
        for number, line in enumerate(text.split("\n"), 1):  # noqa: B007 - for the message
            words = [word for word in re.split("[ \t]", line) if word]
            if words and not words[0].startswith("#"):
                _read_line(words, policy)
        _demand(len(policy.quorum) == 1, "not one quorum line; `quorum none` asks for nobody")
    except VerificationError as error:
        raise InputError(f"trust policy, line {number}: {error}") from None
    return policy


def _read_line(words: list[str], policy: Policy) -> None:
    logs, witnesses, groups, quorum = policy
    names = {"none", *witnesses, *groups}
    match words:
        case ["log", vkey] | ["log", vkey, _]:
            logs.append(_vkey(vkey, _ED25519, logs))
        case ["witness", name, vkey] | ["witness", name, vkey, _] if name not in names:
            witnesses[name] = _vkey(vkey, _COSIGNATURE, witnesses.values())
        case ["group", name, needed, *members] if members and name not in names:
            taken = {"none", *(one for _, group in groups.values() for one in group)}
            _demand(len({*members} & (names - taken)) == len(members), "members unknown or taken")
            threshold = {"any": "1", "all": str(len(members))}.get(needed, needed)
            _demand(threshold in map(str, range(1, len(members) + 1)), "no such threshold")
            groups[name] = int(threshold), members
        case ["quorum", name] if name in names:
            quorum.append(name)
        case _:
            raise VerificationError("not a line of a policy, or its name is taken or unknown")


def _vkey(text: str, kind: int, others: Collection[_Key] = ()) -> _Key:
    match = _VKEY.fullmatch(text)
    if not match:
        raise VerificationError("a vkey has the form name+keyid+key")
    name, key_id, raw = match[1], match[2], _bytes(match[3], "a vkey's key", b"+/")
    _demand(len(raw) == 1 + HASH_SIZE and raw[0] == kind, f"the vkey is not of type {kind}")
    _demand(key_id == sha256(name.encode() + b"\n" + raw).hexdigest()[:8], "the key id is wrong")
    _demand(raw[1:] not in {other[3] for other in others}, "the key comes twice")
    return name, key_id, kind, raw[1:]


def _shaped(value: Any, shape: Any, what: str) -> Any:
    """Hold JSON against a shape, and decode what is bytes in it."""
    if type(shape) is tuple:
        return None if value is None else _shaped(value, shape[0], what)
    if shape is bytes:
        return _bytes(value, what)
    kind = shape if type(shape) is type else type(shape)
    _demand(kind in (object, type(value)), f"{what} is not of type {kind.__name__}")
    if kind is list:
        return [_shaped(item, shape[0], what) for item in value]
    if kind is dict:
        _demand(value.keys() == shape.keys(), f"{what} has not exactly {', '.join(shape)}")
        return {name: _shaped(value[name], shape[name], name) for name in shape}
    return value


def _bytes(text: Any, what: str, alphabet: bytes = b"-_") -> bytes:
    """Decode base64url without padding, or padded base64; only in its one canonical form."""
    padding = "=" if alphabet == b"-_" else ""
    try:
        data = b64decode(text + padding * (-len(text) % 4), alphabet, validate=True)
    except (TypeError, ValueError):
        data = b""
    again = b64encode(data, alphabet).decode().rstrip(padding or None)
    _demand(text == again, f"{what} is not well-formed base64")
    return data


def _json(data: bytes, what: str) -> Any:
    """Read JSON without what two readers may see differently: doubled names, other numbers."""
    try:
        text = data.decode()
        return json.loads(text, object_pairs_hook=_members, parse_float=int, parse_constant=int)
    except (ValueError, RecursionError) as error:
        raise VerificationError(f"{what} is not JSON of this format: {error}") from None


def _members(pairs: list[tuple[str, Any]]) -> _Json:
    _demand(len(dict(pairs)) == len(pairs), "a name occurs twice in one JSON object")
    return dict(pairs)


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise VerificationError(otherwise)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program: a line per verdict; 0 all good, 1 something failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="provenance.verify", description="Check a proof bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--policy", type=Path, required=True, help="a C2SP tlog-policy file")
    parser.add_argument("--party-key", action="append", default=[], help="vkey of a batch's signer")
    asked = parser.parse_args(arguments)
    try:
        policy = parse_policy(asked.policy.read_bytes())
        verdicts = check_bundle(asked.bundle.read_bytes(), policy, asked.party_key)
    except (OSError, ProvenanceError) as error:
        sys.stderr.write(f"{error}\n")
        return getattr(error, "exit_code", 2)
    sys.stdout.writelines(f"{status:7} {name:13} {text}\n" for name, status, text in verdicts)
    return int(any(verdict.status == "failed" for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
