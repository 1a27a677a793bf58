#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/sweep against hosts that boot in a blink: whatever is killed, nothing is
# lost, nothing doubled, and the host is as it was. tests/host-arm64 has the same
# with a real boot loader and real reboots.
# run: here
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

fake=$top/tests/sweep/fake-host
# Who is killed leaves its temporary files: here.
export FAKE_HOSTS=$tmp/hosts PTELAB_SWEEP_POLL=.1 TMPDIR=$tmp/tmp
mkdir "$TMPDIR"
# What waits for somebody who was killed would wait for ever.
end()
{
	local p

	# shellcheck disable=SC2013
	for p in $(grep -lzsFx "FAKE_HOSTS=$FAKE_HOSTS" /proc/[0-9]*/environ); do
		p=${p%/environ}
		kill -KILL "${p#/proc/}" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap end EXIT
if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
	skip "sweeps" "the hosts that are played need root and mount namespaces"
	exit
fi
mkdir -p "$FAKE_HOSTS"
# Where the hosts' own are mounted, each for itself
made=()
for d in /var/lib/ptelab /lib/modules; do
	[ -d "$d" ] || { mkdir "$d" && made+=("$d"); }
done
seed=${SEED:-$RANDOM}
RANDOM=$seed

cat >"$tmp/t.cfg" <<'END'
# changes nothing on this machine, which all the played hosts share
bench = [ "harness.empty" ];
tune = false; counter = "none"; counted = 0; batches = 100; warmup = 0; min_batch_ms = 2;
cmdline = "memmap=4G$8G x;y";
boots = 3; boot_seconds = 1; boot_timeout = 300; tries = 60;
END
# Where a reboot may be lost with the ssh that asked for it
sed 's/boot_timeout = 300/boot_timeout = 20/' "$tmp/t.cfg" >"$tmp/k.cfg"
mkdir -p "$tmp/pkg/boot" "$tmp/mod/lib/modules/3.0-new/kernel"
printf 'Linux version 2.0-image (x)\n' >"$tmp/image"
printf 'Linux version 3.0-new (x)\n' >"$tmp/image3"
echo module >"$tmp/mod/lib/modules/3.0-new/kernel/a.ko"
tar -C "$tmp/mod" -czf "$tmp/modules.tar.gz" lib

sweep()
{
	"$top/scripts/sweep" --ssh "$fake ssh" --ptelab "$top/build/native/ptelab" "$@"
}
kernels=(-k base=1.0-default -k new="$tmp/image3,$tmp/modules.tar.gz")

# new_host NAME: and its state before
new_host()
{
	"$fake" make "$FAKE_HOSTS/$1"
	"$fake" state "$FAKE_HOSTS/$1" >"$tmp/$1.before"
}

# as_before NAME WHAT: waits for its last reboot
as_before()
{
	for _ in $(seq 600); do
		"$fake" state "$FAKE_HOSTS/$1" >"$tmp/$1.after"
		! cmp -s "$tmp/$1.before" "$tmp/$1.after" || break
		sleep .1
	done
	equal "$2: the host is as it was" \
		"$(diff "$tmp/$1.before" "$tmp/$1.after" | tr '\n' '|')" ""
}

# is_up NAME: after the reboot into its own kernel that ends a sweep
is_up()
{
	for _ in $(seq 600); do
		! grep -qx up "$FAKE_HOSTS/$1/power" || break
		sleep .1
	done
}

# boot_files DIR
boot_files()
{
	(cd "$1" && find . -name '*.jsonl*' | sort | xargs)
}

whole='./base/boot-001.jsonl ./base/boot-002.jsonl ./base/boot-003.jsonl ./new/boot-001.jsonl ./new/boot-002.jsonl ./new/boot-003.jsonl'

check_run()
{
	local what=$1 dir=$2

	equal "$what: the boot files, each once" "$(boot_files "$dir")" "$whole"
	equal "$what: each whole" \
		"$(cat "$dir"/*/boot-*.jsonl | jq -r 'select(.type == "footer") | .type' | wc -l)" 6
	equal "$what: each of a boot of its own" \
		"$(head -qn 1 "$dir"/*/boot-*.jsonl | jq -r .boot_id | sort -u | wc -l)" 6
	equal "$what: each on its kernel" \
		"$(head -qn 1 "$dir"/*/boot-*.jsonl | jq -r '.cell.kernel + " " + (.cmdline | capture("ptelab.kernel=(?<k>[^ ]*)").k)' |
			sort | uniq -c | xargs)" "3 base base 3 new new"
	equal "$what: each with the parameters as they were given" \
		"$(head -qn 1 "$dir"/*/boot-*.jsonl | jq -r .cmdline | grep -cF ' memmap=4G$8G x;y ')" 6
}

