#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Input that somebody else wrote: names, run files, results, patches. Nothing in it
# runs, reaches a terminal, a browser or a spreadsheet as more than text, or takes all
# memory.
# shellcheck disable=SC2031
# shellcheck source=../analysis/made-up.sh
. "$(dirname "$0")/../analysis/made-up.sh"

# --- names of run folders -----------------------------------------------------

# Each would make a file if a shell, gnuplot or an eval of it ran the name
# shellcheck disable=SC1003,SC2016
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
zcat "$top/tests/golden/runs/counted-base/boot-001.insns.gz" | head -n 1 > first-line
cp -r "$top/tests/golden/runs/counted-base" counted
sed -i '/"type":"footer"/d; s/"per_op":\([0-9]\)/"per_op":1\1/g' counted/boot-001.jsonl
{ cat first-line; head -c 300000000 /dev/zero | tr '\0' ' '; } | counted bomb
refuses "files: counts that unpack to more than is read" 'larger than 256 MB; set PTELAB_MAX_MB' \
	bash -c "ulimit -v 1500000; '$PTELAB' explain bomb counted"
{
	cat first-line
	awk 'BEGIN { printf "{\"type\":\"region\",\"bench\":\"a.b\",\"params\":{},\"run\":0,\"batch\":0,\"nodes\":[0,0,-1,-1,0"
		for (i = 1; i < 300000; i++) printf ",%d,1,-1,-1,0", i - 1
		print "],\"counts\":[]}" }'
} | counted deep
refuses "files: 300000 calls within each other" 'not what ptelab merge writes' ptelab explain deep counted

# --- results that somebody sent -----------------------------------------------

# sent SETTINGS [JOB]: a result with these settings, in the folder sent
sent()
{
	rm -rf sent
	mkdir -p sent/base sent/patched
	echo "${2:-ptelab run -o - -b gup.futex}" > sent/job
	printf '"hash": "0123456789abcdef",\n"settings": "%s",\n"job_sha256": "%s",\n' "$1" \
		"$(sha256sum < sent/job | cut -d' ' -f1)" > sent/manifest.json
}
# A compiler, a QEMU and a make of which any would tell that something ran
mkdir bin
for program in make git patch gcc cc aarch64-linux-gnu-gcc qemu-system-aarch64 tar; do
	printf '#!/bin/sh\n: > "%s/pwn-%s"\nexit 1\n' "$tmp" $program > bin/$program
