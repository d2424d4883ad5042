#!/usr/bin/env bash
# make test-systemd: boots Debian roots with a systemd of their own and follows the README's commands in them.
#
#   tests/systemd/boot.sh [SUITE ...]      (default: bookworm trixie, that is systemd 252 and 257)
#
# Roots and wheels are kept in .roots/ for the next time; `make clean` takes them away. What cannot run here is
# skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
	echo "skipped: $*"
	exit 0
}
[ "$(id -u)" = 0 ] || skip "booting a root needs root"
for tool in debootstrap systemd-nspawn; do
	command -v "$tool" >/dev/null || skip "$tool is not installed here (Debian: apt install debootstrap systemd-container)"
done

declare -A PYTHONS=([bookworm]=3.11 [trixie]=3.13)
packages=systemd-sysv,dbus,make,python3-venv,acl,util-linux
mkdir -p .roots
for suite in "${@:-bookworm trixie}"; do
	for suite in $suite; do
		root=$PWD/.roots/$suite wheels=$PWD/.roots/wheels-$suite
		if [ ! -e "$root.complete" ]; then
			echo "$suite: making a root"
			rm -rf "$root"
			debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$root.log" 2>&1 ||
				skip "debootstrap $suite failed: $(tail -n 1 "$root.log")"
			touch "$root.complete"
		fi
		# As docs/operations.md says of hosts that reach no package index.
		python=$(packaging/venv.sh find)
		for lock in build runtime sandbox; do
			"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
				--only-binary=:all: --python-version="${PYTHONS[$suite]}" -d "$wheels" \
				-r "requirements/$lock.txt" || skip "the packages cannot be fetched"
		done

		# The root itself stays as it is: what happens in it goes into a layer that is thrown away.
		work=$(mktemp -d "$PWD/.roots/run.XXXXXX")
		trap 'umount -l "$work/root" 2>/dev/null; rm -rf "$work"' EXIT
		mkdir "$work"/{upper,layer,root}
		mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/layer" "$work/root" ||
			skip "no overlay file system here"
		mkdir -p "$work/root/checkout"
		git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- --ignore-failed-read |
			tar -x -C "$work/root/checkout"
		cp -r "$wheels" "$work/root/checkout/wheels"
		cp tests/systemd/story.service "$work/root/etc/systemd/system/"
		mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
		ln -s ../story.service "$work/root/etc/systemd/system/multi-user.target.wants/"

		echo "$suite: booting"
		timeout 900 systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=read-only \
			--directory="$work/root" </dev/null >"$work/console" 2>&1 || true
		if [ ! -e "$work/root/checkout/begun" ]; then
			cat "$work/console"
			skip "systemd did not boot in a container here"
		fi
		sed "s/^/$suite: /" "$work/root/checkout/told"
		[ "$(cat "$work/root/checkout/result" 2>/dev/null)" = 0 ] || {
			tail -n 40 "$work/console"
			echo "$suite: failed"
			exit 1
		}
		umount -l "$work/root"
		rm -rf "$work"
		trap - EXIT
	done
done
