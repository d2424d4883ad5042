#!/usr/bin/env bash
# make test-packages: looks at the packages in dist/, and installs, upgrades, removes and purges them in Debian roots.
#
#   tests/packages/run.sh [SUITE ...]      (default: bookworm trixie)
#
# What cannot run here is skipped with a word. `make test-systemd` upgrades a running daemon.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/systemd/roots.sh
need debootstrap chroot

declare -A RELEASES=([bookworm]=deb12u1 [trixie]=deb13u1)
make_root tools trixie "${for_tools[@]}"

echo "looking at the packages"
enter_root tools
mkdir "$work/root/packages"
cp dist/*.deb dist/*.rpm "$work/root/packages/"
cp tests/packages/look.py "$work/root/packages/"
chroot "$work/root" python3 /packages/look.py
leave_root

for suite in "${@:-bookworm trixie}"; do
	for suite in $suite; do
		make_root "$suite" "$suite" "${for_boot[@]}"
		enter_root "$suite"
		cp dist/*~"${RELEASES[$suite]}"_"$(dpkg --print-architecture)".deb "$work/root/teleport-email.deb"
		cp tests/packages/life.sh "$work/root/"
		echo "$suite: installing, upgrading, going back, removing, purging"
		# A process namespace of its own, with a /proc of its own, so that nothing stays.
		unshare --mount --pid --fork --kill-child chroot "$work/root" /bin/bash -euc \
			'mount -t proc proc /proc; exec /bin/bash -eu /life.sh'
		leave_root
	done
done
