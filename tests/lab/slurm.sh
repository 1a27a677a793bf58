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

	# A child that is ended before it has begun still has this trap.
	[ "$BASHPID" = "$$" ] || return 0
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

	release_held
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
# Where slurmd died while it launched a task, Slurm holds that.
release_held()
{
	local held

	held=$(squeue -h -t PD -o '%i %r' | sed -n 's/ .*[hH]eld.*//p')
	[ -z "$held" ] || xargs -n 1 scontrol release <<< "$held"
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
		1) name='kill -9 slurmstepd'; steps | sort -R | head -n 1 | xargs -r kill -9; scontrol reconfigure ;;
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

# ---- An array that is hit by everything ----------------------------------------

# state: of the job $job
state()
{
	scontrol -o show job "$job" | sed -n 's/.* JobState=\([A-Z]*\) .*/\1/p'
}
ended()
{
	[[ $(state) =~ ^(CANCELLED|COMPLETED)$ ]]
}

# Two submits of the same at once: 12 tasks, in chunks of 9; the second, whatever it
# still finds missing
store=$tmp/store
submit --boots 1 "$store" "$tmp/question" 6 > "$tmp/out1" 2>&1
submit --boots 1 "$store" "$tmp/question" 6 > "$tmp/out2" 2>&1 &
second=$!
check submitted grep -qE '^12 tasks: 0 kernels, 12 boots; jobs [0-9]+ [0-9]+, then' "$tmp/out1"
# One that is over before it is cancelled does not count.
for _ in 1 2 3 4 5; do
	until_true emulated || break
	scancel "$job" 2> /dev/null
	until_true ended
	[ "$(state)" != CANCELLED ] || break
done
equal scancel-in-the-middle-of-a-boot "$(state)" CANCELLED
check boot-runs-2 until_true emulated
step=$(steps | head -n 1)
check slurmstepd-is-there test -n "$step"
kill -9 "$step"
restart_node n2
check boot-runs-3 until_true emulated
restart_ctld TERM
preempt
check preempts until_true grep -q 'preempt' "$tmp/ctld.log"
wait $second
check submitted-twice grep -qE '^[0-9]+ tasks: 0 kernels, [0-9]+ boots; jobs [0-9 ]+, then' "$tmp/out2"
rounds=$(complete "$store")
check complete test -s "$store/answer.txt"
note complete "after $rounds more submits: $(tail -n 1 "$tmp/err")"
equal nothing-is-lost-or-doubled "$(boots "$store")" 12
equal answer-has-all "$(cut -d' ' -f1,2 "$store/answer.txt" | sort -u | wc -l)" 12
check no-two-boots-differ test ! -e "$store/nondeterministic"
head -n 3 "$store/plans/1" > "$tmp/three"
equal same-without-slurm "$(same_as_alone "$store" "$tmp/three")" ''
equal alone-has-three "$(boots "$tmp/alone")" 3

# ---- One task, by hand ---------------------------------------------------------

# A signal is handed on and waited for; what was not finished is missing.
task=$(head -n 1 "$tmp/three")
rm -rf "$tmp/alone/boots" "${TMPDIR:?}"/*
mkdir "$tmp/alone/boots"
"$slurm/exact" "$tmp/alone" "$task" > "$tmp/out" 2> "$tmp/err" &
pid=$!
boots_alone()
{
	pgrep -f "^qemu-system-aarch64 .*file:$tmp/tmp/" > "$tmp/pids"
}
check alone-boots until_true boots_alone
kill -TERM $pid
wait $pid
equal signal-exit $? 130
check signal-is-waited-for bash -c "! kill -0 $(head -n 1 "$tmp/pids") 2> /dev/null"
equal signal-leaves-nothing "$(find "$tmp/alone/boots" "$TMPDIR" -mindepth 1)" ''

# An emulator that is killed, as where memory runs out, says nothing about the kernel.
"$slurm/exact" "$tmp/alone" "$task" > "$tmp/out" 2> "$tmp/err" &
pid=$!
check alone-boots-once-more until_true boots_alone
kill -KILL "$(head -n 1 "$tmp/pids")"
wait $pid
equal killed-emulator-exit $? 2
check killed-emulator-says grep -qx 'exact: QEMU was killed by a signal: .*' "$tmp/err"
check killed-emulator-is-not-recorded test ! -e "$tmp/alone/failed"

# Another boot of the same has other bytes: a finding, and the first stays.
"$slurm/exact" "$tmp/alone" "$task" > "$tmp/out" 2> "$tmp/err" &
pid=$!
check alone-boots-again until_true boots_alone
for hash in "$store"/boots/*; do
	hash=${hash##*/}
	mkdir -p "$tmp/alone/boots/$hash"
	cp "$store/boots/$hash"/* "$tmp/alone/boots/$hash/"
	echo >> "$tmp/alone/boots/$hash/jsonl"
done
wait $pid
equal nondeterministic-exit $? 0
equal nondeterministic-is-found "$(find "$tmp/alone/nondeterministic" -mindepth 1 -maxdepth 1 | wc -l)" 1
check nondeterministic-is-said grep -q '^boot: nondeterministic: another boot of .*, seed [0-9]*, gave other bytes' "$tmp/err"
echo 'true' > "$tmp/alone/asked"
"$slurm/collect" "$tmp/alone" > "$tmp/out" 2>&1
equal nondeterministic-collect $? 1
check nondeterministic-collect-says grep -q '^collect: nondeterministic: .* differs from' "$tmp/out"

# A full shared disk: one line, and the boot is missing.
mkdir "$tmp/full"
if mount -t tmpfs -o size=6m none "$tmp/full" 2> /dev/null; then
	cp -r "$tmp/alone"/{tasks,machine} "$tmp/full/"
	mkdir "$tmp/full/boots"
	head -c 6m /dev/zero > "$tmp/full/x" 2> /dev/null
	"$slurm/exact" "$tmp/full" "$task" > "$tmp/out" 2> "$tmp/err"
	equal full-disk-exit $? 2
	check full-disk-says grep -q '^exact: cannot write to .*/boots: .*No space left on device$' "$tmp/err"
	equal full-disk-leaves-nothing "$(ls -A "$tmp/full/boots")" ''
	umount "$tmp/full"
