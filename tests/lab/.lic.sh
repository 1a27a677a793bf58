#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# slurm.sh: scripts/slurm on a cluster of four nodes on this machine, with munged,
# slurmctld and slurmd of its own. Whatever is killed, no boot is lost or doubled.
#
#	KILLS=20	instead: so many random kills and cancels of an array, and every
#			boot against the same one without Slurm
# run: needs base null
# run: alone
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps lab-slurm lab arm64 cluster
need_kernel
slurm=$top/scripts/slurm
null=$("$top/scripts/lab/kernel" --series null) || { not_ok null-kernel "does not build"; exit 1; }
seed=${SEED:-$RANDOM}
RANDOM=$seed
[ "$(id -u)" = 0 ] || { skip lab-slurm "slurmd needs root"; exit 0; }

# ---- A cluster ---------------------------------------------------------------

here=$(uname -n)
here=${here%%.*}
port=$((20000 + $$ % 4000 * 10))
export SLURM_CONF=$tmp/slurm.conf TMPDIR=$tmp/tmp
unset SLURM_CPUS_PER_TASK PTELAB_STORE PTELAB_PLAN PTELAB_CPUS
mkdir "$tmp"/{tmp,ctld,d.n1,d.n2,d.n3,d.n4}
echo 'CgroupPlugin=cgroup/v1' > "$tmp/cgroup.conf"
cat > "$SLURM_CONF" << END
ClusterName=t
SlurmctldHost=$here(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$tmp/munge.socket,cred_expire=5
StateSaveLocation=$tmp/ctld
SlurmctldPidFile=$tmp/ctld.pid
SlurmdSpoolDir=$tmp/d.%n
SlurmdPidFile=$tmp/%n.pid
SlurmdLogFile=$tmp/%n.log
SlurmctldLogFile=$tmp/ctld.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=5
MinJobAge=3600
MaxArraySize=9
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
Licenses=ptelab_arm1:1
NodeName=n[1-4] NodeHostname=$here NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 4))] CPUs=1
PartitionName=low Nodes=n[1-4] Default=YES PriorityTier=1
PartitionName=high Nodes=n[1-4] PriorityTier=9
END
munge()
{
	(umask 077 && head -c 128 /dev/urandom > "$tmp/munge.key")
	munged --force --socket="$tmp/munge.socket" --key-file="$tmp/munge.key" --pid-file="$tmp/munge.pid" \
		--log-file="$tmp/munge.log" --seed-file="$tmp/munge.seed" 2> "$tmp/err"
}

# end_daemon NAME SIGNAL
end_daemon()
{
	local pid i

	pid=$(cat "$tmp/$1.pid" 2> /dev/null) || return 0
	kill "-$2" "$pid" 2> /dev/null
	for ((i = 0; i < 600; i++)); do
		kill -0 "$pid" 2> /dev/null || break
		sleep 0.1
	done
}

# end: what runs in this cluster has its folder in its environment.
end()
{
	local p d

	scancel -u "$(id -un)" 2> /dev/null
	for d in n1 n2 n3 n4 ctld munge; do
		end_daemon $d TERM
	done
	# shellcheck disable=SC2013
	for p in $(grep -lzsFx "TMPDIR=$tmp/tmp" /proc/[0-9]*/environ); do
		p=${p%/environ}
		[ "${p#/proc/}" = $$ ] || [ "${p#/proc/}" = $BASHPID ] || kill -KILL "${p#/proc/}" 2> /dev/null
	done
	umount "$tmp/full" 2> /dev/null
	rm -rf "$tmp"
}
trap end EXIT
trap 'exit 130' INT TERM

# until_true COMMAND...: within three minutes, whatever the load is
until_true()
{
	local i

	for ((i = 0; i < 900; i++)); do
		! "$@" 2> /dev/null || return 0
		sleep 0.2
	done
	return 1
}
all_idle()
{
	[ "$(sinfo -h -p low -t idle -o %D)" = 4 ]
}
if ! munge; then
	skip lab-slurm "munged does not run here: $(tail -n 1 "$tmp/err")"
	exit 0
fi
slurmctld
for n in n1 n2 n3 n4; do
	slurmd -N $n
done
if ! until_true all_idle; then
	skip lab-slurm "no Slurm here: $(tail -qn 1 "$tmp"/*.log | tail -n 1)"
	exit 0
fi

# ---- A question --------------------------------------------------------------

