#!/bin/sh
# Makes everything that a release has, in dist/ (make release): sdist, wheel, packages, chart, schema of the
# configuration, bill of materials, notes, checksums. It publishes nothing.
#
# PYTHON_BIN  bin/ of the environment to build with
# ANYWAY      not empty: also of a tree that is not as it was committed, to try it
set -eu
cd "$(dirname "$0")/../.."

fail() {
	echo "$*" >&2
	exit 1
}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' src/teleport_email/__init__.py)
notes=$(packaging/release/notes.sh "$version")
[ -n "$notes" ] || fail "CHANGELOG.md has no section [$version]"
for file in packaging/helm/teleport-email/Chart.yaml; do
	grep -q "^version: $version\$" "$file" && grep -q "^appVersion: \"$version\"\$" "$file" || fail "$file is not at $version"
done
if [ -z "${ANYWAY:-}" ]; then
	[ -z "$(git status --porcelain)" ] || fail "the tree is not as it was committed (git status)"
	tagged=$(git rev-parse -q --verify "refs/tags/v$version^{commit}" || :)
	[ -z "$tagged" ] || [ "$tagged" = "$(git rev-parse HEAD)" ] || fail "v$version is another commit: raise the version"
fi

rm -rf dist
make --no-print-directory dist packages

# It is a checkout of its own: what is not in it nobody needs.
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
tar -xzf "dist/teleport_email-$version.tar.gz" -C "$place"
echo "the sdist by itself: make lint"
make --no-print-directory -C "$place/teleport_email-$version" lint VENV=.venv

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
tar -C packaging/helm --sort=name --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw,a-s \
	--mtime="@$SOURCE_DATE_EPOCH" -c teleport-email | gzip -9n >"dist/teleport-email-chart-$version.tgz"
"$PYTHON_BIN/python" -m teleport_email configure --schema >"dist/teleport-email-$version.schema.json"
"$PYTHON_BIN/python" packaging/release/sbom.py "$version" <requirements/runtime.txt >"dist/teleport-email-$version.cdx.json"
printf '%s\n' "$notes" >"dist/teleport-email-$version.notes.md"
(cd dist && sha256sum -- * >SHA256SUMS)
ls -1 dist
echo "next: git tag -s v$version -F dist/teleport-email-$version.notes.md --cleanup=verbatim"
