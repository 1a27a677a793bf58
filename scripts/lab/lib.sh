# shellcheck shell=bash disable=SC2016,SC2034
# SPDX-License-Identifier: GPL-2.0
# lib.sh: functions that the scripts of the emulated lab share. Sourced, never run.

LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LAB/../.." && pwd)
CACHE=${PTELAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ptelab}
# Where kernels are compiled: on a disk of this machine, if many share the cache
TREES=${PTELAB_TREES:-$CACHE}
CROSS=${CROSS_COMPILE:-aarch64-linux-gnu-}

# Prints one line and exits with 2.
die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

note()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Prints progress on a terminal, but not into a pipe or a log.
progress()
{
	if [ -t 2 ]; then
		printf '\r\033[K%s' "$*" >&2
	fi
}

now_ms()
{
	local t=${EPOCHREALTIME/[.,]/}
	echo $((t / 1000))
}

# 83456 -> 1 min 23 s; 1234 -> 1.2 s
duration()
{
	local ms=$1
	if [ "$ms" -ge 60000 ]; then
		printf '%d min %d s' $((ms / 60000)) $((ms % 60000 / 1000))
	else
		printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
	fi
}

# Converts the output of the builtin times on standard input: milliseconds of CPU
# time. In a pipe it would print the times of a subshell, so it needs a file.
cpu_ms()
{
	awk '{ for (i = 1; i <= 2; i++) { split($i, t, "m"); s += t[1] * 60 + t[2] } }
		END { printf "%d", s * 1000 }'
}

# decompress FILE: a tarball as tar reads it
decompress()
{
	case $1 in
	*.xz) xz -dc -T0 "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*.zst) zstd -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

hash_files()
{
	cat -- "$@" | sha256sum | cut -c1-16
}

# cpus: how many CPUs this command may use: all, unless $PTELAB_CPUS or Slurm limits it
cpus()
{
	echo "${PTELAB_CPUS:-${SLURM_CPUS_PER_TASK:-$(nproc)}}"
}

# prune FOLDER N: of that folder of the cache keep the N that were used last, and what
# was used in the last day: a boot that runs may use it, on another machine as well
prune()
{
	find "$CACHE/$1" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn |
		awk -v keep="$2" -v day="$(($(date +%s) - 86400))" 'NR > keep && $1 < day' |
		cut -d' ' -f2- | xargs -r -d '\n' rm -rf
}

# used FILE...: prune removes them last. They may belong to another user.
used()
{
	touch -c "$@" 2>/dev/null || true
}

# new_in FOLDER: prints a new folder in it, for what gets its name there once it is
# complete. As readable as the umask says: others may use the cache as well.
new_in()
{
	local new

	mkdir -p "$1" && new=$(mktemp -d "$1/.new.XXXXXX") && chmod "$(umask -S)" "$new" && echo "$new"
}

