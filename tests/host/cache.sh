#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# cache.sh: a cache of kernels that many use at once. The kernels are played: a make
# that leaves the files of one, at the tester's word.
# shellcheck disable=SC2016
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

need_deps cache lab arm64
export PTELAB_CACHE=$tmp/cache PTELAB_TREES=$tmp/trees PTELAB_CPUS=3
unset SLURM_CPUS_PER_TASK
kernel=$top/scripts/lab/kernel
mkdir "$tmp/bin" "$tmp/played"

# Says that it compiles, waits until $tmp/played/go is there, and leaves a kernel.
cat > "$tmp/bin/make" <<END
#!/bin/bash
while [ \$# -gt 0 ]; do
	case \$1 in
	-C) tree=\$2; shift ;;
	-j*) jobs=\$1 ;;
	KCONFIG_ALLCONFIG=*) config=\${1#*=} ;;
	esac
	shift
	goal=\$1
	[ \$# -gt 1 ] || break
done
cd "\$tree" || exit 2
case \$goal in
allnoconfig) cp "\$config" .config ;;
Image)
	: > "$tmp/played/\$\$.\$(cat patched 2> /dev/null || echo base).\${jobs#-j}"
	until [ -e "$tmp/played/go" ]; do sleep 0.05; done
	mkdir -p arch/arm64/{boot,include} include/config scripts tools/include
	echo "\$\$" > arch/arm64/boot/Image
	echo 6.12.0 > include/config/kernel.release
	touch vmlinux System.map Module.symvers arch/arm64/Makefile ;;
esac
END
chmod +x "$tmp/bin/make"
export PATH=$tmp/bin:$PATH

git init -q "$tmp/linux"
printf 'VERSION = 6\nPATCHLEVEL = 12\n' > "$tmp/linux/Makefile"
git -C "$tmp/linux" add Makefile
git -C "$tmp/linux" -c user.name=t -c user.email=t@t commit -qm one
for n in 1 2; do
	printf -- '--- /dev/null\n+++ b/patched\n@@ -0,0 +1 @@\n+%s\n' "$n" > "$tmp/$n.patch"
done
build()
{
	"$kernel" --tree "$tmp/linux" --ref HEAD "$@"
}

# begun N: whether so many builds compile
begun()
{
	[ "$(find "$tmp/played" -type f ! -name go | wc -l)" -ge "$1" ]
}

: > "$tmp/played/go"
base=$(build 2> "$tmp/err") || { not_ok played-kernel "$(tail -n 1 "$tmp/err")"; exit 1; }
check base-is-there test -s "$base/Image"
check tree-is-of-this-machine test -d "$tmp/trees/trees/${base##*/}"
check cache-has-no-tree test ! -e "$tmp/cache/trees"
check cpus-as-told test -e "$tmp"/played/*.base.3
one=$(build --patch "$tmp/1.patch" --where)
two=$(build --patch "$tmp/2.patch" --where)

# Two kernels at once, and the second builder of one waits for the first
rm "$tmp"/played/*
build --patch "$tmp/1.patch" > "$tmp/out1" 2>&1 &
first=$!
check first-compiles await $first begun 1
build --patch "$tmp/2.patch" > "$tmp/out2" 2>&1 &
second=$!
check another-kernel-meanwhile await $second begun 2
build --patch "$tmp/1.patch" > "$tmp/out3" 2>&1 &
third=$!
waits()
{
	grep -q 'waiting for another kernel build' "$tmp/out3"
}
check same-kernel-waits await $third waits
: > "$tmp/played/go"
wait $first $second $third
equal both-are-there "$(tail -qn 1 "$tmp"/out[123])" "$one
$two
$one"
equal each-is-compiled-once "$(find "$tmp/played" -name '*.3' | wc -l)" 2
equal nothing-is-left "$(find "$tmp/trees/work" "$tmp/cache/kernels" -mindepth 1 -maxdepth 1 \
	! -path "$base" ! -path "$one" ! -path "$two")" ''

# Without a word about CPUs one kernel is built at a time.
rm -r "$tmp"/played/* "$tmp/out3" "$one" "$two"
env -u PTELAB_CPUS "$kernel" --tree "$tmp/linux" --ref HEAD --patch "$tmp/1.patch" > "$tmp/out1" 2>&1 &
first=$!
check alone-compiles await $first begun 1
env -u PTELAB_CPUS "$kernel" --tree "$tmp/linux" --ref HEAD --patch "$tmp/2.patch" > "$tmp/out3" 2>&1 &
second=$!
check other-kernel-waits await $second waits
: > "$tmp/played/go"
wait $first $second
check other-kernel-is-built test -s "$two/Image"

# A machine that has not the tree makes one, and the kernel that is there stays: a boot
# may run on it.
rm -r "$one"
before=$(stat -c %i "$base/Image")
PTELAB_TREES=$tmp/trees2 build --patch "$tmp/1.patch" > "$tmp/out" 2>&1
check second-machine test -s "$one/Image"
check second-machine-has-a-tree test -d "$tmp/trees2/trees/${base##*/}"
equal published-stays "$(stat -c %i "$base/Image")" "$before"

