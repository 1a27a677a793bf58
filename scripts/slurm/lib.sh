# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# lib.sh: what the scripts for Slurm share. Sourced, never run.
#
# A store is a folder that all nodes see:
#   asked          the question: a command of ptelab, one word a line
#   settings       the options of submit, and the folder in which it ran
#   machine        QEMU and the plugin of its boots
#   files/         copies of the files that the commands read
#   tasks/NAME     one task: the folder of a kernel, then commands, their words
#                  separated by tabs; plans/N has a task a line, for an array
#   submitted/KEY  this command was submitted once
#   boots/HASH/    results: there is one, or it is missing
#   failed/KEY     why the command fails by itself, and is not run again
#   tries/TASK     a line for each time that the machine failed a task
#   nondeterministic/HASH/  a boot that differed from the same boot
#   log/           output of the jobs; answer.txt: the answer

# shellcheck source=../lab/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib.sh"
# shellcheck disable=SC2034
SLURM=$TOP/scripts/slurm

# use_store FOLDER: sets $store and PTELAB_STORE
use_store()
{
	store=$(realpath -m "$1")
	[[ $store != *[[:cntrl:]\']* ]] || die "'$store' has a quote or a control character in it; take another folder"
	export PTELAB_STORE=$store
}

# wrapped COMMAND...: in a line for the shell of sbatch --wrap, which exec replaces so
# that signals reach the command itself
wrapped()
{
	printf 'exec'
	printf " '%s'" "$@"
}

# sbatch_id ARG...: submits; prints the number of the job, or one line and out
sbatch_id()
{
	local said

	said=$(sbatch --parsable "$@" 2>&1) || die "sbatch: $(slurm_error "$said")"
	tail -n 1 <<<"$said" | cut -d';' -f1
}

# slurm_error TEXT: the line of it that tells the reason
slurm_error()
{
	local line

	line=$(grep -m 1 -iE 'munge|unable to contact|could not resolve|invalid|configuration' <<<"$1") ||
		line=$(tail -n 1 <<<"$1")
	sed -E 's/^[a-z]+: (error|fatal): //' <<<"$line"
}

# need_slurm: a controller answers; sets $config to its configuration
need_slurm()
{
	command -v sbatch >/dev/null ||
		die "no sbatch here; on Debian: apt-get install slurm-client; without Slurm: GNU parallel, see docs/cluster.md"
	config=$(scontrol show config 2>&1) || die "no answer from Slurm: $(slurm_error "$config")"
}

# The child that a signal ends first: Slurm's SIGTERM, then this script
running=''
stop()
{
	trap '' INT TERM HUP
	[ -z "$running" ] || kill -TERM "$running" 2>/dev/null || true
	wait
	note "interrupted; what was not finished is missing"
	exit 130
}

# child OUT ERR COMMAND...: in the background, because bash runs a trap only between
# commands
child()
{
	local out=$1 err=$2 status=0

	shift 2
	"$@" >"$out" 2>"$err" 9>&- &
	running=$!
	wait "$running" || status=$?
	running=''
	return "$status"
}

# again NAME WHY: the machine is to blame. Requeues this job, at most TRIES times.
TRIES=3
again()
{
	local tried=0 id=${SLURM_JOB_ID:-}

	# The number of one task of an array is that of all of them, too.
	[ -z "${SLURM_ARRAY_TASK_ID:-}" ] || id=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
	mkdir -p "$store/tries"
	printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$(uname -n)" "$2" >>"$store/tries/$1" 2>/dev/null || true
	tried=$(wc -l <"$store/tries/$1" 2>/dev/null) || true
	note "$2"
	[ -n "$id" ] || return 0
	if [ "${tried:-99}" -gt "$TRIES" ]; then
		note "$tried times: not requeued; mend that, then run scripts/slurm/submit $store"
	else
		scontrol requeue "$id" >&2 || note "cannot be requeued"
	fi
}
