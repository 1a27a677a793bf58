#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh: what libFuzzer makes of the seeds, for 20 s of CPU time (SECONDS_EACH) for each
# reader of foreign input, breaks none of them. See tests/fuzz/.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$top" || exit 1
need_deps fuzz build
if ! make -s build/fuzz/fuzz > "$tmp/make" 2>&1; then
	not_ok fuzz "does not build: $(tail -n 1 "$tmp/make")"
	exit 1
fi
tests/fuzz/run build/fuzz/fuzz "${SECONDS_EACH:-20}" > "$tmp/out" 2>&1
status=$?
for target in boot insns patch selector sweep mbox; do
	n=$(sed -n "s/^$target: \([0-9]*\) inputs.*/\1/p" "$tmp/out")
	if [ "${n:-0}" -gt 0 ]; then
		ok "$target ($n inputs)"
	else
		not_ok "$target" "$(grep -m 1 "$target" "$tmp/out")"
	fi
done
equal "no input breaks a reader" "$status" 0

# What is asked of it
refuses "a target that there is not" "no target 'x'; there are: boot " tests/fuzz/run build/fuzz/fuzz 1 x
refuses "no number of seconds" "SECONDS '1e' is not a number" tests/fuzz/run build/fuzz/fuzz 1e
