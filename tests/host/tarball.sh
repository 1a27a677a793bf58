#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tarball.sh: which tarballs scripts/lab/tarball takes for a Linux source, and the
# hostile ones that it refuses.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

tarball=$top/scripts/lab/tarball
export PTELAB_CACHE=$tmp/cache TMPDIR=$tmp
need_deps tarball lab
cd "$tmp" || exit 1
mkdir linux-6.12 linux-6.12/mm
printf '# SPDX-License-Identifier: GPL-2.0\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION =\n' > linux-6.12/Makefile
echo 'int gup;' > linux-6.12/mm/gup.c
ln -s ../Makefile linux-6.12/mm/up
ln -s ././gup.c linux-6.12/mm/gup-too.c
tar -cJf good.tar.xz linux-6.12
equal tarball-version "$("$tarball" good.tar.xz)" 6.12.117
tar -czf good.tar.gz linux-6.12
equal tarball-gz "$("$tarball" good.tar.gz)" 6.12.117

# pack NAME: what the folder has now; hostile names are made by tar's --transform
pack()
{
	local name=$1

	shift
	tar -cJPf "$name.tar.xz" "$@" linux-6.12
}
# no NAME PATTERN: the tarball is refused
no()
{
	refuses "tarball-$1" "^tarball: $1.tar.xz is not a Linux source to build: .*$2" "$tarball" "$1.tar.xz"
}
pack absolute --transform 's,^linux-6.12/mm/gup.c,/etc/gup.c,'
no absolute '"/etc/gup.c" would be outside of its folder'
pack dots --transform 's,^linux-6.12/mm/gup.c,linux-6.12/mm/../../../gup.c,'
no dots 'would be outside of its folder'
pack folders --transform 's,^linux-6.12/mm,other,'
no folders 'it has more than one folder: linux-6.12 and other'
ln -s /etc linux-6.12/mm/out
pack link-absolute
no link-absolute '"linux-6.12/mm/out" is a link to outside of its folder: /etc'
ln -sfn ../../other linux-6.12/mm/out
pack link-climbs
no link-climbs '"linux-6.12/mm/out" is a link to outside of its folder: ../../other'
# d is the folder itself, so that d/.. is outside of it
ln -s . linux-6.12/d
ln -sfn ../d/../other linux-6.12/mm/out
pack link-through-link
no link-through-link '"linux-6.12/mm/out" is a link to outside of its folder'
rm linux-6.12/mm/out
tar -cJPf file-through-link.tar.xz linux-6.12/Makefile linux-6.12/d --transform 's,^linux-6.12/mm/gup.c,linux-6.12/d/gup.c,' linux-6.12/mm/gup.c
no file-through-link 'goes through the link "linux-6.12/d"'
rm linux-6.12/d
ln linux-6.12/mm/gup.c linux-6.12/mm/hard.c
tar -cJPf hard.tar.xz --transform 's,^linux-6.12/mm/gup.c,../gup.c,H' linux-6.12
no hard 'would be outside of its folder'
rm linux-6.12/mm/hard.c
mkfifo linux-6.12/fifo
pack fifo
no fifo 'it has "linux-6.12/fifo", which is neither a file, a folder nor a link'
rm linux-6.12/fifo
mkdir no-linux && echo 'all:' > no-linux/Makefile
tar -cJf no-linux.tar.xz no-linux
no no-linux 'no Makefile with VERSION, PATCHLEVEL and SUBLEVEL in its folder'
echo garbage > garbage.tar.xz
no garbage 'tar can read nothing of it'
refuses tarball-missing 'no file nosuch.tar.xz' "$tarball" nosuch.tar.xz
refuses tarball-folder 'is a folder' "$tarball" linux-6.12

# The kernel script refuses it as well, before anything is unpacked.
tar -cJPf linux-6.12.117.tar.xz --transform 's,^linux-6.12/mm/gup.c,/etc/gup.c,' linux-6.12
printf -- '--- a/mm/gup.c\n+++ b/mm/gup.c\n@@ -1 +1 @@\n-int gup;\n+int pin;\n' > change.patch
if command -v aarch64-linux-gnu-gcc > /dev/null; then
	refuses kernel-hostile-tarball 'would be outside of its folder' \
		"$top/scripts/lab/kernel" --kernel linux-6.12.117.tar.xz --patch change.patch --check
else
	skip kernel-hostile-tarball "no aarch64-linux-gnu-gcc"
fi
