#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Names and options in the tables of the program: --help, error messages, man pages
# and completion have every one of them.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"

# manual COMMAND SECTION: a section of its man page, without roff's escapes
manual()
{
	sed 's/\\-/-/g; s/\\f.//g; s/^\.[BIR]* *//' "$top/docs/man/ptelab-$1.1" |
		awk -v name="$2" '/^SH / { on = $0 == "SH " name; next } on'
}

# The options in what --help prints, one a line; some are the same everywhere.
options_of_help()
{
	grep -oE '^ {2,6}(-[A-Za-z?], )?--[a-z-]+' | grep -oE -- '-[A-Za-z-]+' |
		grep -vxE -- '--(help|usage|quiet|verbose)|-[qv]' | sort -u
}

# options COMMAND: the man page has all options and no other ones
options()
{
	local documented more=''

	ptelab "$1" --help | options_of_help > options
	documented=$(manual "$1" OPTIONS | grep -A1 --no-group-separator '^TP$' | grep '^-' | sed 's/=.*//' |
		grep -oE -- '(^|, )-[A-Za-z-]+' | sed 's/^, //' | sort -u)
	# its page is also that of the script
	[ "$1" != sweep ] || more=$("$top/scripts/sweep" --help | options_of_help)
	comm -23 options <(echo "$documented") > missing
	comm -13 <(sort -u options - <<< "$more") <(echo "$documented") | grep . > unknown
	[ ! -s missing ] || { echo "not in the man page: $(paste -sd' ' missing)"; return 1; }
	[ ! -s unknown ] || { echo "only in the man page: $(paste -sd' ' unknown)"; return 1; }
}

# what_of COMMAND OPTION: the words that it takes
what_of()
{
	ptelab "$1" "$2" help | cut -f1
}

# has_words FILE WORD...: each stands there by itself
has_words()
{
	local file=$1 w

	shift
	[ $# -gt 0 ] || { echo "there are none"; return 1; }
	for w; do
		grep -qE "(^|[^a-z_-])$w([^a-z_-]|\$)" "$file" || { echo "$w is missing"; return 1; }
	done
}

completes()
{
	PATH=$(dirname "$PTELAB"):$PATH bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ptelab
		printf "%s\n" "${COMPREPLY[@]}"' "$top/cli/ptelab.bash" "$PTELAB" "$@" ""
}

ptelab --help | sed -n '/^Examples/q; s/^  \([a-z]*\) .*/\1/p' > commands
commands()
{
	local c

	while read -r c; do
		if ! grep -qF "cmd_$c(" "$top/cli/cmd_$c.c"; then
			echo "$c"
			return 1
		fi
	done < commands
	[ "$(wc -l < commands)" -gt 10 ] && [ "$(completes | grep -v ^-)" = "$(cat commands)" ]
}
check "commands: file, completion" commands

sections()
{
	local s

	for s in NAME SYNOPSIS DESCRIPTION "EXIT STATUS" FILES EXAMPLES "SEE ALSO"; do
		manual "$1" "$s" | grep -q . || { echo "no section $s"; return 1; }
	done
}
while read -r c; do
	check "$c: man page" sections "$c"
	check "$c: options in the man page" options "$c"
done < commands
common()
{
	local c

	sed 's/\\-/-/g; s/\\f.//g' "$top/docs/man/ptelab.1" > manual.txt
	while read -r c; do
		ptelab "$c" --help > help
		has_words help -q, --quiet -v, --verbose || return
	done < commands
	has_words manual.txt -q, --quiet -v, --verbose
}
check "-q and -v: every command, and ptelab(1)" common
check "--help has options" test "$(ptelab run --help | options_of_help | wc -l)" -gt 10

for o in compare:--format compare:--fail-on compare:--center show:--format explain:--format plot:--format run:--counter; do
	command=${o%:*} option=${o#*:}
	what_of "$command" "$option" > words
	mapfile -t words < words
	ptelab "$command" --help > help
	manual "$command" OPTIONS > manual.txt
	ptelab "$command" "$option" nonsense x y 2> err
	status=$?
	completes "$command" "$option" > completed
	check "$command $option: --help" has_words help "${words[@]}"
	check "$command $option: man page" has_words manual.txt "${words[@]}"
	check "$command $option: error message" has_words err "${words[@]}"
	equal "$command $option: refused" $status 2
	equal "$command $option: completion" "$(cat completed)" "$(cat words)"
done

findings()
{
	local name help

	ptelab list --findings > found && [ -s found ] || return
	while read -r name help; do
		manual compare FINDINGS | grep -A1 "^$name\$" | tail -n 1 | grep -qxF -- "$help" ||
			{ echo "the man page does not say of $name: $help"; return 1; }
	done < found
	[ "$(manual compare FINDINGS | grep -cx TP)" = "$(wc -l < found)" ]
}
check "findings: man page" findings

metrics()
{
	ptelab list --metrics --json > m.json && jq -e 'length > 50 and all(.[]; .help != "" and .unit != "")' m.json > /dev/null &&
	[ "$(completes compare -m)" = "$(jq -r '.[].name' m.json)" ] &&
	ptelab list -s --metrics kvm_zapped.mprotect_vma | grep -q 'stage-2 leaf and block entries removed'
}
check "metrics: each has a unit and says what it counts" metrics

keys()
{
	local names

	mapfile -t names < <(ptelab sweep keys | sed -n 's/^\([a-z_]*\): .*/\1/p')
	manual sweep "SWEEP FILES" > manual.txt && has_words manual.txt "${names[@]}"
}
check "sweep keys: man page" keys

# schema FILE BEFORE: what follows in quotes
schema()
{
	sed -n "s|^$2\"\\(ptelab\\..*/[0-9]*\\)\".*|\\1|p" "$top/$1"
}
equal "make ab writes the schema that compare reads" "$(schema scripts/ab '"schema": ')" \
	"$(schema analysis/judge/exercised.c '#define AB_SCHEMA	')"
