#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# retry.sh: the retry-site finder on code of several compilers, run for real.
# run: needs base
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=trace.sh
. "$(dirname "$0")/trace.sh"

need_lab retry-sites
need_kernel
build_guest build/arm64/ptelab
if ! "$top/tests/bpf/retry-shapes" "$tmp/shapes" > "$tmp/build" 2>&1; then
	not_ok retry-shapes "$(tail -n 1 "$tmp/build")"
	exit 1
fi
printf '%s\n' "retry_step /names" "retry_step --running" > "$tmp/job"
"$top/scripts/lab/boot" --image "$kernel/Image" --job "$tmp/job" \
	--ptelab "$top/build/arm64/ptelab" --out "$tmp/out.jsonl" \
	--file "$tmp/shapes/retry_step:bin/retry_step" \
	--file "$tmp/shapes/names:names" > "$tmp/end" 2>&1

# One line for each compiler and option, not for each of a dozen functions.
equal every-function-was-run "$(grep -c '__' "$tmp/out.jsonl")" \
	"$(wc -l < "$tmp/shapes/names")"
sed -n 's/.*__\(.*\)$/\1/p' "$tmp/shapes/names" | sort -u | while read -r v; do
	if bad=$(grep -m 1 "^FAIL .*__$v:" "$tmp/out.jsonl"); then
		not_ok "retries-counted-exactly-$v" "$bad"
	else
		ok "retries-counted-exactly-$v"
	fi
done

if ! grep -q '^linux__' "$tmp/shapes/names"; then
	skip kernels-own-source "no built tree of a kernel is left in the cache"
fi
check retries-counted-exactly-as-it-runs grep -q \
	'^ok   contpte_ptep_get_lockless: [1-9]' "$tmp/out.jsonl"

note retry-sites "compilers tried: $(sed -nE 's/.*__(gcc|clang)([0-9]+)_kernel$/\1 \2/p' "$tmp/shapes/names" |
	sort -u | paste -sd, | sed 's/,/, /g')"

# What is known of the lab's own kernels, which their builder's gcc 12 makes.
"$top/build/native/ptelab" trace --explain-retry --vmlinux "$kernel/vmlinux" \
	> "$tmp/explain" 2>&1
equal base-kernel-has-one-site \
	"$(grep -c 'starts a new try' "$tmp/explain")" 1
check base-kernel-verdict grep -Eqx 'retries = hits of \+0x[0-9a-f]+' \
	<(tail -n 1 "$tmp/explain")
