#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Names that stand in a table of the program: --help, error messages, the man
# page and completion have every one of them.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"

# The man page without what roff needs; of one section only with NAME.
manual()
{
	sed 's/\\-/-/g; s/\\f.//g; s/^\.[BIR]* *//' "$top/cli/ptelab.1" |
		awk -v name="${1:-}" 'BEGIN { on = name == "" }
			name != "" && /^SS |^SH / { on = $0 == "SS " name || $0 == "SH " name } on'
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
		if ! grep -qF "cmd_$c(" "$top/cli/cmd_$c.c" || ! manual "$c" | grep -q .; then
			echo "$c"
			return 1
		fi
	done < commands
	[ "$(wc -l < commands)" -gt 10 ] && [ "$(completes | grep -v ^-)" = "$(cat commands)" ]
}
check "commands: file, man page, completion" commands

for o in compare:--format compare:--fail-on compare:--center show:--format explain:--format plot:--format run:--counter; do
	command=${o%:*} option=${o#*:}
	what_of "$command" "$option" > words
	mapfile -t words < words
	ptelab "$command" --help > help
	manual "$command" > manual.txt
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
		manual FINDINGS | grep -A1 "^$name\$" | tail -n 1 | grep -qxF -- "$help" ||
			{ echo "the man page does not say of $name: $help"; return 1; }
	done < found
	[ "$(manual FINDINGS | grep -cx TP)" = "$(wc -l < found)" ]
}
check "findings: man page" findings

metrics()
{
	ptelab list --metrics --json > m.json && jq -e 'length > 50 and all(.[]; .help != "" and .unit != "")' m.json > /dev/null &&
	[ "$(completes compare -m)" = "$(jq -r '.[].name' m.json)" ] &&
	ptelab list -s --metrics kvm_zapped.mprotect_vma | grep -q 'by the event that asked for it'
}
check "metrics: each has a unit and says what it counts" metrics

keys()
{
	local names

	mapfile -t names < <(ptelab sweep keys | sed -n 's/^\([a-z_]*\): .*/\1/p')
	manual "SWEEP FILES" > manual.txt && has_words manual.txt "${names[@]}"
}
check "sweep keys: man page" keys
