#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The program on this machine: what it says to bad input, and that it leaves
# nothing behind, whatever ends it.
# run: here
set -uo pipefail
# bash tells of each job that a signal ended; that is what these tests do
. "$(dirname "$0")/../lib.sh"
cd "$top" || exit 1
ptelab=$top/build/native/ptelab
thp=/sys/kernel/mm/transparent_hugepage

settings()
{
	cat $thp/enabled $thp/defrag $thp/shmem_enabled \
		$thp/hugepages-*/enabled $thp/hugepages-*/shmem_enabled \
		$thp/khugepaged/defrag 2>/dev/null
}

# --- usage ---

check "help" "$ptelab" --help
check "version" "$ptelab" --version
for c in $("$ptelab" --help | sed -n '/^Examples/q; s/^  \([a-z]*\) .*/\1/p'); do
	check "help of $c" "$ptelab" "$c" --help
	if "$ptelab" "$c" --help | grep -q "ptelab $c"; then
		ok "help of $c has an example"
	else
		not_ok "help of $c has an example" "no line names 'ptelab $c'"
	fi
done
equal "what scripts call stands apart" "$("$ptelab" --help | sed -n '/^For scripts/,/^For details/s/^  \([a-z]*\) .*/\1/p' | xargs)" 'cell merge'
refuses "diff is compare" "two runs are needed" "$ptelab" diff
refuses "unknown command" "did you mean list\\?" "$ptelab" lits
refuses "unknown option" "unrecognized option '--nonesuch'" "$ptelab" show --nonesuch x
refuses "an argument too many" "takes no arguments, not 'x'" "$ptelab" doctor x
refuses "a run missing" "RUN is missing" "$ptelab" show
refuses "unknown benchmark" "did you mean gup.pin_fast\\?" \
	"$ptelab" run -b gup.pin_fats -o -
refuses "unknown parameter" "did you mean folio\\?" \
	"$ptelab" run -b fault.anon_write -p foli=4k -o -
refuses "unknown parameter, like no other" "no parameter 'nosuch'; see ptelab list" \
	"$ptelab" run -b fault.cow -p nosuch=1 -o -
refuses "nothing to measure" "nothing could be measured here: needs bar=" \
	"$ptelab" run -q -b mmio.store -o "$tmp/nothing-measured"
check "nothing to measure: show says so" bash -c \
	"$ptelab show $tmp/nothing-measured | tr -d '\n' | grep -q 'but *NOTHING WAS MEASURED'"
refuses "value out of range" "it takes 1 to" \
	"$ptelab" run -b gup.futex:threads=0 -o -
refuses "no such CPU" "may not run there" \
	"$ptelab" run --cpu 4095 -b harness.empty -o -
refuses "output folder can't be made" "Not a directory|can't make" \
	"$ptelab" run -b harness.empty -o /dev/null/x
refuses "output exists" "never overwritten" \
	bash -c "touch $tmp/x.jsonl && $ptelab run -b harness.empty -o $tmp/x.jsonl"
refuses "show: nothing there" "No such file" "$ptelab" show "$tmp/nothing"
refuses "show: empty file" "empty" "$ptelab" show "$tmp/x.jsonl"
refuses "show: foreign file" "not a run file" "$ptelab" show /etc/passwd
refuses "compare: nothing there" "No such file" \
	"$ptelab" compare "$tmp/nothing" "$tmp/nothing"

# --- list and doctor ---

check "list as JSON" bash -c "$ptelab list --json | jq -e 'length > 10' "
check "every benchmark says how it may lie" bash -c \
	"$ptelab list --json | jq -e 'all(.[]; .may_lie | length > 10)'"
check "doctor as JSON" bash -c "$ptelab doctor --json | jq -e 'length > 5'"
check "list: a line for each benchmark" bash -c \
	"[ \$($ptelab list | grep -c '^[a-z]*\.') = \$($ptelab list --json | jq length) ]"
check "list: at most 79 columns" bash -c "! $ptelab list | grep -E '.{80}'"
check "list: in full by name" bash -c "$ptelab list fault.cow | grep -q 'may lie'"
check "list: in full with -v" bash -c "[ \$($ptelab list -v | grep -c 'may lie') -gt 10 ]"
check "doctor: says if breakpoints fire, and if modules load" bash -c \
	"$ptelab doctor --json | jq -e 'map(.what) | contains([\"breakpoints\", \"module\"])'"
check "doctor: -q leaves noise and what is missing" bash -c \
	"! $ptelab doctor -q | grep -E '^(ok|note) '"
before=$(settings)
"$ptelab" doctor > /dev/null
equal "doctor changes nothing" "$(settings)" "$before"
check "output may be cut by its reader" bash -c \
	"set -o pipefail; $ptelab list | head -n 1"

# --- a run, and what may end it ---

