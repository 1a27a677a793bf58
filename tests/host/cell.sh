#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Sweep files as they ship, and the cell: idempotent, whole or not at all.
# run: here
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
ptelab=$top/build/native/ptelab

for f in "$top"/scripts/sweeps/*.cfg; do
	check "$(basename "$f") is right" "$ptelab" sweep check "$f"
done
# What a file costs is told from its points, or from a run.
"$ptelab" sweep plan "$top/scripts/sweeps/quick.cfg" -k a=1 -k b=2 >"$tmp/plan"
equal "plan: both kernels, ABBA or BAAB" \
	"$(sed -nE 's/^order, seed 1: //p' "$tmp/plan" | tr ' ' '\n' | cut -c1 | tr -d '\n' | tr ab AB |
		grep -cE '^(ABBA|BAAB)$')" 1
equal "plan: --json has every cell" \
	"$("$ptelab" sweep plan "$top/scripts/sweeps/quick.cfg" -k a=1 -k b=2 --boots 5 --json |
		jq '[.cells[] | .kernel + (.boot | tostring)] | unique | length')" 10
refuses "plan without kernels says so" 'kernels: none yet' \
	"$ptelab" sweep plan "$top/scripts/sweeps/quick.cfg"

cat >"$tmp/one.cfg" <<END
bench = [ "barrier.cost" ];	# any machine can
kernels = ( { name = "here"; release = "$(uname -r)"; },
	{ name = "other"; release = "1.2.3-other"; } );
tune = false; batches = 2; warmup = 0; counted = 0; min_batch_ms = 0;
END
cell()
{
	"$ptelab" cell "$tmp/one.cfg" -o "$tmp/out" "$@"
}
if ! cell --kernel here --boot 1 >"$tmp/said" 2>"$tmp/err"; then
	not_ok "a cell is measured" "$(cat "$tmp/err")"
	exit
fi
file=$tmp/out/here/boot-001.jsonl
equal "a cell names its file" "$(cat "$tmp/said")" "$file"
equal "the boot file is whole" "$(tail -n 1 "$file" | jq -r .type)" footer
equal "the header says which cell it is" \
	"$(head -n 1 "$file" | jq -r '.cell | .kernel + " " + (.boot | tostring)')" "here 1"
before=$(stat -c '%i %Y' "$file"; sha256sum <"$file")
check "asked again it is done" cell --kernel here --boot 1
equal "and the file is the same" "$(stat -c '%i %Y' "$file"; sha256sum <"$file")" "$before"
refuses "a boot is measured once" 'this boot is .*boot-001.jsonl already: boot again' \
	cell --kernel here --boot 2
refuses "another kernel" "this host runs .*; 'other' is 1.2.3-other: boot it first" \
	cell --kernel other --boot 1
refuses "another build of it" "build id.*(is|can't be read)" \
	cell --kernel here --boot 2 --build-id 00
refuses "an unknown kernel" "no kernel 'her'; did you mean here" \
	cell --kernel her --boot 2
refuses "a name that leaves the folder" 'not a name of a kernel' \
	cell --kernel ../x --boot 1
printf '{' >"$tmp/out/here/boot-009.jsonl"
refuses "a damaged boot file is no cell's" 'cut short|not a run file' cell --kernel here --boot 9
rm "$tmp/out/here/boot-009.jsonl"
equal "refusals leave nothing" "$(find "$tmp/out" -type f | wc -l)" 1

# Somebody else at work in the same place
exec 7<"$tmp/out/here"
flock 7
refuses "two cells at once" 'another cell is being measured' cell --kernel here --boot 3
exec 7<&-

# Killed in the middle: what is left is no boot file, and does not stop the next.
mkdir -p "$tmp/killed/here"
sed 's/batches = 2/batches = 100000/' "$tmp/one.cfg" >"$tmp/long.cfg"
"$ptelab" cell "$tmp/long.cfg" -o "$tmp/killed" --kernel here --boot 1 >/dev/null 2>&1 &
pid=$!
await $pid test -s "$tmp/killed/here/.part-00001.jsonl"
kill -KILL $pid
wait $pid 2>/dev/null
equal "a killed cell leaves no boot file" "$(ls "$tmp/killed/here")" ""
check "the next one is whole" "$ptelab" cell "$tmp/one.cfg" -o "$tmp/killed" --kernel here --boot 1
equal "and alone" "$(ls -A "$tmp/killed/here")" boot-001.jsonl

# A full disk, of a size that takes the header and no more
if [ "$(id -u)" = 0 ] && mkdir "$tmp/full" && mount -t tmpfs -o size=8k none "$tmp/full" 2>/dev/null; then
	sed 's/batches = 2/batches = 4000/' "$tmp/one.cfg" >"$tmp/large.cfg"
	refuses "a full disk" 'No space left on device' \
		"$ptelab" cell "$tmp/large.cfg" -o "$tmp/full" --kernel here --boot 1
	equal "a full disk keeps no half of a file" "$(ls -A "$tmp/full/here")" ""
	umount "$tmp/full"
else
	skip "a full disk" "needs root, to mount a small one"
fi
"$ptelab" sweep plan "$tmp/one.cfg" --run "$tmp/out/here" >"$tmp/plan"
equal "a run says what a point costs" "$(grep -c 'guess' "$tmp/plan")" 0