# ---- Undisturbed ----

new_host quiet
status=0
sweep "${kernels[@]}" -o "$tmp/quiet" --remove quiet "$tmp/t.cfg" >"$tmp/quiet.out" 2>&1 || status=$?
equal "undisturbed: exit" "$status" 0
[ "$status" = 0 ] || sed 's/^/# /' "$tmp/quiet.out"
check_run "undisturbed" "$tmp/quiet/quiet"
as_before quiet "undisturbed"
equal "in the order of the plan" \
	"$(awk -F '\t' '{ print $2 $3 }' "$tmp/quiet/quiet/cells.tsv" | xargs)" \
	"$(awk -F '\t' '$1 == "cell" { print $2 $3 }' "$tmp/quiet/plan.tsv" | xargs)"
check "a comparison comes of it" test -s "$tmp/quiet/quiet/base-new/compare.json"
check "and a table" test -s "$tmp/quiet/quiet/base-new/table.txt"
check "and a report" test -s "$tmp/quiet/quiet/base-new/report.html"
sweep --resume -o "$tmp/quiet" >"$tmp/again.out" 2>&1
equal "resumed when done: nothing is done again" "$? $(wc -l <"$tmp/quiet/quiet/cells.tsv")" "0 6"
refuses "a second sweep into the same folder" 'holds a sweep already; go on with it' \
	sweep "${kernels[@]}" -o "$tmp/quiet" quiet "$tmp/t.cfg"

# ---- At least 20 kills at random moments ----

new_host a
new_host b
kills='' n=0 round=0
start()
{
	if [ -f "$run/asked" ]; then
		setsid "$top/scripts/sweep" --ssh "$fake ssh" --resume -o "$run" >>"$tmp/kill.out" 2>&1 &
	else
		setsid "$top/scripts/sweep" --ssh "$fake ssh" --ptelab "$top/build/native/ptelab" \
			"${kernels[@]}" -o "$run" --remove a b "$tmp/k.cfg" >>"$tmp/kill.out" 2>&1 &
	fi
	driver=$!
}

# Processes of the driver's session, by id
of_driver()
{
	ps -o pid= -s "$driver" 2>/dev/null
}

# A sweep that is lucky ends before it was killed often enough: then another.
while [ "$n" -lt 20 ] && [ "$round" -lt 5 ]; do
	round=$((round + 1)) run=$tmp/kill.$round
	start
	ended=''
	for _ in $(seq 4000); do
		sleep "0.$((RANDOM % 10))"
		if ! kill -0 "$driver" 2>/dev/null; then
			status=0
			wait "$driver" || status=$?
			ended=$status
			[ "$status" = 2 ] || break
			start
			continue
		fi
		# Enough: the rest in peace
		[ "$n" -lt 24 ] || { sleep .5; continue; }
		case $((RANDOM % 4)) in
		3)
			# Its workers outlive it.
			kill -KILL "$driver" 2>/dev/null
			wait "$driver" 2>/dev/null
			kills+=m
			start ;;
		0)
			# shellcheck disable=SC2046
			kill -KILL $(of_driver) 2>/dev/null
			wait "$driver" 2>/dev/null
			kills+=d
			start ;;
		1)
			victim=$(pgrep -s "$driver" -f 'fake-host ssh -o BatchMode' | shuf -n 1 --random-source=<(yes "$RANDOM"))
			[ -n "$victim" ] || continue
			# shellcheck disable=SC2046
			kill -KILL "$victim" $(pgrep -P "$victim" cat) 2>/dev/null
			kills+=s ;;
		2)
			if [ $((RANDOM % 2)) = 0 ]; then
				"$fake" cut "$FAKE_HOSTS/a"
			else
				"$fake" cut "$FAKE_HOSTS/b"
			fi
			kills+=h ;;
		esac
		n=$((n + 1))
	done
	equal "killed: sweep $round ends well in the end" "$ended" 0
	[ "$ended" = 0 ] || grep -v ': installing' "$tmp/kill.out" | tail -n 40 | sed 's/^/# /'
	for h in a b; do
		check_run "killed, sweep $round, $h" "$run/$h"
		as_before "$h" "killed, sweep $round, $h"
	done