# Two kernels, with SEEDS boots each: prints what each counted.
echo 'ptelab run -o - --seed @SEED@ -b harness.empty' > "$tmp/job"
cat > "$tmp/question" << END
#!/bin/bash
planned=''
for seed in \$(seq \$1); do
	for kernel in "$kernel" "$null"; do
		"$top/scripts/lab/boot" --image "\$kernel/Image" --ptelab "$top/build/arm64/ptelab" \\
			--job "$tmp/job" --seed "\$seed" --out "\$TMPDIR/q.jsonl" "\${@:2}" > "\$TMPDIR/q.out"
		case \$? in
		0) echo "\${kernel##*/} \$seed \$(sha256sum < "\$TMPDIR/q.jsonl")" ;;
		75) planned=1 ;;
		*) exit 2 ;;
		esac
	done
done
[ -z "\$planned" ] || exit 75
END
chmod +x "$tmp/question"

submit()
{
	"$slurm/submit" "$@" 9>&-
}
queue_empty()
{
	local said

	said=$(squeue -h) && [ -z "$said" ]
}
# boots STORE: how many there are, by their hashes
boots()
{
	find "$1/boots" -mindepth 1 -maxdepth 1 -regextype posix-extended -regex '.*/[0-9a-f]{32}' | wc -l
}
# emulated: a task of this cluster boots: its number in $job
emulated()
{
	local p

	for p in $(pgrep -f "^qemu-system-aarch64 .*file:$tmp/tmp/"); do
		job=$(tr '\0' '\n' < "/proc/$p/environ" | awk -F= '/^SLURM_ARRAY_JOB_ID=/ { j = $2 }
			/^SLURM_ARRAY_TASK_ID=/ { t = $2 } END { if (t != "") print j "_" t }')
		[ -z "$job" ] || return 0
	done
	return 1
}
# steps: processes of slurmstepd of this cluster
steps()
{
	local p

	for p in $(pgrep -f '^slurmstepd'); do
		! grep -qzFx "SLURM_CONF=$SLURM_CONF" "/proc/$p/environ" 2> /dev/null || echo "$p"
	done
}
restart_ctld()
{
	end_daemon ctld "$1"
	slurmctld
}
# restart_node NODE: killed; what it ran goes on, and is found by the next
restart_node()
{
	end_daemon "$1" KILL
	slurmd -N "$1"
}
preempt()
{
	sbatch -p high -n "${1:-4}" -o /dev/null --wrap 'srun sleep 3' > /dev/null
}
# complete STORE: submits what is missing until nothing is; prints how often
complete()
{
	local rounds

	for ((rounds = 0; rounds < 30; rounds++)); do
		until_true queue_empty || { echo "the queue is never empty"; return; }
		[ ! -f "$1/answer.txt" ] || break
		submit "$1" > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/err"; return; }
	done
	echo "$rounds"
}

# same_as_alone STORE PLAN: the boots that the plan asks for, done by GNU parallel into
# another store, have the same names and bytes
same_as_alone()
{
	rm -rf "$tmp/alone"
	cp -r "$1" "$tmp/alone"
	rm -rf "$tmp/alone"/{boots,answer.txt}
	parallel -j "$(nproc)" "$slurm/exact" "$tmp/alone" < "$2" > "$tmp/out" 2>&1 || tail -n 1 "$tmp/out"
	(cd "$tmp/alone/boots" && find . -type f ! -name end -exec cmp {} "$1/boots/{}" \;) 2>&1
}

# ---- Random kills ------------------------------------------------------------

if [ -n "${KILLS:-}" ]; then
	note random "SEED=$seed"
	store=$tmp/random
	submit --boots 1 "$store" "$tmp/question" 8 > "$tmp/out" 2> "$tmp/err" || { cat "$tmp/err"; exit 1; }
	killed=0
	declare -A how=()
	while [ "$killed" -lt "$KILLS" ]; do
		if [ -f "$store/answer.txt" ]; then
			# All are done: begin again with half of them
			find "$store/boots" -mindepth 1 -maxdepth 1 | sort -R | head -n 8 | xargs rm -rf
			rm "$store/answer.txt"
		fi
		if queue_empty; then
			submit "$store" > "$tmp/out" 2> "$tmp/err" || cat "$tmp/err"
		fi
		until_true emulated || continue
		sleep "0.$((RANDOM % 10))"
		what=$((RANDOM % 8))
		case $what in
		0) name=scancel; scancel "$job" ;;
		1) name='kill -9 slurmstepd'; steps | sort -R | head -n 1 | xargs -r kill -9 ;;
		2) name='kill -9 slurmd'; restart_node n$((RANDOM % 4 + 1)) ;;
		3) name='slurmctld ended'; restart_ctld TERM ;;
		4) name='kill -9 slurmctld'; restart_ctld KILL ;;
		5) name=preempted; preempt 1 ;;
		6) name='kill -9 QEMU'; pgrep -f "^qemu-system-aarch64 .*file:$tmp/tmp/" | sort -R | head -n 1 | xargs -r kill -9 ;;
		7) name='kill -9 exact'; pgrep -f "^bash $slurm/exact $store" | sort -R | head -n 1 | xargs -r kill -9 ;;
		esac
		killed=$((killed + 1))
		how[$name]=$((${how[$name]:-0} + 1))
		# A daemon of a node may be gone for good with its steps.
		for n in n1 n2 n3 n4; do
			kill -0 "$(cat "$tmp/$n.pid" 2> /dev/null)" 2> /dev/null || slurmd -N $n
		done
	done
	rounds=$(complete "$store")
	for name in "${!how[@]}"; do
		note random "${how[$name]} times: $name"
	done
	note random "submitted again $rounds times until all was there"
	equal random-none-is-lost-or-doubled "$(boots "$store")" 16
	equal random-answer "$(cut -d' ' -f1,2 "$store/answer.txt" | sort -u | wc -l)" 16
	check random-as-each-other test ! -e "$store/nondeterministic"
	find "$store/tasks" -type f -printf '%f\n' > "$tmp/all"
	equal random-as-alone "$(same_as_alone "$store" "$tmp/all")" ''
	exit
