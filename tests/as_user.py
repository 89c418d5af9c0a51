"""Run a command as an ordinary user, for the tests of the walls: `python tests/as_user.py python -m pytest …`.

Only root can; the user is nobody. Where Python lies below a folder that nobody may enter, such as /root, it is shown
to the command in a mount namespace of its own, so that nothing on the machine changes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

NOBODY = 65534


def reachable(path: str) -> bool:
    """Whether anybody may enter every folder above `path`."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(path).resolve().parents)


def main(command: list[str]) -> int:
    """Run `command` as nobody, in a home of its own."""
    hidden = sys.base_prefix
    steps = []
    if not reachable(hidden):
        top = next(
            folder for folder in reversed(Path(hidden).resolve().parents) if not folder.stat().st_mode & 0o001
        )
        steps = [
            "shelf=$(mktemp -d)",
            f'mount --bind "{hidden}" "$shelf"',
            f'mount -t tmpfs -o mode=755 tmpfs "{top}"',
            f'mkdir -p "{hidden}"',
            f'mount --bind "$shelf" "{hidden}"',
            'umount "$shelf" && rmdir "$shelf"',
        ]
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, NOBODY, NOBODY)
        script = " && ".join(
            [*steps, f'exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --no-new-privs "$@"']
        )
        environment = dict(os.environ, HOME=home, TMPDIR=home, PYTHONDONTWRITEBYTECODE="1")
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", *command], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
