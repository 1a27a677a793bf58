#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# each.sh: make ab of a thread on standard input, a kernel after each of its two
# patches: what either does is known beforehand.
# run: needs base
# run: builds
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_lab lab-each jq
need_deps lab-each build plot
need_kernel
unset_make_vars
name=ptelab-f-nf-pr-ft-$$
run=runs/$name
trap 'rm -rf "$tmp" "$run" "$run.new"' EXIT

# mail ID PARENT SUBJECT < BODY
mail()
{
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: Jörg <ptelab@localhost>\n'
	printf 'Message-ID: <%s@localhost>\nIn-Reply-To: <%s@localhost>\nSubject: %s\n\n' "$1" "$2" "$3"
	cat
	echo
}
# Five instructions more for each of 16 pages, and then what no benchmark runs
{
	sed '1,/^$/d' tests/lab/patches/unrun.patch | mail 2 0 '[PATCH v3 2/2] mm: change what no benchmark runs'
	sed '1,/^$/d' tests/lab/patches/nops.patch | mail 1 0 '[PATCH v3 1/2] mm: five instructions more in two loops'
	echo 'Why.' | mail 0 x "[PATCH v3 0/2] ptelab: fünf prüft $$"
	echo '> Why.' | mail 3 0 "Re: [PATCH v3 0/2] ptelab: fünf prüft $$"
} > "$tmp/thread.mbox"
echo 'ptelab run -o - --seed @SEED@ -b gup.pin_fast -p folio=4k -p pages=16' > "$tmp/job"

if ! scripts/ab MBOX=- EACH=1 SEEDS=1 JOB="$tmp/job" < "$tmp/thread.mbox" > "$tmp/out" 2> "$tmp/err"; then
	not_ok lab-each "$(tail -n 1 "$tmp/err")"
	exit
fi
check says-which-series grep -q "^ab: \"v3 ptelab: fünf prüft $$\" by Jörg <ptelab@localhost>: 2 of 4" "$tmp/err"
equal title "$(head -n 1 "$run/answer.txt")" "ptelab: fünf prüft $$ (2 patches)"
equal from "$(jq -r .from "$run/manifest.json")" 'Jörg <ptelab@localhost>'
equal patches "$(cd "$run/patches" && echo *)" '0001.patch 0002.patch about'

# rows STEP: the exact counts that differ between this kernel and the one before it
rows()
{
	build/native/ptelab compare "$run/$1" --json |
		jq -c '[.results[] | select(.metric == "instructions_kernel") | .delta | round | select(. != 0)]'
}
equal first-patch "$(rows 01)" '[80]'
equal second-patch "$(rows 02)" '[]'
equal first-title "$(jq -r .title "$run/01/manifest.json")" '1/2 mm: five instructions more in two loops'
check first-exercised grep -q '^WORSE at 1 of' "$run/answer.txt"
check second-not-exercised grep -q '^NOT EXERCISED: only set-up or boot ran' "$run/answer.txt"
# Boot calls strrchr().
check second-of-its-own sh -c "tr -s '\n ' ' ' < '$run/02/answer.txt' |
	grep -q 'only in set-up or at boot strrchr(); not mincore_pte_range()'"
equal second-patch-alone "$(grep -c 'mm/gup.c' "$run/02/changes.txt")" 0
check patched-is-the-last cmp "$run/patched/boot-001.jsonl" "$run/02/patched/boot-001.jsonl"
check steps-follow cmp "$run/01/patched/boot-001.jsonl" "$run/02/base/boot-001.jsonl"
check one-table grep -qE '^ *instructions_kernel .* \+[0-9.]+% \(R\) .* \+[0-9.]+% \(R\)$' "$run/table.txt"
equal in-75-columns "$(awk 'length > 75' "$run/answer.txt")" ''

# Its patches came on standard input, and are in the result.
hash=$(jq -r .hash "$run/manifest.json")
equal reproduces "$(scripts/reproduce --trust "$hash" "$run" 2> "$tmp/err" | tail -n 1)" \
	'identical: 4 points in 2 exact boots, every character'
rm -rf "runs/reproduce-$hash"

refuses one-patch 'EACH=1: the change is not of several patches' scripts/ab EACH=1 \
	PATCHES=tests/lab/patches/nops.patch NAME="$name" JOB="$tmp/job"