else
	skip full-disk "no tmpfs can be mounted here"
fi

# The kernel's own failure is recorded, and not run again.
submit "$tmp/own" "$tmp/question" 1 --cmdline rdinit=/nosuch > "$tmp/out" 2> "$tmp/err"
check own-is-submitted grep -q '^2 tasks: 0 kernels, 2 boots' "$tmp/out"
until_true queue_empty
equal own-is-recorded "$(cat "$tmp/own/failed"/* | cut -c1-18 | sort | uniq -c | xargs)" '2 the guest panicked'
equal own-is-not-tried-again "$(ls "$tmp/own/tries" 2> /dev/null)" ''
refuses own-is-said '^boot: the guest panicked' submit "$tmp/own"

# The machine's is requeued three times: here a node with another QEMU.
cp -r "$tmp/alone" "$tmp/other"
rm -rf "$tmp/other"/{boots,nondeterministic}
printf 'QEMU emulator version 9.9\n0\n' > "$tmp/other/machine"
printf '%s\n' "$task" > "$tmp/other/plans/1"
sbatch --requeue --open-mode=append -o "$tmp/other/log/x" -D "$top" --wrap "exec '$slurm/exact' '$tmp/other' --plan 1" > "$tmp/out"
until_true queue_empty
equal other-qemu-is-tried "$(wc -l < "$tmp/other/tries/$task")" 4
check other-qemu-says grep -q "has QEMU emulator version .* the store is of QEMU emulator version 9.9 .*--exclude this node" \
	"$tmp/other/tries/$task"
check other-qemu-gives-up grep -q '4 times: not requeued' "$tmp/other/log/x"

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
	# One after the other: of four times in order, the first two are of one job.
	equal one-sweep-at-a-time "$(for n in 1 2; do
		scontrol -o show job "$(cut -d' ' -f2 "$tmp/timed$n")" |
			sed -nE "s/.* StartTime=([^ ]*) EndTime=([^ ]*) .*/\\1 b $n\n\\2 a $n/p"
	done | sort | cut -d' ' -f3 | uniq | wc -l)" 2
	"$fake" state "$FAKE_HOSTS/arm1" > "$tmp/after"
	equal host-is-as-it-was "$(diff "$tmp/before" "$tmp/after")" ''
	rmdir ${made[@]+"${made[@]}"} 2> /dev/null
else
	skip licence "no mount namespaces here"
fi

# ---- What is refused -----------------------------------------------------------

printf '#!/bin/sh\nprintf "/k\\nboot\\t--x\\n" > "$PTELAB_PLAN/0123"\nexit 75\n' > "$tmp/asks"
chmod +x "$tmp/asks"
refuses no-store '^submit: which store' submit
refuses bad-number 'needs a number' submit --boots x "$tmp/s" ab
refuses no-command "no command 'nosuch': ab, bisect, trend" submit "$tmp/s" nosuch
refuses no-question 'holds no question' submit "$tmp/s"
refuses another-question 'holds another question' submit "$store" "$tmp/asks"
refuses standard-input 'MBOX=- can be read once' submit "$tmp/s" ab MBOX=-
refuses fresh 'a new store has no boots' submit "$tmp/fresh" ab FRESH=1
refuses what-ab-refuses "no series 'nosuch'" submit "$tmp/s2" ab SERIES=nosuch
refuses no-task "no task 'x' in" "$slurm/exact" "$store" x
refuses no-plan 'no plan 99' "$slurm/exact" "$store" --plan 99
refuses no-store-for-exact 'is no store' "$slurm/exact" "$tmp/nowhere" x
refuses no-store-for-collect 'holds no question' "$slurm/collect" "$tmp/nowhere"
refuses no-partition '^submit: sbatch: .*[Ii]nvalid partition' env SBATCH_PARTITION=nosuch "$slurm/submit" "$tmp/s3" "$tmp/asks"
refuses node-under-test 'n1 is a node of this cluster' "$slurm/timed" "$tmp/s4" n1 quick -k base=1
refuses no-sweep-file "no sweep file 'nosuch'" "$slurm/timed" "$tmp/s4" arm9 nosuch
refuses not-a-sweep 'holds no sweep of this script' "$slurm/timed" --again "$tmp/s4"
equal refused-leaves-no-job "$(squeue -h)" ''
end_daemon munge TERM
refuses no-munge 'no answer from Slurm: .*[Mm]unge' submit "$tmp/s5" "$tmp/asks"
munge
end_daemon ctld TERM
refuses no-slurmctld 'no answer from Slurm: .*[Uu]nable to contact' env SLURM_CONF="$SLURM_CONF" timeout 300 "$slurm/submit" "$tmp/s5" "$tmp/asks"
slurmctld
