#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Input that somebody else wrote: names, run files, results, patches. Nothing in it
# runs, reaches a terminal, a browser or a spreadsheet as more than text, or takes all
# memory.
# shellcheck source=../analysis/made-up.sh
. "$(dirname "$0")/../analysis/made-up.sh"

# --- names of run folders -----------------------------------------------------

# Each would make a file if a shell, gnuplot or an eval of it ran the name
names=('`>pwn1`' '$(>pwn2)' "';system('>pwn3');'" '";`>pwn4`;"' "it''s" "''" "'" '100%' '%s%n' 'a\' '{x}#' $'two\nlines' $'\e]0;x\a')
p=('gup.pin_fast folio=64k : ns=1000%1' 'fault.cow folio=4k : ns=500%.5')
for ((i = 0; i < ${#names[@]}; i++)); do
	make_run -o "${names[i]}" -M timed -k "6.$i.0" -B "b$i" -n 4 "${p[@]}" || exit 1
done

nothing_ran()
{
	[ -z "$(find . -name 'pwn*' -print -quit)" ] || { echo "made $(find . -name 'pwn*')"; return 1; }
}

# a picture of all of them, with each name as it is
trend()
{
	exits 0 ptelab plot --trend "${names[@]}" -o trend -f svg --allow '*' && nothing_ran &&
		says '100%' trend/*.svg && says '%s%n' trend/*.svg && says "it''s" trend/*.svg
}
check "names: plot --trend" trend

pictures()
{
	local n

	for n in "${names[@]}"; do
		exits 0 ptelab plot "${names[0]}" "$n" -o pictures -f svg --allow '*' && nothing_ran ||
			{ echo "$n: $(cat err)"; return 1; }
	done
}
check "names: plot" pictures

printed()
{
	local n form

	for n in "${names[@]}"; do
		for form in text mail grid markdown rows csv; do
			exits 0 ptelab compare "${names[0]}" "$n" --format $form --allow '*' && nothing_ran || return
			! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' out err ||
				{ echo "$form of $n: a control character"; return 1; }
		done
		exits 0 ptelab report "${names[0]}" "$n" -o report.html --allow '*' && nothing_ran || return
		[ "$(grep -c '<svg' report.html)" -gt 0 ] || { echo "$n: a report without pictures"; return 1; }
	done
}
check "names: compare and report" printed

# --- text in a run file -------------------------------------------------------

make_run -o plain -n 3 'gup.pin_fast folio=64k : instructions_kernel=100' || exit 1
# forge NAME SED: a copy in which every line was edited
forge()
{
	local f

	rm -rf "$1"
	cp -r plain "$1"
	for f in "$1"/*.jsonl; do
		# without its footer a file has no checksum to be wrong
		sed -i "/\"type\":\"footer\"/d; $2" "$f"
	done
}
# Every text in it is one that a terminal acts on, a shell runs, or a browser.
nasty='\\u001b]0;x\\u0007\\u009b31m<script>alert(1)</script>\x27;touch pwn5;\x27`touch pwn6`'
forge nasty "s#\"64k\"#\"$nasty\"#g; s#\"6.12.0\"#\"$nasty\"#g"
forge nastier "s#\"64k\"#\"$nasty\"#g; s#\"6.12.0\"#\"$nasty\"#g; s/100/130/g"

harmless()
{
	LC_ALL=C grep -lP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$@" && { echo "has a control character"; return 1; }
	return 0
}
texts()
{
	local form

	exits 0 ptelab show nasty && harmless out err &&
		exits 0 ptelab show nasty --format csv && harmless out err || return
	for form in text mail grid markdown rows csv; do
		exits 0 ptelab compare nasty nastier --format $form --allow '*' && harmless out err || return
	done
	exits 0 ptelab report nasty nastier -o nasty.html --allow '*' && harmless nasty.html &&
		silent_on '<script>alert' nasty.html &&
		exits 0 ptelab plot nasty nastier -o nasty.d -f svg --allow '*' && harmless nasty.d/*.svg &&
		silent_on '<script>' nasty.d/*.svg && nothing_ran
}
check "texts: reach no terminal and no browser" texts

# What is printed to be typed again is one word to a shell.
again()
{
	local command

	exits 0 ptelab compare nasty nastier --format json --allow '*' || return
	command=$(jq -r '.findings[0].reproduce' out | sed 's/^on each kernel: //; s/; then: .*//')
	[[ $command == 'ptelab run -b '* ]] || { echo "said $command"; return 1; }
	(ptelab() { :; }; eval "$command")
	nothing_ran
}
check "texts: the command that repeats a point runs nothing else" again

# A name of a metric goes into formulas of other programs: it is a name.
forge metric 's/"instructions_kernel":/"<b onload=x>":/g'
refuses "texts: a metric that is no name" "a metric '<b onload=x>'" ptelab show metric

formulas()
{
	forge formula 's/"gup.pin_fast"/"=cmd|x!A1"/; s/"64k"/"@sum(1)"/'
	exits 0 ptelab show formula --format csv && says "'=cmd" && ! grep -qE '(^|,)"?[=+@]' out
}
check "texts: no cell of a CSV is a formula" formulas

# --- files that have no end ---------------------------------------------------

mkdir endless pipe deep bomb
ln -s /dev/zero endless/boot-001.jsonl
mkfifo pipe/boot-001.jsonl
refuses "files: a link to /dev/zero" 'not a regular file' ptelab show endless
refuses "files: a pipe" 'not a regular file' ptelab show pipe
head -c 3000000 plain/boot-001.jsonl /dev/zero 2> /dev/null | tr '\0' ' ' > "$tmp/large.jsonl"
refuses "files: a large one" 'larger than 1 MB; set PTELAB_MAX_MB' env PTELAB_MAX_MB=1 "$PTELAB" show "$tmp/large.jsonl"

# counted FOLDER: a counted boot whose counts are standard input
counted()
{
	cp "$top"/tests/golden/runs/counted-base/boot-001.jsonl "$1/"
	gzip > "$1/boot-001.insns.gz"
}
zcat "$top/tests/golden/runs/counted-base/boot-001.insns.gz" | head -n 1 > head
cp -r "$top/tests/golden/runs/counted-base" counted
sed -i '/"type":"footer"/d; s/"per_op":\([0-9]\)/"per_op":1\1/g' counted/boot-001.jsonl
{ cat head; head -c 300000000 /dev/zero | tr '\0' ' '; } | counted bomb
refuses "files: counts that unpack to more than is read" 'larger than 256 MB; set PTELAB_MAX_MB' \
	bash -c "ulimit -v 1500000; '$PTELAB' explain bomb counted"
{
	cat head
	awk 'BEGIN { printf "{\"type\":\"region\",\"bench\":\"a.b\",\"params\":{},\"run\":0,\"batch\":0,\"nodes\":[0,0,-1,-1,0"
		for (i = 1; i < 300000; i++) printf ",%d,1,-1,-1,0", i - 1
		print "],\"counts\":[]}" }'
} | counted deep
refuses "files: 300000 calls within each other" 'not what ptelab merge writes' ptelab explain deep counted
