#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# reproduce.sh: the source that make reproduce takes, the sources that it refuses,
# and what it reports of a result on another one. No kernel is built: make ab is a
# stub that leaves a recorded result.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

if ! [ -x "$top/build/native/ptelab" ]; then
	skip reproduce "no build/native/ptelab: run make"
	exit 0
fi
need_deps reproduce lab
export PTELAB_CACHE=$tmp/cache TMPDIR=$tmp
unset SOURCE
tree=$tmp/tree
mkdir -p "$tree/scripts" "$tree/build/native" "$tree/runs" "$tmp/cache/source" "$tmp/in"
cp -r "$top/scripts/lab" "$top/scripts/reproduce" "$tree/scripts/"
ln -s "$top/build/native/ptelab" "$tree/build/native/"
reproduce=$tree/scripts/reproduce

# --- sources ---

cd "$tmp/in" || exit 1
mkdir linux-6.12 linux-6.12/mm no-linux
printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n' > linux-6.12/Makefile
echo 'int gup;' > linux-6.12/mm/gup.c
echo 'all:' > no-linux/Makefile
tar -cJf good.tar.xz linux-6.12
tar -czf good.tar.gz linux-6.12
tar -cJf newer.tar.xz linux-6.12/Makefile
tar -cJf no-linux.tar.xz no-linux
tar -cJPf hostile.tar.xz --transform 's,^linux-6.12/mm,/etc,' linux-6.12

# --- a result that was sent, and make ab again ---

# result DIR ID NAME: recorded boots, as a result on that source
result()
{
	mkdir -p "$1"
	cp -r "$top/tests/golden/runs/series-base" "$1/base"
	cp -r "$top/tests/golden/runs/series-patched" "$1/patched"
	xz -d "$1"/*/*.xz
	echo 'ptelab run -o -' > "$1/job"
	cat > "$1/manifest.json" << END
{
"schema": "ptelab.ab/1",
"hash": "0123456789abcdef",
"settings": "${4:-}SERIES='null' SEEDS='1 2 3'",
"job_sha256": "$(sha256sum < "$1/job" | cut -d' ' -f1)",
"base": {
  "source": "$3",
  "source_id": "$2",
  "config": "small"
}
}
END
}
sha=$(sha256sum < good.tar.xz | cut -d' ' -f1)
name=linux-source-6.12_6.12.117-1
result "$tmp/sent" "sha256:$sha" "$name"
result "$tmp/now" "sha256:$sha" "$name"
# Says what it was called with, and leaves what is in $tmp/now.
cat > "$tree/scripts/ab" << END
#!/bin/sh
printf '%s\n' "\$@" > "$tmp/called"
rm -rf "$tree/runs/reproduce-0123456789abcdef"
cp -r "$tmp/now" "$tree/runs/reproduce-0123456789abcdef"
END
chmod +x "$tree/scripts/ab"

# again SOURCE: the exit status, and what it said in $tmp/said
again()
{
	local status=0

	rm -f "$tmp/called"
	SOURCE=$1 "$reproduce" 0123456789abcdef "${2:-$tmp/sent}" > "$tmp/said" 2> "$tmp/err" || status=$?
	echo "$status $(tail -n 1 "$tmp/said")"
}
# refused NAME PATTERN SOURCE [DIR]
refused()
{
	rm -f "$tmp/called"
	refuses "source-$1" "$2" env SOURCE="$3" "$reproduce" 0123456789abcdef "${4:-$tmp/sent}"
	check "source-$1-runs-nothing" test ! -e "$tmp/called"
}
refused missing 'no file nosuch.tar.xz' nosuch.tar.xz
refused neither "SOURCE 'nosuch' is neither a file nor a TREE@TAG" nosuch
refused no-linux 'no-linux.tar.xz is not a Linux source' no-linux.tar.xz
refused hostile 'hostile.tar.xz is not a Linux source' hostile.tar.xz
refused other-sha256 "good.tar.gz is Linux 6.12.117, sha256 [0-9a-f]{64}; the result needs $name, sha256 $sha" good.tar.gz
refused no-tree 'SOURCE: nosuch is not a git tree' nosuch@v6.12

identical=$(cat "$tmp"/sent/*/*.jsonl | grep -c '"type":"point"')
equal source-given "$(again good.tar.xz)" "0 identical: $identical points in 6 exact boots, every character"
check source-is-named grep -qx "it needs $name, sha256 $sha" "$tmp/said"
equal source-is-kept "$(cat "$tmp/cache/source/$name.tar.xz.sha256")" "$sha"
check source-is-used grep -qx "KERNEL=$tmp/cache/source/$name.tar.xz" "$tmp/called"
check source-kept-whole cmp good.tar.xz "$tmp/cache/source/$name.tar.xz"
# Next time from the cache, whatever newer there is
newer=$tmp/cache/source/linux-source-6.12_6.12.118-1.tar.xz
cp newer.tar.xz "$newer"
sha256sum < newer.tar.xz | cut -d' ' -f1 > "$newer.sha256"
again '' > "$tmp/out"
check source-from-the-cache grep -qx "KERNEL=$tmp/cache/source/$name.tar.xz" "$tmp/called"
check source-from-the-cache-is-the-one sh -c "! grep -q 'another source' '$tmp/said'"