# Points that change settings, where there are some; in any case three.
no_folios=$("$ptelab" run --dry-run -b fault.anon_write | sed -n 's/.*unavailable: //p')
if [ -z "$no_folios" ]; then
	three=(-b fault.anon_write -p "folio=4k,64k,2m")
	long=(-b 'fault.*' -p "folio=4k,64k,2m" --batches 200)
	endless=(-b 'fault.*' -p "folio=64k,2m" --batches 100000)
else
	three=(-b barrier.cost -p "stores=1,2,4")
	long=(-b barrier.cost -p "stores=1,2,3,4,5,6,7,8" --batches 2000)
	endless=(-b barrier.cost --batches 1000000)
	skip "settings are put back" "$no_folios"
fi
before=$(settings)
if "$ptelab" run -q "${three[@]}" --batches 5 \
		-o "$tmp/run" > "$tmp/path"; then
	ok "run"
	equal "run prints its file" "$(cat "$tmp/path")" "$tmp/run/boot-001.jsonl"
	check "run: every point is proved or can't be had" jq -es \
		'map(select(.type == "point")) | length == 4 and
		 (map(select(.status == "ok")) | length >= 2) and
		 all(.[]; .status == "ok" or .status == "unavailable")' \
		"$tmp/run/boot-001.jsonl"
	check "run: it ends with a footer" jq -es \
		'.[-1].type == "footer" and .[-1].records == 4' \
		"$tmp/run/boot-001.jsonl"
	equal "run: checksum as described" \
		"sha256:$(head -n -1 "$tmp/run/boot-001.jsonl" | sha256sum | cut -d' ' -f1)" \
		"$(tail -n 1 "$tmp/run/boot-001.jsonl" | jq -r .checksum)"
	check "show reads it" "$ptelab" show "$tmp/run"
else
	not_ok "run" "exit status $?"
fi
equal "run puts settings back" "$(settings)" "$before"

# What it says at the end
if "$ptelab" run "${three[@]}" --batches 5 -o "$tmp/said.jsonl" > "$tmp/path" 2> "$tmp/said"; then
	check "run: ends with figures, in at most ten lines" test "$(wc -l < "$tmp/said")" -le 10
	check "run: each has its metric" grep -qE '^  .* (ns|cycles|instructions[a-z_]*)  ' "$tmp/said"
	check "run: and with the next command" \
		grep -qxF "next: ptelab show $tmp/said.jsonl; or ptelab compare $tmp/said.jsonl OTHER" <(tail -n 1 "$tmp/said")
	equal "run: figures are not on standard output" "$(cat "$tmp/path")" "$tmp/said.jsonl"
	"$ptelab" run -q "${three[@]}" --batches 5 -o - > "$tmp/records" 2> "$tmp/said"
	equal "run -q: says nothing" "$(cat "$tmp/said")" ""
	check "run -o -: nothing but records" jq -es 'all(.[]; .type)' "$tmp/records"
else
	not_ok "run: figures" "exit status $?: $(tail -n 1 "$tmp/said")"
fi

has_lines()
{
	[ -f "$1" ] && [ "$(wc -l < "$1")" -ge "$2" ]
}

for sig in INT TERM HUP; do
	# background jobs of a shell without job control ignore SIGINT
	env --default-signal=INT "$ptelab" run -q "${long[@]}" \
		-o "$tmp/$sig" > /dev/null 2> "$tmp/$sig.err" &
	pid=$!
	await $pid has_lines "$tmp/$sig/boot-001.jsonl" 3
	kill -$sig $pid
	wait $pid
	equal "SIG$sig: dies by it" "$?" "$((128 + $(kill -l $sig)))"
	equal "SIG$sig: settings are put back" "$(settings)" "$before"
	check "SIG$sig: says that the points are kept" \
		grep -q "stopped by SIG$sig; kept" "$tmp/$sig.err"
	"$ptelab" show "$tmp/$sig" > "$tmp/$sig.show" 2>&1
	check "SIG$sig: the file is read as incomplete" \
		grep -q "cut short" "$tmp/$sig.show"
done

# As under nohup
(trap '' HUP; exec "$ptelab" run -q "${long[@]}" -o "$tmp/nohup" > /dev/null 2> "$tmp/nohup.err") &
pid=$!
await $pid has_lines "$tmp/nohup/boot-001.jsonl" 3
kill -HUP $pid
wait $pid
equal "nohup: the end of a session does not end a run" "$(tail -n 1 "$tmp/nohup/boot-001.jsonl" | jq -r .type)" footer

"$ptelab" run -q "${endless[@]}" \
	-o "$tmp/kill" > /dev/null 2>&1 &
pid=$!
changed()
{
	[ -s "$tmp/kill/boot-001.jsonl" ] &&
		{ [ -n "$no_folios" ] || [ "$(settings)" != "$before" ]; }
}
await $pid changed
refuses "cell --restore does not wait" "another ptelab, process $pid, is measuring" \
	"$ptelab" cell --restore
