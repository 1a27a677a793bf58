#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# No script gives shellcheck anything to report; .shellcheckrc lists the checks
# that are off.
set -u
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1

if ! command -v shellcheck > /dev/null; then
	skip shellcheck "not installed; run scripts/deps test"
	exit 0
fi
# Those of git, or all that are there where this is no git tree
{ git ls-files -co --exclude-standard 2> /dev/null || find . -type f -not -path './build/*'; } |
	while read -r f; do
		[ ! -f "$f" ] || ! head -n 3 "$f" | grep -aqE '^#!.*[/ ](ba|da)?sh( |$)|^# shellcheck shell=' || echo "$f"
	done > "$tmp/scripts"
check there-are-scripts test "$(wc -l < "$tmp/scripts")" -ge 50
xargs -n 4 -P "$(nproc)" shellcheck -f gcc < "$tmp/scripts" > "$tmp/out" 2> "$tmp/err"
while read -r f; do
	equal "$f" "$(grep -m 3 -F "$f:" "$tmp/out")" ''
done < "$tmp/scripts"
equal shellcheck-runs "$(head -n 1 "$tmp/err")" ''