done
if [ "$n" -ge 20 ]; then
	ok "killed: 20 times or more"
else
	not_ok "killed: 20 times or more" "only $n (seed $seed)"
fi
note "killed" "d driver and workers, m driver alone, s ssh, h host: $kills (seed $seed)"

# ---- Workers that outlive their driver; a connection that breaks ----

# measuring: the driver's workers are there, and one of them measures a cell
measuring()
{
	workers=$(pgrep -P "$driver" -f scripts/sweep | xargs)
	[ -n "$workers" ] && grep -qs measuring "$tmp/left/left/status"
}

# begin [OPTION...]: starts a sweep of the host "left" and waits for its worker
begin()
{
	"$top/scripts/sweep" --ssh "$fake ssh" --ptelab "$top/build/native/ptelab" \
		"$@" -o "$tmp/left" >>"$tmp/left.out" 2>&1 &
	driver=$!
	await "$driver" measuring
}

gone()
{
	local p

	for p in $workers; do
		! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$p/status" || return 1
	done
}

new_host left
begin "${kernels[@]}" --remove left "$tmp/t.cfg"
check "driver killed: it had workers" test -n "$workers"
kill -KILL "$driver"
wait "$driver" 2>/dev/null
for _ in $(seq 600); do
	! gone || break
	sleep .1
done
check "driver killed: its workers exit" gone
check "driver killed: they do not finish the sweep" test ! -e "$tmp/left/left/finished"
rm -f "$tmp/left/left/status"
begin --resume
check "stopped workers: there are some" test -n "$workers"
# shellcheck disable=SC2086
kill -STOP $workers
kill -KILL "$driver"
wait "$driver" 2>/dev/null
status=0
sweep --resume -o "$tmp/left" >>"$tmp/left.out" 2>&1 || status=$?
equal "stopped workers: the next driver finishes" "$status" 0
[ "$status" = 0 ] || tail -n 5 "$tmp/left.out" | sed 's/^/# /'
check "stopped workers: the next driver ends them" gone
check_run "stopped workers" "$tmp/left/left"
as_before left "stopped workers"

# The connection breaks in the middle of the first file that is sent, and the
# host sees no error.
new_host cut
cat >"$tmp/cut-ssh" <<END
#!/bin/bash
case "\$*" in
*'cat >'*)
	if mkdir "$tmp/cut-off" 2>/dev/null; then
		head -c 1000 | "$fake" "\$@"
		ls "$FAKE_HOSTS/cut/lib" >"$tmp/cut-off/there"
		exit 255
	fi ;;
esac
exec "$fake" "\$@"
END
chmod 755 "$tmp/cut-ssh"
status=0
"$top/scripts/sweep" --ssh "$tmp/cut-ssh ssh" --ptelab "$top/build/native/ptelab" "${kernels[@]}" \
	-o "$tmp/cut-out" --remove cut "$tmp/t.cfg" >"$tmp/cut.out" 2>&1 || status=$?
equal "truncated file: it is sent again" "$status" 0
check "truncated file: the transfer had begun" grep -qx owner "$tmp/cut-off/there"
check "truncated file: the host does not use it" \
	test "$(grep -c '^ptelab' "$tmp/cut-off/there")" = 0