"$ptelab" run -b harness.empty -o "$tmp/second" > /dev/null 2> "$tmp/second.err" &
second=$!
await $second grep -q "waiting until another ptelab, process $pid, " "$tmp/second.err"
check "a second run waits its turn, and says so" kill -0 $second
kill -KILL $pid
wait $pid 2>/dev/null
wait $second
equal "a second run waits its turn, then measures" "$?" 0
if [ -n "$no_folios" ]; then
	:
else
	equal "SIGKILL: the next start puts settings back" "$(settings)" "$before"
	check "SIGKILL: and says so" grep -q "put back" "$tmp/second.err"
fi
"$ptelab" show "$tmp/kill" > "$tmp/kill.show" 2>&1
check "SIGKILL: the file is read as incomplete" grep -q "cut short" "$tmp/kill.show"

# --- tuned, and put back ---

knobs()
{
	cat /proc/sys/kernel/{watchdog,timer_migration,numa_balancing} /proc/sys/vm/compaction_proactiveness \
		/sys/kernel/mm/ksm/run $thp/khugepaged/defrag 2>/dev/null
}
knobs_before=$(knobs)
# doctor names each with what it does and how to change it
check "doctor: noise has a command and says what it does" bash -c \
	"$ptelab doctor --json | jq -e '[.[] | select(.state == \"noise\" and .what != \"machine\")] | all((.fix | length > 5) and (.text | length > 30))'"
"$ptelab" run -q --tune -b 'fault.*' -p folio=4k --batches 100000 -o "$tmp/tune" > /dev/null 2> "$tmp/tune.err" &
pid=$!
await $pid test -s "$tmp/tune/boot-001.jsonl"
if [ ! -s "$tmp/tune/boot-001.jsonl" ]; then
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	skip "--tune" "nothing can be set here: $(tail -n 1 "$tmp/tune.err")"
elif [ "$(knobs)" = "$knobs_before" ]; then
	kill -KILL $pid
	wait $pid 2>/dev/null
	skip "--tune" "no setting here makes noise, or none may be changed"
else
	ok "--tune: settings are changed while it runs"
	check "--tune: the header says so" bash -c \
		"head -n 1 $tmp/tune/boot-001.jsonl | jq -e '.environment | .watchdog // \"0\" | . == \"0\"'"
	kill -KILL $pid
	wait $pid 2>/dev/null
	"$ptelab" run -q -b harness.empty -o "$tmp/tune-after" > /dev/null 2>&1
	equal "--tune: SIGKILL: the next start puts settings back" "$(knobs)" "$knobs_before"
	"$ptelab" run -q --tune -b harness.empty -o "$tmp/tune-whole" > /dev/null 2>&1
	equal "--tune: put back at the end" "$(knobs)" "$knobs_before"
fi

# --- no room ---

mkdir "$tmp/small"
if mount -t tmpfs -o size=32k tmpfs "$tmp/small" 2>/dev/null; then
	refuses "full disk" "No space left on device; free some space" \
		bash -c "$ptelab run -q -b 'fault.anon_write:folio=4k,64k:threads=1,2' \
			-b gup.futex:folio=4k,16k,32k,64k,128k,256k,512k,1m,2m \
			-b gup.remote:folio=4k,16k,32k,64k,128k,256k,512k,1m,2m \
			-b gup.vmsplice:folio=4k,16k,32k,64k,128k,256k,512k,1m,2m \
			--batches 60 -o $tmp/small/run > /dev/null"
	"$ptelab" show "$tmp/small/run" > "$tmp/small.show" 2>&1
	check "full disk: what was written is read" \
		grep -q INCOMPLETE "$tmp/small.show"
	umount "$tmp/small"
else
	skip "full disk" "needs root to mount a tmpfs"
fi

# --- not root ---

