#!/usr/bin/env bash
# make test-container: builds the image without a container engine, on a base made of Debian's packages, and runs it
# as it is meant to run: another user than root, nothing to write to, no network but its own.
#
# What cannot run here is skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/systemd/roots.sh
need debootstrap chroot unshare ip
make_root tools trixie "${for_tools[@]}"
make_root trixie trixie "${for_boot[@]}"
fetch_wheels "$PWD/.roots/wheels-trixie" 3.13 build runtime

enter_root tools
mkdir -p "$work/root/base" "$work/root/source"
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- --ignore-failed-read |
	tar -x -C "$work/root/source"
cp tests/container/image.sh "$work/root/"
cp -r .roots/wheels-trixie "$work/root/wheels"
git rev-parse HEAD >"$work/root/commit" 2>/dev/null || : >"$work/root/commit"
# The mounts are in a namespace of their own: nothing stays.
unshare --mount --pid --fork --kill-child /bin/bash -euc '
	mount --bind -o ro "$1" "$2/base"
	mount -t proc proc "$2/proc"
	mount --rbind /dev "$2/dev"
	cp /etc/resolv.conf "$2/etc/resolv.conf"
	exec chroot "$2" /bin/bash -eu /image.sh' - "$PWD/.roots/trixie" "$work/root"
leave_root