check_run "truncated file" "$tmp/cut-out/cut"
as_before cut "truncated file"

# ---- What must be told in one line, and gone on from ----

refuses "wrong host key" 'wrongkey: its host key is not the one that is known here' \
	sweep "${kernels[@]}" -o "$tmp/r1" wrongkey "$tmp/t.cfg"
refuses "no sudo" 'nosudo: no root there: log in as root, or allow sudo' \
	sweep "${kernels[@]}" -o "$tmp/r2" nosudo "$tmp/t.cfg"
refuses "no login" 'nologin: no login without a password' \
	sweep "${kernels[@]}" -o "$tmp/r3" nologin "$tmp/t.cfg"
refuses "a file that is not there" 'no file .*none.deb' \
	sweep -k base=1.0-default -k new="$tmp/none.deb" -o "$tmp/r4" quiet "$tmp/t.cfg"
refuses "--resume of nothing" 'holds no sweep' sweep --resume -o "$tmp/r5"

new_host full
touch "$FAKE_HOSTS/full/full"
sweep "${kernels[@]}" --boots 1 --remove -o "$tmp/full" full "$tmp/t.cfg" >"$tmp/full.out" 2>&1
equal "no space in /boot: exit" $? 2
grep -q 'no space in /boot' "$tmp/full.out" || sed 's/^/# /' "$tmp/full.out"
equal "no space in /boot: one line" \
	"$(grep -c '^sweep: full: no space in /boot for the kernel .new.: [0-9]* MB needed' "$tmp/full.out")" 1
rm "$FAKE_HOSTS/full/full"
sweep --resume -o "$tmp/full" >"$tmp/full.out" 2>&1
equal "no space in /boot: resumed" "$? $(boot_files "$tmp/full/full")" \
	"0 ./base/boot-001.jsonl ./new/boot-001.jsonl"
as_before full "no space in /boot"

# A kernel that panics: its cells are failed by name, the others are there.
new_host panic
echo 'bad panics' >"$FAKE_HOSTS/panic/sick"
sed 's/tries = 60/tries = 2/; s/boots = 3/boots = 2/' "$tmp/t.cfg" >"$tmp/p.cfg"
sweep -k base=1.0-default -k bad="$tmp/image" --remove -o "$tmp/panic" panic "$tmp/p.cfg" >"$tmp/panic.out" 2>&1
equal "a kernel that panics: exit" $? 1
equal "a kernel that panics: the others are there" "$(boot_files "$tmp/panic/panic")" \
	"./base/boot-001.jsonl ./base/boot-002.jsonl"
equal "a kernel that panics: named, with the reason" \
	"$(grep -cE '^  bad boot 1: came back with 1.0-default instead: .*\(2 tries\)' "$tmp/panic.out")" 1
equal "a kernel that panics: not tried for each boot" \
	"$(grep -cE '^  bad boot 2: not tried: boot 1 of this kernel failed' "$tmp/panic.out")" 1
as_before panic "a kernel that panics"

# One that never comes back: nothing here can switch it off and on.
new_host hang
echo 'bad hangs' >"$FAKE_HOSTS/hang/sick"
sed 's/tries = 60/tries = 1/; s/boots = 3/boots = 1/; s/boot_timeout = 300/boot_timeout = 20/' "$tmp/t.cfg" >"$tmp/h.cfg"
sweep -k base=1.0-default -k bad="$tmp/image" --remove -o "$tmp/hang" hang "$tmp/h.cfg" >"$tmp/hang.out" 2>&1
equal "a kernel that hangs: exit" $? 2
equal "a kernel that hangs: one line" \
	"$(grep -cE '^sweep: hang: no word from it for 20 s .*switch it off and on, then go on with --resume' "$tmp/hang.out")" 1