# One machine was faster while this one compiled.
rm -r "$one" "$tmp"/played/*
build --patch "$tmp/1.patch" > "$tmp/out1" 2>&1 &
first=$!
check slower-compiles await $first begun 1
mkdir "$one"
echo '{}' | tee "$one/manifest.json" > "$one/Image"
: > "$tmp/played/go"
wait $first
equal slower-is-content "$?.$(tail -n 1 "$tmp/out1")" "0.$one"
equal faster-stays "$(cat "$one/Image")" '{}'
rm -r "$one"

# What many kernels push out of the cache, and what not: neither the newest nor what
# somebody has used in the last day.
# shellcheck source=../../scripts/lab/lib.sh
. "$top/scripts/lab/lib.sh"
mkdir "$tmp/cache/pruned"
for n in 1 2 3; do
	mkdir "$tmp/cache/pruned/new$n" "$tmp/cache/pruned/old$n"
	touch -d "-$((24 * n + 1)) hours" "$tmp/cache/pruned/old$n"
done
prune pruned 4
equal prune "$(cd "$tmp/cache/pruned" && echo *)" 'new1 new2 new3 old1'
prune pruned 1
equal prune-keeps-what-is-used "$(cd "$tmp/cache/pruned" && echo *)" 'new1 new2 new3'

# Interrupted builds: those that run are not removed, of the others two are kept.
work=$tmp/trees/work
for n in 1 2 3 4 5; do
	mkdir "$work/build.$n"
	: > "$work/build.$n/ready"
	touch -d "-$n minutes" "$work/build.$n"
done
rm "$work/build.1/ready"
exec 5> "$tmp/trees/locks/kernel.5"
flock 5
build --patch "$tmp/1.patch" > "$tmp/out" 2>&1
equal interrupted-builds "$(cd "$work" && echo build.*)" 'build.2 build.3 build.5'
exec 5>&-

# A tree that somebody starts from is not removed.
for n in 1 2 3 4 5 6 7; do
	mkdir "$tmp/trees/trees/$n"
	touch -d "-$n minutes" "$tmp/trees/trees/$n"
done
exec 5> "$tmp/trees/locks/kernel.7"
flock 5
git -C "$tmp/linux" -c user.name=t -c user.email=t@t commit -q --allow-empty -m two
echo x > "$tmp/linux/x"
git -C "$tmp/linux" add x
git -C "$tmp/linux" -c user.name=t -c user.email=t@t commit -qm three
new=$(build 2> "$tmp/out")
equal trees "$(cd "$tmp/trees/trees" && echo [0-9])" '1 2 3 7'
check newest-tree test -d "$tmp/trees/trees/${new##*/}"

# A shared disk that is full: one line, and nothing half there.
if mkdir "$tmp/full" && mount -t tmpfs -o size=16k none "$tmp/full" 2> /dev/null; then
	trap 'umount "$tmp/full"; rm -rf "$tmp"' EXIT
	mkdir "$tmp/full/kernels"
	rm -r "$tmp/cache/kernels"
	ln -s "$tmp/full/kernels" "$tmp/cache/kernels"
	head -c 64k /dev/zero > "$tmp/full/x" 2> /dev/null
	build --patch "$tmp/2.patch" > "$tmp/out" 2>&1
	equal full-disk-exit $? 2
	check full-disk grep -q "^kernel: cannot write to .*/kernels: .*No space left on device" <(tail -n 1 "$tmp/out")
	equal full-disk-leaves-nothing "$(ls -A "$tmp/full/kernels")" ''
else
	skip full-disk "no tmpfs can be mounted here"
fi