# shellcheck disable=SC2086
if [ "$(id -u)" -eq 0 ]; then
	cp "$ptelab" "$tmp/ptelab" && chmod 755 "$tmp" "$tmp/ptelab"
	install -d -o nobody "$tmp/nobody"
	as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups env \
		XDG_RUNTIME_DIR=$tmp/nobody $tmp/ptelab"
	check "not root: list" $as_nobody list
	check "not root: doctor" $as_nobody doctor
	check "not root: doctor says so" bash -c \
		"$as_nobody doctor | grep -q 'missing *root'"
	check "not root: the reason is recorded" bash -c \
		"$as_nobody run -q -b fault.anon_write -b harness.empty -o $tmp/nobody/r.jsonl; \
		 jq -es 'any(.[]; .status == \"unavailable\" and (.reason | test(\"root\")))' $tmp/nobody/r.jsonl"
	refuses "not root: unwritable output" "Permission denied|can't make" \
		$as_nobody run -q -b harness.empty -o /root/ptelab-test
	# What may not be changed is not noted, or the next run would try to restore it.
	$as_nobody run -q --tune -b harness.empty -o "$tmp/nobody/t.jsonl" > /dev/null 2>&1
	equal "not root: --tune leaves nothing to undo" "$(cat "$tmp/nobody/ptelab/journal")" ""
	check "not root: nor keeps the next run from measuring" \
		$as_nobody run -q -b harness.empty -o "$tmp/nobody/u.jsonl"
	# A folder that somebody else could have filled
	install -d -o daemon "$tmp/daemon"
	install -d -m 777 -o nobody "$tmp/nobody/open/ptelab"
	refuses "not root: others may write to the journal's folder" "others may write to .*/open/ptelab" \
		env XDG_RUNTIME_DIR="$tmp/nobody/open" setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$tmp/ptelab" run -q -b harness.empty -o "$tmp/nobody/v.jsonl"
	check "not root: of another user's folder nothing is used" \
		env XDG_RUNTIME_DIR="$tmp/daemon" HOME="$tmp/nobody" setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$tmp/ptelab" run -q -b harness.empty -o "$tmp/nobody/w.jsonl"
	check "not root: but its own" test -e "$tmp/nobody/.cache/ptelab/run-$(cat /proc/sys/kernel/random/boot_id)/lock"
fi

# --- packaging ---

check "install" make -s install DESTDIR="$tmp/dest" PREFIX=/usr
for f in bin/ptelab bin/ptelab-sweep share/man/man1/ptelab.1 \
	 share/man/man1/ptelab-run.1 share/man/man7/ptelab-benchmarks.7 share/ptelab/sweep-host share/ptelab/sweeps/quick.cfg \
	 share/bash-completion/completions/ptelab share/zsh/site-functions/_ptelab \
	 share/fish/vendor_completions.d/ptelab.fish; do
	check "installed $f" test -s "$tmp/dest/usr/$f"
done
for f in docs/man/*; do
	equal "${f##*/} has no warnings" "$(man --warnings -l "$f" 2>&1 > /dev/null)" ""
done
equal "ptelab-sweep finds its parts where they are installed" \
	"$("$tmp/dest/usr/bin/ptelab-sweep" --dry-run -k a=1 -k b=2 somewhere quick | grep -c '^order')" 1
check "the program is static" bash -c \
	"! ldd $ptelab > /dev/null 2>&1"
touch "$tmp/dest/usr/bin/of-others"
check "uninstall" make -s uninstall DESTDIR="$tmp/dest" PREFIX=/usr
equal "uninstall: leaves nothing but what others put there" \
	"$(cd "$tmp/dest" && find . -type f)" ./usr/bin/of-others

# --- completion ---

words=$(bash -c ". cli/ptelab.bash; COMP_WORDS=($ptelab run -b ''); COMP_CWORD=3; _ptelab; echo \${COMPREPLY[*]}")
check "completion knows the benchmarks" grep -q gup.pin_fast <<< "$words"
# completes LINE WORD...: what bash offers for LINE, which it splits into WORDs
completes()
{
	bash -c '. cli/ptelab.bash; COMP_LINE=$0 COMP_POINT=${#0} COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _ptelab
		printf "%s\n" "${COMPREPLY[@]}"' "$@"
}
equal "bash: parameters of a benchmark" "$(completes "$ptelab run -b gup.futex:rac" "$ptelab" run -b gup.futex : rac | sort -u)" \
	"$("$ptelab" list --params gup.futex | grep ^rac | sort -u)"
equal "bash: values" "$(completes "$ptelab run -b gup.futex:racer=fork,m" "$ptelab" run -b gup.futex : racer = fork,m)" fork,mprotect
equal "bash: values of any benchmark" "$(completes "$ptelab run -p racer=m" "$ptelab" run -p racer = m)" mprotect
equal "bash: metrics" "$(completes "$ptelab compare -m lockless_ga" "$ptelab" compare -m lockless_ga)" lockless_gathers
if command -v fish > /dev/null; then
	# fish asks the ptelab on the PATH
	offered()
	{
		PATH=${ptelab%/*}:$PATH HOME=$tmp fish -c "source cli/ptelab.fish; complete -C \"$1\"" | cut -f1
	}
	equal "fish: commands" "$(offered "ptelab sho")" show
	equal "fish: values" "$(offered "ptelab run -b gup.futex:racer=m")" gup.futex:racer=mprotect
	equal "fish: metrics" "$(offered "ptelab compare -m lockless_ga")" lockless_gathers
else
	skip "fish" "no fish"
fi
if command -v zsh > /dev/null; then
	check "zsh: it can be read" zsh -n cli/ptelab.zsh
else
	skip "zsh" "no zsh"
fi
