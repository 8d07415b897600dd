"""`workspace.toml`: every setting, with its meaning where a person reads it.

The file is written once by `provenance init` with all settings spelled out;
unknown names are refused, because a misspelt setting that is silently ignored
is a setting that a person believes in.

Next: workspace/workspace.py
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from graph.place import ArangoPlace
from provenance.errors import UsageError, WorkspaceDamaged, WorkspaceMissing, WorkspaceTooNew
from provenance.files import replace_file
from provenance.govern.sources import KeySource

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FORMAT",
    "KeySetting",
    "Settings",
    "edited",
    "read_settings",
    "set_subject_keys",
    "settings_text",
]

FORMAT: Final = 4
"""Format of the workspace directory."""

_ORIGIN: Final = re.compile(r"[a-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?\Z")
_PARTY: Final = re.compile(r"[^\s/+%?#]{1,64}\Z")

_TEMPLATE: Final = """\
# Settings of this Provenance workspace. Every setting is shown; edit and save.

# Format of this directory. `provenance upgrade` changes it, people do not.
format = {format}

# The log's identity, as it stands in every checkpoint. Never changes.
origin = "{origin}"

# Whose events these are, where a file or `--party` does not say otherwise.
party = "{party}"

# Where the QR codes lead: the public address of `provenance serve`.
domain = "{domain}"

# What this directory is: a "log" is written to, a "mirror" follows a log elsewhere,
# a "copy" is a backup or was restored from one, and is only read. Commands set it.
role = "log"

[key]
# Where the key that signs checkpoints is: in keys/log.key, unless `env` names an
# environment variable that holds the text of such a file, or `command` is a program
# (with arguments, by its full path) that gets the message on standard input and writes
# the signature in base64. `vkey` is the public key: needed with `command`, else checked
# if it is given. `timeout` is how many seconds the program may take.
# `provenance key rotate` changes these.
env = {env}
command = {command}
vkey = {vkey}
timeout = {timeout}

[privacy]
# Whether what is about a data subject is stored under a key of that subject, so that
# copies of the log forget with the key, keys/subjects.db. `provenance subjects on`
# sets it; once it is true it stays so.
subject_keys = {subject_keys}

[quarantine]
# For how many days rows that were set aside are kept; 0 keeps them until somebody drops
# them. `provenance ingest` and `provenance quarantine purge` drop older ones, and say so.
keep_days = 0

[graph]
# Where the projection lives: "sqlite:graph.db" is a file in this directory,
# "arangodb:http://127.0.0.1:8529/provenance" a database of a server; of a cluster several
# addresses are given, with commas between them.
url = "sqlite:graph.db"

[graph.arangodb]
# How an ArangoDB server is asked; see docs/arangodb.md. The password is never in this file:
# it is in an environment variable, or in a file, or a program prints it.
graph = "provenance"
user = "root"
password_env = "PROVENANCE_GRAPH_PASSWORD"
password_file = ""
password_command = []
# A file of certificates to trust instead of the system's.
ca_file = ""
# Of a cluster: shards of a collection, copies of each, and copies that a write waits for;
# or all in one shard, or a copy on every server, where the edition has that.
shard_count = 1
replication_factor = 1
write_concern = 1
one_shard = false
satellite = false
# Seconds for one request, and for repeating while the server is away or busy.
timeout = 60.0
patience = 90.0

[detect]
# Share of false flags that a run may expect among its statistical flags, 0 to 1.
q = 0.05
# Whether `provenance serve` lets the detectors look at new entries as they come, as with
# `serve --detect`.
follow = false

[serve]
# Address and port of `provenance serve`. Another address than loopback also
# needs `--public` on the command line.
host = "127.0.0.1"
port = 8765
# Who may read whole bodies by their number, and so list all that is public: "public"
# for everybody, mirrors of others among them; "partner" or "private" for tokens alone.
bodies = "public"
"""


_IN_FILE: Final = KeySource()


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether there are keys of data subjects."""

    subject_keys: bool = False


class QuarantineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how many days rows that were set aside are kept; 0 is for ever."""

    keep_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 0


class GraphSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the graph projection lives, and how it is kept where that is a server."""

    url: str = "sqlite:graph.db"
    arangodb: ArangoPlace = ArangoPlace()


class DetectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strict detection is (`q`, the false-discovery rate, 0 to 1), and whether it follows."""

    q: float = 0.05
    follow: bool = False


class ServeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server listens, and from which tier on it shows whole bodies."""

    host: str = "127.0.0.1"
    port: int = 8765
    bodies: Literal["public", "partner", "private"] = "public"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a workspace; see the comments in the file for their meaning."""

    format: int
    origin: str
    party: str
    domain: str
    role: Literal["log", "mirror", "copy"] = "log"
    key: KeySource = _IN_FILE
    privacy: PrivacySettings = PrivacySettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    graph: GraphSettings = GraphSettings()
    detect: DetectSettings = DetectSettings()
    serve: ServeSettings = ServeSettings()


@dataclass(frozen=True)
class _Check:
    """One rule for a value that a person types."""

    name: str
    good: bool
    form: str


def settings_text(
    origin: str,
    party: str,
    domain: str,
    key: KeySource = _IN_FILE,
    *,
    subject_keys: bool = False,
) -> str:
    """Write the `workspace.toml` of a new workspace.

    Raises:
        UsageError: One of the values cannot be what it is meant to be.
    """
    text = _TEMPLATE.format(
        format=FORMAT,
        origin=origin,
        party=party,
        domain=domain,
        subject_keys=str(subject_keys).lower(),
        **_key_values(key),
    )
    for check in _checks(origin, party, domain):
        if not check.good:
            raise UsageError(f"--{check.name}: must be {check.form}")
    return text


def _key_values(key: KeySource) -> dict[str, str]:
    import tomlkit  # noqa: PLC0415 - most commands write no settings

    return {
        name: tomlkit.item(value).as_string() for name, value in msgspec.to_builtins(key).items()
    }


class KeySetting:
    """The table `[key]` of a settings file, which a rotation changes."""

    def __init__(self, path: Path) -> None:
        """Read and write the file at `path`."""
        self._path = path

    def read(self) -> KeySource:
        """Return where the present key is, as the file says now."""
        return read_settings(self._path).key

    def write(self, source: KeySource) -> None:
        """Change the table, and nothing else that people wrote into the file."""
        text = edited(self._path.read_text(), key=msgspec.to_builtins(source))
        replace_file(self._path, text.encode())


def set_subject_keys(path: Path) -> None:
    """Say in a settings file that there are keys of data subjects, and change nothing else."""
    text = edited(path.read_text(), privacy={"subject_keys": True})
    replace_file(path, text.encode())


def edited(text: str, **values: Any) -> str:
    """Change values of a `workspace.toml`, and leave all else as its people wrote it.

    Args:
        text: The file's.
        values: By name; of a table, those of its values that change.
    """
    import tomlkit  # noqa: PLC0415 - as above

    document = tomlkit.parse(text)
    for name, value in values.items():
        if not isinstance(value, dict):
            document[name] = value
            continue
        table = document.setdefault(name, tomlkit.table())
        for inner, one in value.items():
            table[inner] = one
    return tomlkit.dumps(document)


def _checks(origin: str, party: str, domain: str) -> tuple[_Check, ...]:
    address = urlsplit(domain)
    plain = address.scheme in {"http", "https"} and bool(address.netloc)
    return (
        _Check("origin", bool(_ORIGIN.match(origin)), "a lower-case domain and path, no scheme"),
        _Check("party", bool(_PARTY.match(party)), "1 to 64 characters without space, / + % ? #"),
        _Check(
            "domain",
            plain and not address.query and not address.fragment and '"' not in domain,
            "an http or https address such as https://example.org",
        ),
    )


def read_settings(path: Path) -> Settings:
    """Read a `workspace.toml`.

    Raises:
        WorkspaceMissing: There is none.
        WorkspaceTooNew: A newer version of the program wrote it.
        WorkspaceDamaged: It is not TOML, or a setting is unknown, missing or of another type.
    """
    try:
        raw = tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise WorkspaceMissing(
            f"{path.parent}: no workspace here; `provenance init --data {path.parent}` makes one"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise WorkspaceDamaged(f"{path}: cannot be read: {error}") from None
    found = raw.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise WorkspaceTooNew(
            f"{path}: workspace format {found}, this program reads up to {FORMAT}; "
            "install a newer one"
        )
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise WorkspaceDamaged(f"{path}: {error}") from None
    for check in _checks(settings.origin, settings.party, settings.domain):
        if not check.good:
            raise WorkspaceDamaged(f"{path}: {check.name} must be {check.form}")
    return settings
