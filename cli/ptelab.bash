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
			sed -n 's/^  \([a-z]\+\) .*/\1/p')
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
	explain:-f|explain:--format)
		mapfile -t COMPREPLY < <(compgen -W "text json" -- "$cur")
		return ;;
	explain:-m|explain:--metric)
		mapfile -t COMPREPLY < <(compgen -W "instructions instructions_kernel instructions_user instructions_guest loads stores atomics exclusives tlbi dsb dmb isb sysreg_writes sysreg_reads cache_ops" -- "$cur")
		return ;;
	show:-f|show:--format)
		mapfile -t COMPREPLY < <(compgen -W "text csv json barriers litmus mmio" -- "$cur")
		return ;;
	sweep:sweep)
		mapfile -t COMPREPLY < <(compgen -W "check plan" -- "$cur")
		return ;;
	run:--counter)
		mapfile -t COMPREPLY < <(compgen -W "bpf kmod none" -- "$cur")
		return ;;
	esac
	case $prev in
	-b|--bench)
		mapfile -t COMPREPLY < <(compgen -W "$(_ptelab_benches)" -- "$cur")
		return ;;
	-o|--output|--allow|--symbols|--program|--module)
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
	list)
		mapfile -t COMPREPLY < <(compgen -W "$(_ptelab_benches)" -- "$cur") ;;
	show|compare|plan|sweep|cell|report|explain|merge|plot)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}

complete -o filenames -F _ptelab ptelab
