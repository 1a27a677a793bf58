# SPDX-License-Identifier: GPL-2.0
# bash completion for ptelab

_ptelab_benches()
{
	"${COMP_WORDS[0]}" list -s 2>/dev/null | sed 's/ .*//'
}

_ptelab_counters()
{
	"${COMP_WORDS[0]}" trace --list 2>/dev/null | sed 's/ .*//'
}

_ptelab()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} words=

	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$("${COMP_WORDS[0]}" --help 2>/dev/null |
			sed -n '/^Examples/q; s/^  \([a-z]\+\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	# trace COMMAND ...: what comes after is the command's own.
	if [ "$command" = trace ]; then
		local i
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			--) ((i++)) ;;
			-[epIo]|--event|--pid|--interval|--output|--vmlinux)
				((i++)); continue ;;
			-*|=) continue ;;
			esac
			[ "$i" -ge "$COMP_CWORD" ] && break
			compopt -o default
			return
		done
	fi
	case $command:$prev in
	trace:-e|trace:--event)
		mapfile -t COMPREPLY < <(compgen -W "$(_ptelab_counters)" -- "$cur")
		return ;;
	trace:-p|trace:--pid)
		mapfile -t COMPREPLY < <(compgen -W "$(ps -eo pid= 2>/dev/null)" -- "$cur")
		return ;;
	trace:--vmlinux)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	sweep:sweep)
		mapfile -t COMPREPLY < <(compgen -W "check plan keys" -- "$cur")
		return ;;
	esac
	case $prev in
	-b|--bench)
		mapfile -t COMPREPLY < <(compgen -W "$(_ptelab_benches)" -- "$cur")
		return ;;
	-f|--format|--fail-on|--center|--counter)
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "$command" "$prev" help 2>/dev/null | cut -f1)" -- "$cur")
		return ;;
	-m|--metric)
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" list -s --metrics 2>/dev/null | sed 's/ .*//')" -- "$cur")
		return ;;
	-o|--output|--allow|--symbols|--program|--module|--patch|--atlas)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	esac
	if [[ $cur == -* ]]; then
		words=$("${COMP_WORDS[0]}" "$command" --help 2>/dev/null |
			grep -o -- '--[a-z][a-z-]*' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return
	fi
	case $command in
	trace)
		mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
	doctor) ;;
	list)
		mapfile -t COMPREPLY < <(compgen -W "$(_ptelab_benches)" -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}

complete -o filenames -F _ptelab ptelab
