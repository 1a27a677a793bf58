# SPDX-License-Identifier: GPL-2.0
# bash completion for ptelab

# The words typed so far, the last one possibly empty, into $typed. COMP_WORDS is
# also split at ':' and '=', which -b and -p contain.
_ptelab_typed()
{
	local line=${COMP_LINE:0:${COMP_POINT:-0}}

	if [ -z "$line" ]; then
		typed=("${COMP_WORDS[@]:0:COMP_CWORD+1}")
		return
	fi
	read -ra typed <<< "$line"
	[[ $line != *[[:space:]] ]] || typed+=("")
}

# offer WORD...: those that continue the word under the cursor, without the part
# ahead of the last ':' or '=', which bash does not replace
_ptelab_offer()
{
	local part=${COMP_WORDS[COMP_CWORD]} ahead

	case $part in
	:|=) part= ;;
	esac
	ahead=${cur%"$part"}
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
	COMPREPLY=("${COMPREPLY[@]#"$ahead"}")
}

# params GLOB AHEAD LIST: NAME=VALUE of benchmarks that match, behind AHEAD; LIST is
# what is typed of it: after a comma only values
_ptelab_params()
{
	local list=$3 name

	case $list in
	*=*,*)	name=${list%%=*}
		"$ptelab" list --params "$1" 2> /dev/null | sed -n "s/^$name=//p" |
			while read -r value; do echo "$2${list%,*},$value"; done ;;
	*)	"$ptelab" list --params "$1" 2> /dev/null | sed "s/^/$2/" ;;
	esac
}

_ptelab()
{
	local ptelab=${COMP_WORDS[0]} command=${COMP_WORDS[1]} typed cur prev

	_ptelab_typed
	cur=${typed[-1]} prev=${typed[-2]}
	if [ "${#typed[@]}" -eq 2 ]; then
		_ptelab_offer "$("$ptelab" --help 2> /dev/null | sed -n '/^Examples/q; s/^  \([a-z]\+\) .*/\1/p')" --help --version
		return
	fi
	# trace COMMAND ...: what comes after is the command's own.
	if [ "$command" = trace ]; then
		local i
		for ((i = 2; i < ${#typed[@]} - 1; i++)); do
			case ${typed[i]} in
			--) ((i++)) ;;
			-[epIo]|--event|--pid|--interval|--output|--vmlinux)
				((i++)); continue ;;
			-*) continue ;;
			esac
			[ "$i" -ge "$((${#typed[@]} - 1))" ] && break
			compopt -o default
			return
		done
	fi
	case $command:$prev in
	trace:-e|trace:--event)
		_ptelab_offer "$("$ptelab" trace --list -q 2> /dev/null)"
		return ;;
	trace:-p|trace:--pid)
		_ptelab_offer "$(ps -eo pid= 2> /dev/null)"
		return ;;
	trace:--vmlinux)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	run:-p|run:--param)
		_ptelab_offer "$(_ptelab_params '*' '' "$cur")"
		return ;;
	sweep:sweep)
		_ptelab_offer check plan keys
		return ;;
	esac
	case $prev in
	-b|--bench)
		case $cur in
		*:*)	_ptelab_offer "$(_ptelab_params "${cur%%:*}" "${cur%:*}:" "${cur##*:}")" ;;
		*)	_ptelab_offer "$("$ptelab" list -q 2> /dev/null)" ;;
		esac
		return ;;
	-f|--format|--fail-on|--center|--counter)
		_ptelab_offer "$("$ptelab" "$command" "$prev" help 2> /dev/null | cut -f1)"
		return ;;
	-m|--metric)
		_ptelab_offer "$("$ptelab" list -q --metrics 2> /dev/null)"
		return ;;
	-o|--output|--allow|--symbols|--program|--module|--patch|--atlas)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	if [[ $cur == -* ]]; then
		_ptelab_offer "$("$ptelab" "$command" --help 2> /dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)"
		return
	fi
	case $command in
	trace)
		mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	doctor) ;;
	list)
		_ptelab_offer "$("$ptelab" list -q 2> /dev/null)" ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}

complete -o filenames -F _ptelab ptelab
