"""Entry point of ``teleport-email`` and ``python -m teleport_email``."""

import sys

if "start" in sys.argv[1:]:
    # Before the imports: a SIGHUP (`systemctl reload`) in the first moments would end the process.
    from teleport_email.daemon.signals import ignore_hangup

    ignore_hangup()

from teleport_email.cli import main

if __name__ == "__main__":
    sys.exit(main())

__all__ = ["main"]
