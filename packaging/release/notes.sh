#!/bin/sh
# Prints what CHANGELOG.md says of a version: packaging/release/notes.sh 1.0.0
set -eu
awk -v version="$1" '
	/^## / { within = index($0, "## [" version "]") == 1 }
	within
' "$(dirname "$0")/../../CHANGELOG.md"
