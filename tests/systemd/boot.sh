#!/usr/bin/env bash
# make test-systemd: boots Debian roots with a systemd of their own and follows the README's commands in them.
#
#   tests/systemd/boot.sh [SUITE ...]      (default: bookworm trixie, that is systemd 252 and 257)
#
# Roots and wheels are kept in .roots/ for the next time; `make clean` takes them away. What cannot run here is
# skipped with a word.
set -euo pipefail
cd "$(dirname "$0")/../.."

. tests/systemd/roots.sh
need debootstrap systemd-nspawn

declare -A PYTHONS=([bookworm]=3.11 [trixie]=3.13) RELEASES=([bookworm]=deb12u1 [trixie]=deb13u1)
for suite in "${@:-bookworm trixie}"; do
	for suite in $suite; do
		make_root "$suite" "$suite" "${for_boot[@]}"
		wheels=$PWD/.roots/wheels-$suite
		fetch_wheels "$wheels" "${PYTHONS[$suite]}" build runtime sandbox

		enter_root "$suite"
		mkdir -p "$work/root/checkout"
		git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- --ignore-failed-read |
			tar -x -C "$work/root/checkout"
		cp -r "$wheels" "$work/root/checkout/wheels"
		package=(dist/*~"${RELEASES[$suite]}"_"$(dpkg --print-architecture)".deb)
		if [ -e "${package[0]}" ]; then
			cp "${package[0]}" "$work/root/checkout/teleport-email.deb"
		else
			echo "$suite: without the package, which is not in dist/ (make packages)"
		fi
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
		leave_root
	done
done