done
chmod +x bin/*
reproduce()
{
	PATH=$tmp/bin:$PATH PTELAB_CACHE=$tmp/cache "$top/scripts/reproduce" "$@" 0123456789abcdef sent
}
not_reproduced()
{
	refuses "$1" "$2" reproduce
	check "$1: nothing ran" nothing_ran
}
trusts="would run on this machine; look at it, then give --trust"
sent "TREE='sent/tree' BASE='v1' NEW='v2'"
not_reproduced "sent: a tree" "$trusts"
sent "SERIES='sent/patches'"
not_reproduced "sent: a series by path" "$trusts"
sent "SERIES='..'"
not_reproduced "sent: a series above" "$trusts"
sent "SERIES='null'"
mkdir sent/patches
not_reproduced "sent: patches" "has patches, which $trusts"
sent "PATCHES='sent/x.patch'"
not_reproduced "sent: patches by path" "$trusts"
sent "SERIES='null' CONFIG='sent/config'"
not_reproduced "sent: a configuration by path" "$trusts"
sent "SERIES='null' KERNEL='sent/linux-6.12.tar.xz'"
not_reproduced "sent: a kernel's source" "$trusts"
sent "IMAGE_BASE='sent/Image' IMAGE_NEW='sent/Image'"
not_reproduced "sent: images" "$trusts"
sent "SERIES='null' PATH='sent'"
not_reproduced "sent: what make ab does not take" "$trusts"
sent "SERIES='null' JOB='\$(touch pwn7)'" '# nothing'
not_reproduced "sent: a job by name" "$trusts"
sent "SERIES='null'" '# qemu: -plugin sent/evil.so
ptelab run -o - -b gup.futex'
not_reproduced "sent: a job with a plugin" "asks QEMU for more than the devices that a job may have"
sent "SERIES='null'" '# qemu: -smp 4 -device edu -object
ptelab run -o - -b gup.futex'
not_reproduced "sent: a job with half an option" "asks QEMU for more than the devices"
sent "SERIES='null'" '# config: sent/config
ptelab run -o - -b gup.futex'
not_reproduced "sent: a job with a configuration by path" "$trusts"
sent "SERIES='null'" 'ptelab run -o - -b gup.futex; reboot'
not_reproduced "sent: a job with other commands" "has a job that does more than call ptelab"
sent "SERIES='null'"
echo 'ptelab list' > sent/job
not_reproduced "sent: another job than the one that was measured" "is not the one that was measured"
sent "SERIES='null' SEEDS=\$(touch pwn8)"
not_reproduced "sent: settings for a shell" "its settings are not those of make ab"

if "$top/scripts/deps" --check lab arm64 2> "$tmp/deps"; then
	# Whoever starts it, and with --trust: QEMU gets no option that loads or writes files.
	printf '\x7fELF%014d\xb7\0' 0 > program
	{ head -c 56 /dev/zero; printf 'ARMd'; } > Image
	printf '# qemu: %s\nptelab list\n' '-plugin sent/evil.so' > job
	for option in '-plugin sent/evil.so' '-device nvme,drive=x' '-device nvme,romfile=x' '-D x' '-M virt' \
		'-object memory-backend-file,id=x,mem-path=x' '-object memory-backend-ram,id=x/y' '-drive file=x' '-smp'; do
		printf '# qemu: %s\nptelab list\n' "$option" > job
		refuses "job: # qemu: $option" 'a job may not ask QEMU for' "$top/scripts/lab/boot" --print \
			--image Image --ptelab program --job job --out x.jsonl
	done

	# A patch that names files outside of the tree, which checking it must not touch
	mkdir -p tree/mm outside
	echo old > tree/mm/gup.c
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\n' > tree/Makefile
	git -C tree init -q
	git -C tree add -A
	git -C tree -c user.name=x -c user.email=x@localhost commit -qm x
	for path in ../../../outside/x "$tmp/outside/x" mm/../../../../outside/x; do
		echo keep > outside/x
		printf -- '--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n-keep\n+gone\n' "$path" "$path" > x.patch
		refuses "patch: a/${path#"$tmp"}" 'does not apply' env PTELAB_CACHE="$tmp/cache" \
			"$top/scripts/lab/kernel" --tree "$tmp/tree" --ref HEAD --patch x.patch --check
		equal "patch: a/${path#"$tmp"}: the file is as it was" "$(cat outside/x)" keep
	done
	printf -- '--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1 @@\n+new\n' > x.patch
	check "patch: one that only adds a file applies" env PTELAB_CACHE="$tmp/cache" \
		"$top/scripts/lab/kernel" --tree "$tmp/tree" --ref HEAD --patch x.patch --check
else
	skip "jobs and patches" "$(tail -n 1 "$tmp/deps")"
fi

# --- hosts of a sweep ---------------------------------------------------------

# on_host COMMAND...: with the functions that scripts/sweep sends to a host
on_host()
{
	(
		# shellcheck disable=SC1090
		. <(sed '$d' "$top/scripts/sweep-host")
		set +e
		# shellcheck disable=SC2034
		D=$tmp/host
		"$@"
	)
}
mkdir host
# shellcheck disable=SC2016
words='root=UUID=1 memmap=4G$8G earlycon;reboot dyndbg="file x +p" a={b} # %'
# shellcheck disable=SC2016
equal "sweep: parameters are words to GRUB" "$(on_host grub_words "$words")" \
	" 'root=UUID=1' 'memmap=4G\$8G' 'earlycon;reboot' 'dyndbg=file x +p' 'a={b}' '#' '%'"
for bad in "a'; reboot '" 'a\b' 'a="b' $'a\n}\nreboot'; do
	refuses "sweep: what GRUB cannot pass on" 'GRUB cannot pass on|a quote without its end' \
		on_host grub_words "${bad//$'\n'/$'\r'}"
done

torn()
{
	rm -rf host x && mkdir host x && touch x/{a,b,c} || return
	on_host note_change file "$tmp/x/a" || return
	printf 'file\t%s' "$tmp/x/b" >> host/journal	# cut short
	on_host note_change file "$tmp/x/c" || return
	on_host undo_journal && [ "$(cd x && echo *)" = b ] && [ ! -e host/journal ] || return
	# at the end, too
	touch x/a x/c
	on_host note_change file "$tmp/x/a" || return
	printf 'file\t%s' "$tmp/x/c" >> host/journal
	on_host undo_journal && [ "$(cd x && echo *)" = "b c" ]
}
check "sweep: a line of the journal that was cut short is no part of another" torn

kept()
{
	local path

	for path in "$tmp/x" "$tmp/x/ptelab" /lib/modules / /boot "$tmp/y/ptelab/../x"; do
		mkdir -p "$tmp/x/ptelab" && touch "$tmp/x/b" &&
			on_host undo tree "$path" 2> err && [ -e "$tmp/x/b" ] && says 'not removed' err || return
	done
	mkdir -p "$tmp/x/ptelab/k" && on_host undo tree "$tmp/x/ptelab/k" && [ ! -e "$tmp/x/ptelab/k" ]
}
check "sweep: nothing is removed that no sweep makes" kept

# Whoever reads the file at that moment
whole()
{
	printf 'mine\n### ptelab sweep: begin\nx\n### ptelab sweep: end\n' > custom.cfg
	exec 3< custom.cfg
	on_host undo entries "$tmp/custom.cfg" && [ "$(cat custom.cfg)" = mine ] && [ "$(wc -l <&3)" = 4 ]
}
check "sweep: GRUB's file is whole at any moment" whole

unit_word()
{
	(
		# shellcheck disable=SC1090
		. <(sed -n '/^unit_word()/,/^}/p' "$top/scripts/sweep")
		unit_word "$1"
	)
}
# shellcheck disable=SC2016
equal "sweep: a folder is one word of a unit" "$(unit_word '/a b/"c"\d/$e/%f;')" '"/a b/\"c\"\\d/$$e/%%f;"'

mkdir resumed
printf 'id\t1\nhost\tlocal\nmethod\tauto\nremove\tkeep\nssh\t%s\nptelab\t\nallow\t\n' "touch $tmp/pwn9" > resumed/asked
refuses "sweep: --resume runs no ssh command of the folder" 'was started with --ssh .*; check that, and give it again' \
	"$top/scripts/sweep" --resume -o resumed
check "sweep: --resume: nothing ran" nothing_ran
for line in $'cmdline = "a\\nb";' $'kernels = ( { name = "a"; deb = "a\\tb.deb"; } );'; do
	printf '%s\n' "$line" > bad.cfg
	refuses "sweep: a text of two lines" 'takes a text of one line' "$PTELAB" sweep check bad.cfg
done
printf 'bench = [ "gup.futex" ];\n \t@include "included"\n' > bad.cfg
mkfifo included
refuses "sweep: another file" 'bad.cfg:2: @include is not supported' timeout 60 "$PTELAB" sweep check bad.cfg

# --- a full disk --------------------------------------------------------------

make_run -o other -n 3 'gup.pin_fast folio=64k : instructions_kernel=130' || exit 1
full=/dev/full
for command in "show plain" "compare plain other" "compare plain other --json" list doctor "compare --help" \
	"trace --list" "report plain other -o -" "explain counted $top/tests/golden/runs/counted-new" \
	"sweep check $top/scripts/sweeps/quick.cfg" "run -q -b harness.empty -o -"; do
	# shellcheck disable=SC2086
	refuses "full disk: ${command//"$top"\//}" 'No space left on device' bash -c "exec '$PTELAB' $command > $full"
done
for command in "compare plain other --format text=$full" "compare plain other --format json=$full" \
	"report plain other -o $full" "explain counted $top/tests/golden/runs/counted-new -o $full"; do
	# shellcheck disable=SC2086
	refuses "full disk: ${command//"$top"\//}" 'No space left on device' "$PTELAB" $command
done
mkdir small
if mount -t tmpfs -o size=16k tmpfs small 2> /dev/null; then
	head -c 12000 /dev/zero > small/x
	refuses "full disk: plot" 'No space left on device|is the disk full\?' ptelab plot plain other -o small/p -f svg
	check "full disk: plot: no picture is left that is not whole" test -z "$(find small/p -name '*.svg')"
	refuses "full disk: report" 'No space left on device|is the disk full\?' ptelab report plain other -o small/r.html
	umount small
else
	skip "full disk: pictures" "needs root to mount a tmpfs"
fi