# The job of a sender may have the devices that any job may have.
job_again()
{
	cp -r "$tmp/sent" "$tmp/devices"
	printf '# qemu: -M iommu=smmuv3 -smp 4\n# qemu: -device edu,addr=0x3\n# cmdline: nokaslr\n# config: small\nptelab run -o -\n' > "$tmp/devices/job"
	sed -i "s/\(\"job_sha256\": \"\)[0-9a-f]*/\1$(sha256sum < "$tmp/devices/job" | cut -d' ' -f1)/" "$tmp/devices/manifest.json"
	again '' "$tmp/devices"
}
equal devices-need-no-trust "$(job_again | cut -d: -f1)" "0 identical"

# --- another source ---

# Debian has another version by now, and this one's tarball is nowhere.
mkdir "$tmp/bin"
printf '#!/bin/sh\ncase "$*" in *indextargets*) echo http://localhost/debian bookworm ;; esac\n' > "$tmp/bin/apt-get"
printf '#!/bin/sh\ncase "$*" in *pkgnames*) echo linux-source-6.12 ;; *madison*) echo "linux-source-6.12 | 6.12.118-1 | x" ;; esac\n' > "$tmp/bin/apt-cache"
chmod +x "$tmp/bin"/*
rm "$tmp/cache/source/$name".*
equal gone-same-figures "$(PATH=$tmp/bin:$PATH again '' | cut -d' ' -f1,2)" '0 0'
check gone-is-told grep -qx "it runs on another source: linux-source-6.12_6.12.118-1, sha256 $(cat "$newer.sha256")" "$tmp/said"
check gone-runs-on-the-other grep -qx "KERNEL=$newer" "$tmp/called"
rm "$tmp/cache/source"/*
printf '#!/bin/sh\n' > "$tmp/bin/apt-cache"
PATH=$tmp/bin:$PATH refused gone-for-good "the result needs $name, sha256 $sha, which SOURCE=FILE gives: " ''

if command -v git > /dev/null; then
	git=(git -C linux-6.12 -c user.name=x -c user.email=x@localhost)
	git init -q linux-6.12
	"${git[@]}" add -A
	"${git[@]}" commit -q -m x
	"${git[@]}" tag v6.12.118
	tree_id=$("${git[@]}" rev-parse 'HEAD^{tree}')
	refused no-tag "SOURCE: no 'v6.12.119' in linux-6.12" linux-6.12@v6.12.119
	equal tag-same-figures "$(again linux-6.12@v6.12.118 | cut -d' ' -f1,2)" '0 0'
	check tag-is-another-source grep -q "^it runs on another source: linux-6.12 v6.12.118 ([0-9a-f]*), git tree $tree_id$" "$tmp/said"
	check tag-is-used sh -c "grep -qx TREE=linux-6.12 '$tmp/called' && grep -qx BASE=v6.12.118 '$tmp/called' && grep -qx KERNEL= '$tmp/called'"
	# The tree of the result itself, by whatever tag
	result "$tmp/of-tree" "git:$tree_id" "linux v6.12 (0123456789ab)" "TREE='/nosuch' BASE='v6.12' "
	again linux-6.12@HEAD "$tmp/of-tree" > "$tmp/out"
	equal tag-of-the-result "$(cut -d: -f1 "$tmp/out")" '0 identical'
	refused tree-of-the-sender "has TREE='/nosuch', which would run on this machine" '' "$tmp/of-tree"

	# edit FILE SED: a boot file with other figures, whose checksum is right
	edit()
	{
		sed -i "$2" "$1"
		head -n -1 "$1" > "$tmp/body"
		sed -i "\$s/sha256:[0-9a-f]*/sha256:$(sha256sum < "$tmp/body" | cut -d' ' -f1)/" "$1"
	}
	# One fault more on both kernels; one pin more on the patched one alone
	twice='s/"faults.minor":{"per_op":1,"total":272,/"faults.minor":{"per_op":2,"total":544,/'
	pins='s/"pages_pinned":{"per_op":0,"total":0,"operations":272/"pages_pinned":{"per_op":1,"total":272,"operations":272/'
	for f in "$tmp"/now/*/*.jsonl; do
		edit "$f" "/\"bench\":\"fault.wp_reuse\"/$twice"
	done
	for f in "$tmp"/now/patched/*.jsonl; do
		edit "$f" "/\"bench\":\"fault.wp_reuse\"/$pins"
	done
	equal other-figures "$(again linux-6.12@v6.12.118 | sed 's/ of [0-9]* figures/ of N figures/')" \
		"1 2 of N figures differ from the result; in 1 of them the difference of the two kernels does"
	equal other-figures-told "$(grep '^differs: ' "$tmp/said" | sed 's/ [a-z]*=[a-z0-9]*//g')" \
		"differs: fault.wp_reuse: pages_pinned: 0 -> 0 then, 0 -> 1 now
differs: fault.wp_reuse: faults.minor: 1 -> 1 then, 2 -> 2 now"
	# The same source again, which must be identical to the last character
	equal same-source-differs "$(again good.tar.xz | cut -d: -f1)" '1 not identical'
else
	skip source-tag "no git"
fi