"$fake" cut "$FAKE_HOSTS/hang"
sweep --resume -o "$tmp/hang" >"$tmp/hang.out" 2>&1
equal "a kernel that hangs: resumed" \
	"$? $(boot_files "$tmp/hang/hang") $(grep -c '^  bad boot 1: ' "$tmp/hang.out")" "1 ./base/boot-001.jsonl 1"
as_before hang "a kernel that hangs"

# A host that is at work for somebody else
new_host busy
printf 'other\tjane@desk\t2026-01-01\n' >"$FAKE_HOSTS/busy/lib/owner"
refuses "host already running a sweep" 'busy: is running another sweep, of jane@desk since 2026-01-01; wait' \
	sweep "${kernels[@]}" -o "$tmp/busy" busy "$tmp/t.cfg"
check "--restore takes it back" sweep --restore busy
"$top/scripts/sweep" --ssh "$fake ssh" --resume -o "$tmp/busy" >"$tmp/busy.out" 2>&1 &
driver=$!
# Two drivers on one folder, and --restore in the middle
await "$driver" test -s "$FAKE_HOSTS/busy/lib/owner"
refuses "two drivers on one folder" 'another scripts/sweep works on' sweep --resume -o "$tmp/busy"
kill "$driver"
wait "$driver" 2>/dev/null
equal "stopped: says how to go on" "$(grep -c 'stopped; go on with: scripts/sweep --resume -o' "$tmp/busy.out")" 1
sleep 1
sweep --restore busy >"$tmp/restore.out" 2>&1
"$fake" cut "$FAKE_HOSTS/busy"
as_before busy "--restore in the middle"

# Kernels that are kept are found there by the next sweep, and undone by --restore.
new_host keep
sweep "${kernels[@]}" --boots 1 -o "$tmp/keep" keep "$tmp/t.cfg" >"$tmp/keep.out" 2>&1
check "kept kernels are there" test -s "$FAKE_HOSTS/keep/boot/ptelab/new/vmlinuz"
equal "but no entry for them" "$(ls "$FAKE_HOSTS/keep/boot/grub")" "$(printf 'grub.cfg\ngrubenv')"
is_up keep
sweep "${kernels[@]}" --boots 1 -o "$tmp/keep2" keep "$tmp/t.cfg" >"$tmp/keep.out" 2>&1
equal "and are not copied again" "$? $(grep -c "installing the kernel 'new'" "$tmp/keep.out")" "0 0"
is_up keep
sweep --restore keep >/dev/null 2>&1
as_before keep "--restore"

# ---- Other ways to choose the next boot ----

for method in systemd-boot kexec; do
	new_host "$method"
	echo 'bad panics' >"$FAKE_HOSTS/$method/sick"
	sed 's/tries = 60/tries = 1/; s/boots = 3/boots = 1/' "$tmp/t.cfg" >"$tmp/m.cfg"
	sweep "${kernels[@]}" -k bad="$tmp/image" --method "$method" --remove -o "$tmp/$method" "$method" \
		"$tmp/m.cfg" >"$tmp/method.out" 2>&1
	equal "$method: exit" $? 1
	equal "$method: the boot files" "$(boot_files "$tmp/$method/$method")" \
		"./base/boot-001.jsonl ./new/boot-001.jsonl"
	equal "$method: what panics is named" "$(grep -c '^  bad boot 1: came back with' "$tmp/method.out")" 1
	as_before "$method" "$method"
done
rm "$FAKE_HOSTS/kexec/boot/esp/loader/loader.conf"
refuses "systemd-boot without a default is refused" 'systemd-boot has no default entry set' \
	sweep "${kernels[@]}" --method systemd-boot -o "$tmp/nodefault" kexec "$tmp/t.cfg"

sweep --dry-run "${kernels[@]}" -o "$tmp/dry" a "$tmp/t.cfg" >"$tmp/dry.out" 2>&1
equal "--dry-run tells the plan and makes nothing" \
	"$? $(grep -c '^order, seed' "$tmp/dry.out") $(ls "$tmp/dry" 2>/dev/null)" "0 1 "

for d in ${made[@]+"${made[@]}"}; do
	rmdir "$d" 2>/dev/null
done
