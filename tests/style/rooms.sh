#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# rooms.sh: the sources keep to the map in CONTRIBUTING.md: which folder may use
# which, without circles; kmod/ is the kernel's alone; one name is one thing; a
# long file says why it is one.
set -uo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# The rows of the map: room, then what it may use
map()
{
	awk '/^## / { here = /^## Where things are/ }
	here && /^\| `/ {
		n = split($0, column, "|")
		gsub(/[` ]/, "", column[2])
		gsub(/[`,]/, "", column[n - 1])
		print column[2], column[n - 1]
	}' "$1/CONTRIBUTING.md"
}

# What goes into ptelab, the module and the plugin; tests may use all of it
sources()
{
	(cd "$1" && find . -name .git -prune -o -name build -prune -o -name runs -prune -o \
		-type f \( -name '*.[chS]' -o -name '*.def' \) -print) |
		sed 's|^\./||' | grep -vE '^tests/|^kmod/litmus_tests?\.h|\.mod\.c$' | sort
}

# includes DIR: "FILE HEADER" of what is written in quotation marks
includes()
{
	(cd "$1" && sources . | xargs grep -HoE '^[ \t]*#[ \t]*include[ \t]*"[^"]*"') |
		sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/'
}

# arrows DIR: what is included against the map
arrows()
{
	map "$1" > "$tmp/map"
	sources "$1" > "$tmp/sources"
	includes "$1" | awk -v map="$tmp/map" -v sources="$tmp/sources" '
	# The room of a file: the longest row that it begins with
	function room(file,   r, best)
	{
		best = ""
		for (r in may)
			if ((index(file, r) == 1) && length(r) > length(best))
				best = r
		return best
	}
	BEGIN {
		while ((getline < map) > 0) {
			may[$1] = " "
			for (i = 2; i <= NF; i++)
				may[$1] = may[$1] $i " "
			rooms++
		}
		if (!rooms)
			print "CONTRIBUTING.md: no map under \"Where things are\""
		while ((getline < sources) > 0) {
			there[$1]
			if (room($1) == "")
				print $1 ": is in no room of the map"
		}
		for (r in may) {
			n = split(may[r], used, " ")
			for (i = 1; i <= n; i++)
				if (!(used[i] in may))
					print "CONTRIBUTING.md: " r " may use " used[i] ", which is no room"
		}
	}
	# The module is compiled in a flat copy of its folder.
	$1 ~ /^kmod\// { $2 = $2 ~ /^litmus_tests?\.h$/ ? "lib/litmus/" $2 : "kmod/" $2 }
	$2 ~ /\.\.\// { print $1 ": includes " $2 ": write it from the top of the tree"; next }
	# made while building
	$2 ~ /^(lib\/litmus\/litmus_tests|analysis_gp|litmus_tests)\.h$/ || $2 ~ /\.skel\.h$/ { next }
	!($2 in there) { print $1 ": includes " $2 ", which is not there: write it from the top of the tree"; next }
	{
		from = room($1)
		to = room($2)
		if (from != to && !index(may[from], " " to " "))
			print $1 ": includes " $2 ", but " from " may not use " to
	}'
}

# circles DIR: in the map
circles()
{
	map "$1" | awk '{ for (i = 2; i <= NF; i++) print $1, $i }' | tsort 2>&1 > /dev/null |
		sed 's/^tsort: //'
}

# The harness takes benchmarks as they come, also those that are yet to be written.
families()
{
	(cd "$1" && grep -nE '\b(gup|fault|lockless|notifier|mmio|barrier|litmus)_[a-z]|"(gup|fault|lockless|notifier|mmio|barrier)\.' \
		bench/harness/*.[ch] 2> /dev/null) |
		grep -vE '^[^:]*:[0-9]+:[ \t]*(/\*|\*)' |
		sed -E 's/^([^:]*:[0-9]+):.*/\1: the harness names a family/'
}

# What lies in kmod/ is built by Kbuild, and needs only lib/litmus beside it.
kernel_only()
{
	local f

	(cd "$1" && for f in kmod/*.[cS]; do
		f=${f##*/}
		case $f in *.mod.c) continue ;; esac
		grep -qw "${f%.*}\.o" kmod/Kbuild || echo "kmod/$f: is not in kmod/Kbuild"
	done
	grep -nE '^[ \t]*#[ \t]*include[ \t]*<(std(io|lib|bool|int|def)|unistd|string|errno|fcntl|sys/[a-z]*)\.h>' \
		kmod/*.[chS] /dev/null | grep -v '^kmod/ptelab_uapi\.h:' |
		sed -E 's/^([^:]*:[0-9]+):.*/\1: a header of user space/'
	grep -oE '\.\./[A-Za-z_/.]*' kmod/Makefile kmod/Kbuild | grep -vE ':\.\./lib/litmus\b' |
		sed 's/$/: the module builds from lib\/litmus and its own folder/')
}

# names DIR: files of one name; structs, unions, enums and functions of one name
# in two rooms. Functions that one file keeps to itself may share a name, but not
# with one that all of ptelab links.
names()
{
	sources "$1" | awk -F/ '{ if ($NF in seen) print $0 ": there is " seen[$NF] " already"; seen[$NF] = $0 }'
	(cd "$1" && sources . | xargs awk -v map="$tmp/map" '
	function room(file,   r, best)
	{
		best = ""
		for (r in rooms)
			if (index(file, r) == 1 && length(r) > length(best))
				best = r
		return best
	}
	function tag(name)
	{
		# both sides of lib/litmus/litmus_test.h define it
		if (name == "struct litmus_loop")
			return
		if (name in tagged && room(tagged[name]) != room(FILENAME))
			print FILENAME ": " name " is in " tagged[name] " already"
		else
			tagged[name] = FILENAME
	}
	function define(name, own)
	{
		# A program of its own has its main(). LITMUS_* are what both
		# sides of lib/litmus/litmus_test.h define.
		if (name == "main" || name ~ /^LITMUS_/ || FILENAME ~ /^scripts\//)
			return
		if (own) {
			static_in[name] = static_in[name] " " FILENAME
			return
		}
		if (name in global && room(global[name]) != room(FILENAME))
			print FILENAME ": " name "() is in " global[name] " already"
		global[name] = FILENAME
	}
	BEGIN { while ((getline < map) > 0) rooms[$1] }
	FNR == 1 { head = "" }
	/^(static |const )*(struct|union|enum) [a-z_0-9]+ \{/ {
		s = $0
		sub(/^(static |const )*/, "", s)
		split(s, w, " ")
		tag(w[1] " " w[2])
	}
	# A function begins at the left edge and its body with { alone.
	/^[a-z].*[(;]/ || /^[a-z][a-z_0-9 *]*$/ { head = $0; next }
	/^\{/ && head ~ /\(/ && head !~ /;/ {
		name = head
		sub(/\(.*/, "", name)
		sub(/.*[ *\t]/, "", name)
		if (name != "" && name !~ /^__/)
			define(name, head ~ /^static /)
		head = ""
	}
	/^[}]/ { head = "" }
	END {
		for (name in global) {
			n = split(static_in[name], file, " ")
			for (i = 1; i <= n; i++)
				if (room(file[i]) != room(global[name]))
					print file[i] ": " name "() is a function of " global[name]
		}
	}')
}

# long DIR: files above 600 lines, tests too, whose first comment does not say why
# they are one file
long()
{
	(cd "$1" && { sources . && find tests -name '*.[ch]' 2> /dev/null; } |
		while read -r f; do
			n=$(wc -l < "$f")
			if [ "$n" -gt 600 ] && ! awk 'NR > 1 { print } NR > 1 && /\*\// { exit }' "$f" |
				grep -q 'One file though it is long:'; then
				echo "$f: has $n lines: split it, or say in its first comment \"One file though it is long: \" and why"
			fi
		done)
}

violations()
{
	arrows "$1"
	circles "$1"
	families "$1"
	kernel_only "$1"
	names "$1"
	long "$1"
}

violations "$top" > "$tmp/found"
if [ -s "$tmp/found" ]; then
	while read -r line; do
		not_ok "${line%%: *}" "${line#*: }"
	done < "$tmp/found"
else
	ok "$(wc -l < "$tmp/sources") files keep to $(wc -l < "$tmp/map") rooms"
fi

# --- and it would be seen if they did not ---

# broken NAME WANT: in a copy of the tree in which "$@" has been done
copy=$tmp/copy
broken()
{
	local name=$1 want=$2 found

	found=$(violations "$copy")
	if [ "$(wc -l <<< "$found")" -eq 1 ] && [[ $found == *$want* ]]; then
		ok "seen: $name"
	else
		not_ok "seen: $name" "found '$(head -c 300 <<< "$found" | tr '\n' '|')'"
	fi
}

# tree: two rooms, the module and the map, in order
tree()
{
	rm -rf "$copy"
	mkdir -p "$copy"/{lib,bench/harness,bench/kit,kmod}
	printf '## Where things are\n\n| room | | may use |\n|---|---|---|\n| `bench/harness/` | x | `bench/kit/`, `lib/` |\n| `bench/kit/` | x | `lib/` |\n| `lib/` | x | |\n| `kmod/` | x | |\n' \
		> "$copy/CONTRIBUTING.md"
	printf '#include "bench/kit/b.h"\n\nint run(void)\n{\n}\n' > "$copy/bench/harness/a.c"
	printf 'struct b {\n};\n' > "$copy/bench/kit/b.h"
	printf 'void help(void)\n{\n}\n' > "$copy/lib/c.c"
	printf 'obj-m := m.o\n' > "$copy/kmod/Kbuild"
	printf 'LITMUS := ../lib/litmus\n' > "$copy/kmod/Makefile"
	printf '#include <linux/mm.h>\n' > "$copy/kmod/m.c"
}

tree
equal "nothing is found in a tree that keeps to its map" "$(violations "$copy")" ""
printf '#include "bench/kit/b.h"\n' > "$copy/lib/d.c"
broken "an arrow that points up" "lib/d.c: includes bench/kit/b.h, but lib/ may not use bench/kit/"
tree
printf '#include "../kit/b.h"\n' > "$copy/bench/harness/d.c"
broken "an include that climbs" "write it from the top"
tree
printf '#include "b.h"\n' > "$copy/bench/kit/d.c"
broken "an include from beside" "write it from the top"
tree
mkdir "$copy/more" && : > "$copy/more/d.c"
broken "a file outside of the map" "more/d.c: is in no room"
tree
sed -i 's/^| `lib\/` | x | |/| `lib\/` | x | `bench\/harness\/` |/' "$copy/CONTRIBUTING.md"
found=$(violations "$copy")
check "seen: a circle in the map" grep -q loop <<< "$found"
tree
printf 'int x = notifier_count;\n' > "$copy/bench/harness/d.c"
broken "a family in the harness" "bench/harness/d.c:1: the harness names a family"
tree
: > "$copy/kmod/d.c"
broken "a source that Kbuild does not build" "kmod/d.c: is not in kmod/Kbuild"
tree
printf '#include <stdio.h>\n' >> "$copy/kmod/m.c"
broken "user space in the module" "kmod/m.c:2: a header of user space"
tree
printf 'X := ../bench/x\n' >> "$copy/kmod/Makefile"
broken "a module that builds from elsewhere" "kmod/Makefile:../bench/x"
tree
{ printf '/* SPDX */\n/* a */\n'; yes '/* One file though it is long: no */' | head -n 599; } > "$copy/lib/d.c"
broken "a long file that does not say why" "lib/d.c: has 601 lines"
tree
{ printf '/* SPDX */\n/*\n * One file though it is long: it is.\n */\n'; yes '' | head -n 600; } > "$copy/lib/d.c"
equal "a long file that does is none" "$(violations "$copy")" ""
tree
: > "$copy/lib/a.c"
broken "two files of one name" "a.c already"
tree
printf 'struct b {\n};\n' > "$copy/lib/d.h"
broken "two structs of one name" "struct b is in"
tree
printf 'int help(void)\n{\n}\n' > "$copy/bench/kit/d.c"
broken "two functions of one name" "help() is in"
tree
printf 'static int help(void)\n{\n}\n' > "$copy/bench/kit/d.c"
broken "one of which is local" "help() is a function of lib/c.c"