fi

# ---- Sweeps: the licence of a host ---------------------------------------------

# Two jobs for one host, which is played as in tests/host/sweep.sh
fake=$top/tests/sweep/fake-host
if unshare --mount true 2> /dev/null && [ -x "$top/build/native/ptelab" ]; then
	export FAKE_HOSTS=$tmp/hosts PTELAB_SWEEP_POLL=.1
	mkdir -p "$FAKE_HOSTS" "$tmp/sweeps"
	made=()
	for d in /var/lib/ptelab /lib/modules; do
		[ -d "$d" ] || { mkdir "$d" && made+=("$d"); }
	done
	"$fake" make "$FAKE_HOSTS/arm1"
	"$fake" state "$FAKE_HOSTS/arm1" > "$tmp/before"
	cat > "$tmp/t.cfg" << 'END'
bench = [ "harness.empty" ];
tune = false; counter = "none"; counted = 0; batches = 100; warmup = 0; min_batch_ms = 2;
boots = 1; boot_seconds = 1; boot_timeout = 300; tries = 60;
END
	printf 'Linux version 2.0-image (x)\n' > "$tmp/image"
	timed=("$slurm/timed")
	options=(-k base=1.0-default -k new="$tmp/image" --ssh "$fake ssh" --ptelab "$top/build/native/ptelab")
	for n in 1 2; do
		"${timed[@]}" "$tmp/sweeps/$n" arm1 "$tmp/t.cfg" "${options[@]}" > "$tmp/timed$n" 2>&1
		check "timed-$n" grep -qE "^job [0-9]+ measures arm1 with licence ptelab_arm1, then [0-9]+ restores it" "$tmp/timed$n"
	done
	waits()
	{
		squeue -h -o '%i %r' | grep -q "^$(cut -d' ' -f2 "$tmp/timed2") Licenses"
	}
	check licence-is-waited-for until_true waits
	# The first is requeued in its middle, and goes on.
	first=$(cut -d' ' -f2 "$tmp/timed1")
	begun()
	{
		[ -s "$tmp/sweeps/1/asked" ]
	}
	check sweep-has-begun until_true begun
	scontrol requeue "$first"
	check sweeps-end until_true queue_empty
	for n in 1 2; do
		equal "sweep-$n-has-each-boot-once" "$(cd "$tmp/sweeps/$n/arm1" 2> /dev/null && find . -name 'boot-*.jsonl' | sort | xargs)" \
			'./base/boot-001.jsonl ./new/boot-001.jsonl'
	done
	# On which the two worked on the host: one after the other
	times()
	{
		scontrol -o show job "$1" | sed -nE 's/.* StartTime=([^ ]*) EndTime=([^ ]*) .*/\1 \2/p'
	}
	read -r _ end1 <<< "$(times "$first")"
	read -r start2 _ <<< "$(times "$(cut -d' ' -f2 "$tmp/timed2")")"
	check one-sweep-at-a-time test "$(printf '%s\n' "$end1" "$start2" | sort | head -n 1)" = "$end1"
	"$fake" state "$FAKE_HOSTS/arm1" > "$tmp/after"
	equal host-is-as-it-was "$(diff "$tmp/before" "$tmp/after")" ''
	rmdir ${made[@]+"${made[@]}"} 2> /dev/null
else
	skip licence "no mount namespaces here"
fi