# into_place NEW NAME: gives the complete folder NEW that name in one step. Returns 1,
# and leaves NEW, if there is one of that name: rename replaces no folder with something
# in it.
into_place()
{
	sync "$1"/* "$1" && mv -T "$1" "$2" 2>/dev/null && sync "$(dirname "$2")"
}

# emulator: identifies what counts, in two lines: QEMU; the plugin and the ptelab that reads
# its counts
emulator()
{
	qemu-system-aarch64 --version | head -n 1
	{ cat "$TOP"/build/native/{count.so,ptelab} 2>/dev/null || true; } | sha256sum | cut -c1-16
}

need_program()
{
	command -v "$1" >/dev/null || die "$1 is missing; run scripts/deps${2:+ $2}"
}

# with_usr ROOT COMMAND...: runs it with ROOT/usr in the place of /usr: programs
# of another Debian release, with the libc they need, on this one's files.
with_usr()
{
	local root=$1 as=()

	shift
	[ "$(id -u)" = 0 ] || as=(--map-root-user)
	unshare --mount ${as[@]+"${as[@]}"} \
		sh -c 'mount --bind "$0/usr" /usr && exec "$@"' "$root" "$@"
}

# Prints the directory that holds the lab's own programs: init and kallsyms for
# the guest, guest for the host. Built once for each state of their sources.
lab_tools()
{
	local dir tmp
	local cc=${CROSS}gcc

	need_program "$cc" arm64
	dir=$CACHE/tools/$(hash_files "$LAB"/{init,guest,kallsyms}.c "$LAB/chan.h")
	if [ ! -d "$dir" ]; then
		mkdir -p "$CACHE/tools"
		tmp=$(mktemp -d "$CACHE/tools/.new.XXXXXX")
		if ! "$cc" -O2 -Wall -static -s -I"$TOP" -o "$tmp/init" "$LAB/init.c" ||
		   ! "$cc" -O2 -Wall -static -s -o "$tmp/kallsyms" "$LAB/kallsyms.c" ||
		   ! cc -O2 -Wall -I"$TOP" -o "$tmp/guest" "$LAB/guest.c"; then
			rm -rf "$tmp"
			die "the lab's own programs (scripts/lab/*.c) do not build"
		fi
		# Another process may have been faster; its result is the same.
		mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp"
	fi
	echo "$dir"
}

# job_may_ask_qemu OPTION VALUE: whether a job's line "# qemu:" may have it. Somebody
# else may have written the job, and QEMU has options that load code, and read and write
# files.
job_may_ask_qemu()
{
	case $1 in
	-M|-machine) [[ $2 = iommu=smmuv3 ]] ;;
	-smp) [[ $2 =~ ^[0-9]+$ ]] ;;
	-object) [[ $2 =~ ^memory-backend-ram(,(id|size|share)=[A-Za-z0-9]+)*$ ]] ;;
	-device) [[ $2 =~ ^(nvme|ivshmem-plain|pci-testdev|edu)(,(serial|cmb_size_mb|addr|memdev|membar|id)=[A-Za-z0-9.]+)*$ ]] ;;
	*) false ;;
	esac
}

# json_string TEXT: in quotation marks, as JSON has it
json_string()
{
	local s=$1
	s=${s//\\/\\\\}
	s=${s//\"/\\\"}
	s=${s//$'\n'/\\n}
	printf '"%s"' "$s"
}

# git_borrow TREE DIR [OPTION...]: an empty repository in DIR with the objects of TREE,
# which is only read
git_borrow()
{
	local from=$1 to=$2 objects

	git init -q --object-format="$(git -C "$from" rev-parse --show-object-format)" "${@:3}" "$to"
	objects=$(git -C "$from" rev-parse --path-format=absolute --git-path objects)
	printf '%s\n' "$objects" >"$(git -C "$to" rev-parse --path-format=absolute --git-path objects)/info/alternates"
}

# header NAME FILE: of a raw mail, unfolded
header()
{
	awk -v name="$1:" '/^\r?$/ { exit }
		/^[ \t]/ { if (on) text = text $0; next }
		{ on = 0 }
		tolower(substr($0, 1, length(name))) == name && text == "" {
			on = 1; text = substr($0, length(name) + 1)
		}
		END { print text }' "$2"
}

# ---- A store: one question that many machines work on ------------------------
#
# PTELAB_STORE is its folder: boots/ is in the place of that of the cache, and never
# pruned. With PTELAB_PLAN, a folder, scripts/lab/kernel and boot do not build or boot
# what is missing: they record their command there, and exit with PLANNED. A command
# that is in failed/, because its kernel was to blame, fails again with the same reason.
PLANNED=75

# stored FILE: prints its copy in the store, which stays as it is
stored()
{
	local name=${1##*/} dir

	dir=$PTELAB_STORE/files/$(hash_files "$1")
	if [ ! -f "$dir/$name" ]; then
		mkdir -p "$dir" && cp -L "$1" "$dir/.$name.$BASHPID" && sync "$dir/.$name.$BASHPID" &&
			mv "$dir/.$name.$BASHPID" "$dir/$name" || die "cannot write to $dir"
	fi 2>/dev/null
	echo "$dir/$name"
}

# key WORD...: names a command in the store
key()
{
	local IFS=$'\t'

	sha256sum <<<"$*" | cut -c1-16
}

# plan KERNEL WORD...: records a command that needs that kernel's folder, and exits
plan()
{
	local IFS=$'\t' k kernel_folder=$1

	shift
	[[ $* != *$'\n'* ]] || die "a line break in '$*': no other machine can be asked for that"
	k=$(key "$@")
	[ ! -s "$PTELAB_STORE/failed/$k" ] || die "$(cat "$PTELAB_STORE/failed/$k")"
	printf '%s\n' "$kernel_folder" "$*" >"$PTELAB_PLAN/$k" || die "cannot write to $PTELAB_PLAN"
	exit "$PLANNED"
}

# own_failure TEXT: returns whether the message of a build or boot blames the kernel, not
# the machine, so that a retry would fail as well
own_failure()
{
	case $1 in
	*" does not build: "*|"configuring "*" failed: "*|*" cannot have CONFIG_"*|\
	*" is not a Linux source"|*" does not apply to "*|\
	*"the guest panicked"*|*"the guest ended"*|*"the guest was killed"*) ;;
	*) return 1 ;;
	esac
}
