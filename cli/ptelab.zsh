#compdef ptelab
# SPDX-License-Identifier: GPL-2.0
# zsh completion for ptelab

_ptelab()
{
	local ptelab=$words[1] command=$words[2] prev=$words[CURRENT-1] cur=$words[CURRENT]
	local -a offer

	if ((CURRENT == 2)); then
		offer=(${(f)"$($ptelab --help 2> /dev/null | sed -n '/^Examples/q; s/^  \([a-z]*\) *\(.*\)/\1:\2/p')"})
		_describe command offer
		return
	fi
	# trace COMMAND ...: what comes after -- is the command's own.
	if [[ $command == trace && ${words[(I)--]} -gt 0 && ${words[(I)--]} -lt $CURRENT ]]; then
		shift ${words[(I)--]} words
		((CURRENT = $#words))
		_normal
		return
	fi
	case $command:$prev in
	trace:(-e|--event))
		compadd -- ${(f)"$($ptelab trace --list -q 2> /dev/null)"}
		return ;;
	trace:(-p|--pid))
		_pids
		return ;;
	run:(-p|--param))
		compadd -- ${(f)"$($ptelab list --params 2> /dev/null)"}
		return ;;
	sweep:sweep)
		compadd check plan keys
		return ;;
	esac
	case $prev in
	-b|--bench)
		if [[ $cur == *:* ]]; then
			compset -P '*:'
			compadd -- ${(f)"$($ptelab list --params ${cur%%:*} 2> /dev/null)"}
		else
			compadd -- ${(f)"$($ptelab list -q 2> /dev/null)"}
		fi
		return ;;
	-f|--format|--fail-on|--center|--counter)
		compadd -- ${(f)"$($ptelab $command $prev help 2> /dev/null | cut -f1)"}
		return ;;
	-m|--metric)
		compadd -- ${(f)"$($ptelab list -q --metrics 2> /dev/null)"}
		return ;;
	esac
	if [[ $cur == -* ]]; then
		compadd -- ${(fu)"$($ptelab $command --help 2> /dev/null | grep -o -- '--[a-z][a-z-]*')"}
	elif [[ $command == list ]]; then
		compadd -- ${(f)"$($ptelab list -q 2> /dev/null)"}
	elif [[ $command != doctor ]]; then
		_files
	fi
}

_ptelab "$@"
