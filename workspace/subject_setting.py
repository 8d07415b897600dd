"""Beginning to keep keys of data subjects in a workspace that has none.

Next: workspace/workspace.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import WorkspaceDamaged, WorkspaceReadOnly
from provenance.store.storage import translated
from provenance.store.subjects import SubjectKeys
from workspace.layout import Layout
from workspace.settings import read_settings, set_subject_keys

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep_subject_keys"]


def keep_subject_keys(directory: Path) -> bool:
    """Let an existing workspace keep keys of data subjects, for entries from now on.

    First the file, then the setting: if we crash between the two, the file counts.

    Returns:
        False where it keeps them already.

    Raises:
        WorkspaceDamaged: It is set to, but the file is missing; a new one would open nothing.
    """
    layout = Layout(directory)
    settings = read_settings(layout.settings)
    if settings.role != "log":
        raise WorkspaceReadOnly(f"{directory}: is a {settings.role} and only read")
    if settings.privacy.subject_keys:
        if not layout.subject_keys.exists():
            raise WorkspaceDamaged(
                f"{layout.subject_keys}: missing; put it back from where you keep it. A new one "
                "would open nothing of what is stored"
            )
        return False
    with translated(layout.settings):
        if not layout.subject_keys.exists():
            SubjectKeys.create(layout.subject_keys)
        set_subject_keys(layout.settings)
    return True
