# SPDX-License-Identifier: GPL-2.0
# fish completion for ptelab

function __ptelab_command
    set -l typed (commandline -opc)
    echo "$typed[2]"
end

# __ptelab_is NAME: whether the command has been typed and is NAME; "": none yet
function __ptelab_is
    test "$(__ptelab_command)" = "$argv[1]"
end

function __ptelab_commands
    ptelab --help 2>/dev/null | sed -n '/^Examples/q; s/^  \([a-z]*\) *\(.*\)/\1\t\2/p'
end

function __ptelab_options
    ptelab (__ptelab_command) --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u
end

# The words that an option takes, as it prints them for "help"
function __ptelab_choices
    ptelab (__ptelab_command) $argv help 2>/dev/null | cut -f1
end

# Benchmarks; after a colon the values of their parameters
function __ptelab_points
    set -l cur (commandline -ct)
    if string match -q '*:*' -- $cur
        set -l ahead (string replace -r ':[^:]*$' ':' -- $cur)
        ptelab list --params (string replace -r ':.*' '' -- $cur) 2>/dev/null | string replace -r '^' $ahead
    else
        ptelab list -q 2>/dev/null
    end
end

complete -c ptelab -n '__ptelab_is ""' -f -a '(__ptelab_commands)'
complete -c ptelab -n 'not __ptelab_is ""' -a '(string match -q -- "-*" (commandline -ct); and __ptelab_options)'
complete -c ptelab -n '__ptelab_is list' -f -a '(ptelab list -q 2>/dev/null)'
complete -c ptelab -n '__ptelab_is sweep' -a 'check plan keys'
complete -c ptelab -s b -l bench -x -a '(__ptelab_points)'
complete -c ptelab -s m -l metric -x -a '(ptelab list -q --metrics 2>/dev/null)'
complete -c ptelab -n '__ptelab_is run' -s p -l param -x -a '(ptelab list --params 2>/dev/null)'
complete -c ptelab -n '__ptelab_is trace' -s p -l pid -x -a '(__fish_complete_pids)'
complete -c ptelab -n '__ptelab_is trace' -s e -l event -x -a '(ptelab trace --list -q 2>/dev/null)'
complete -c ptelab -s f -l format -x -a '(__ptelab_choices --format)'
for option in fail-on center counter
    complete -c ptelab -l $option -x -a "(__ptelab_choices --$option)"
end
