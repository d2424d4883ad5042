"""After the story, in the same booted Debian: the package takes the place of what `make install` put there.

Installed over the same configuration, upgraded while it runs, removed, purged.
"""

from __future__ import annotations

import re
from pathlib import Path

from story import CONFIGURATION, UNIT, in_journal, journal, main_pid, restarted_after, sh, shown, told, until

PACKAGE = Path("/checkout/teleport-email.deb")
DPKG = "DEBIAN_FRONTEND=noninteractive dpkg --force-confold"


def newer() -> str:
    """The same package with a higher version."""
    sh(f"dpkg-deb -R {PACKAGE} /srv/newer")
    control = Path("/srv/newer/DEBIAN/control")
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+next", control.read_text()))
    sh("dpkg-deb -Znone -b /srv/newer /srv/newer.deb")
    return "/srv/newer.deb"


def main() -> None:
    if not PACKAGE.exists():
        return
    told("the package")
    sh("make uninstall")
    configuration = CONFIGURATION.read_text()
    sh(f"{DPKG} -i {PACKAGE}")
    assert CONFIGURATION.read_text() == configuration
    assert shown("ActiveState") == "inactive", "it starts by itself"
    assert "/usr/bin/teleport-email" in shown("ExecStart")
    ready = journal().count("Plugin is ready")
    sh(f"systemctl enable --now {UNIT}")
    in_journal("Plugin is ready", ready + 1)
    delivered = journal().count("message delivered")
    sh("tsh request create")
    in_journal("message delivered", delivered + 2)

    told("an upgrade")
    restarted_after("an upgrade", lambda: sh(f"{DPKG} -i {newer()}"))
    sh("tsh request create")
    in_journal("message delivered", delivered + 4)
    told("  ok nothing lost, nothing twice")

    told("removed, and purged")
    pid = main_pid()
    sh("dpkg -r teleport-email")
    until("the daemon has ended", lambda: not Path(f"/proc/{pid}").exists())
    assert journal().count("message delivered") == delivered + 4, journal("-n 40")
    assert CONFIGURATION.exists()
    sh("dpkg -P teleport-email")
    left = [CONFIGURATION, Path("/var/lib/teleport-email"), Path("/usr/lib/teleport-email")]
    assert not [path for path in left if path.exists()]
    assert UNIT not in sh("find /etc/systemd -type l")
    told("  ok")


main()
