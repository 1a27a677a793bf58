#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# mbox.sh: the patches that scripts/lab/mbox takes from mails, and those that it
# refuses. Without kernels.
set -u
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

mbox=$top/scripts/lab/mbox
if ! command -v git > /dev/null; then
	skip mbox "no git"
	exit 0
fi
export TMPDIR=$tmp/tmp
mkdir "$TMPDIR"
base_commit=0123456789abcdef0123456789abcdef01234567

# mail ID PARENT SUBJECT [ENCODING] < BODY: as a thread of lore has it
mail()
{
	local id=$1 parent=$2 subject=$3

	shift 3
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\n'
	printf 'From: =?UTF-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@example.org>\n'
	printf 'Message-ID: <%s@example.org>\n' "$id"
	[ -z "$parent" ] || printf 'In-Reply-To: <%s@example.org>\n' "$parent"
	printf 'Subject: %s\n' "$subject"
	[ $# -eq 0 ] || printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: %s\n' "$1"
	printf '\n'
	cat
	printf '\n'
}
# diff_of LINE TEXT: a patch that changes one line of mm/a.c
diff_of()
{
	cat << END
Why this is done.

Signed-off-by: A <a@example.org>
---
 mm/a.c | 2 +-

diff --git a/mm/a.c b/mm/a.c
--- a/mm/a.c
+++ b/mm/a.c
@@ -$1,1 +$1,1 @@
-line $1
+$2
-- 
2.39.5

END
}

# quoted: as quoted-printable
quoted()
{
	sed 's/=/=3D/g; s/ä/=C3=A4/g; s/^\(.\{3\}\)\(..*\)$/\1=\n\2/; s/ $/=20/'
}

cover()
{
	printf 'What the series is for.\n\n  --- a/mm/a.c\n\nbase-commit: %s\nprerequisite-patch-id: %s\n' "$base_commit" "$base_commit"
}

# v1: in the order in which lists deliver, the cover letter not first
{
	diff_of 2 'zwei = ä' | quoted | mail p2 cover '[PATCH mm-unstable 2/4] mm: second' quoted-printable
	cover | mail cover '' '[PATCH mm-unstable 0/4] =?UTF-8?q?mm:_f=C3=BCnf?= and more'
	diff_of 3 drei | mail p3 cover '[PATCH mm-unstable 3/4] mm: third, whose subject
 is folded'
	{ echo 'On that day somebody wrote:'; diff_of 1 nein | sed 's/^/> /'; } |
		mail r1 p1 'Re: [PATCH mm-unstable 1/4] mm: first'
	{ echo 'How about this instead?'; diff_of 1 nein; } |
		mail r2 r1 'Re: [PATCH mm-unstable 1/4] mm: first'
	diff_of 4 vier | base64 | mail p4 cover '[PATCH mm-unstable 4/4] mm: fourth' base64
	# Escaped as mboxrd has it, and with an author other than the sender
	{ printf 'From: Zoë Other <zoe@example.org>\n\n>From the start:\n'; diff_of 1 eins; } |
		mail p1 cover '[PATCH mm-unstable 1/4] mm: first'
} > "$tmp/v1.mbox"

# v2, an answer to v1's cover letter: two patches
{
	echo 'Changes since v1: fewer.' | mail w0 cover '[PATCH v2 0/2] mm: six'
	diff_of 5 fünf | mail w1 w0 '[PATCH v2 1/2] mm: fifth'
	diff_of 6 sechs | mail w2 w0 '[PATCH v2 2/2] mm: sixth'
} > "$tmp/v2.mbox"
cat "$tmp/v1.mbox" "$tmp/v2.mbox" > "$tmp/both.mbox"

# lines_with DIR: mm/a.c with the patches in DIR
lines_with()
{
	local p

	rm -rf "$tmp/tree"
	mkdir -p "$tmp/tree/mm"
	printf 'line %s\n' 1 2 3 4 5 6 > "$tmp/tree/mm/a.c"
	for p in "$1"/*.patch; do
		patch -d "$tmp/tree" -s -p1 < "$p" || return
	done
	paste -sd, "$tmp/tree/mm/a.c"
}

# takes NAME WANT ARG...: what mm/a.c is with the patches from these mails
takes()
{
	local name=$1 want=$2

	shift 2
	if "$mbox" "$@" "$tmp/out-$name" > "$tmp/said" 2> "$tmp/err"; then
		equal "$name" "$(lines_with "$tmp/out-$name" 2>&1)" "$want"
	else
		not_ok "$name" "$(tail -n 1 "$tmp/err")"
	fi
}

# no NAME PATTERN ARG...: refused in one line, and nothing is left
no()
{
	refuses "$1" "$2" "$mbox" "${@:3}" "$tmp/no"
	check "$1-leaves-nothing" test ! -e "$tmp/no"
}

all='eins,zwei = ä,drei,vier,line 5,line 6'
second='line 1,line 2,line 3,line 4,fünf,sechs'

takes thread "$all" "$tmp/v1.mbox"
equal thread-files "$(cd "$tmp/out-thread" && echo *)" '0001.patch 0002.patch 0003.patch 0004.patch about'
equal thread-about "$(cat "$tmp/out-thread/about")" "title: mm: fünf and more
from: Jürgen Müller <jm@example.org>
version: v1
name: mm-f-nf-and-more
message-id: <cover@example.org>
base-commit: $base_commit
prerequisites: $base_commit"
equal thread-author "$(sed -n 's/^From: //p' "$tmp/out-thread/0001.patch")" 'Zoë Other <zoe@example.org>'
equal thread-title "$(sed -n 's/^Subject: //p' "$tmp/out-thread/0003.patch")" 'mm: third, whose subject is folded'
equal thread-tells "$(cat "$tmp/said" "$tmp/err")" '"v1 mm: fünf and more" by Jürgen Müller <jm@example.org>: 4 of 7 mails are its patches'
# What patch(1) could take for a diff or an ed script
check diff-alone test -z "$(grep -l 'Why this is done' "$tmp/out-thread"/*)"

# The same, however it comes
gzip -k "$tmp/v1.mbox"
takes gzip "$all" "$tmp/v1.mbox.gz"
takes stdin "$all" - < "$tmp/v1.mbox"
sed 's/$/\r/' "$tmp/v1.mbox" > "$tmp/crlf.mbox"
takes crlf "$all" "$tmp/crlf.mbox"
mkdir -p "$tmp/maildir/"{cur,new,tmp}
git mailsplit -d3 -o"$tmp/maildir/cur" "$tmp/v1.mbox" > /dev/null
mv "$tmp/maildir/cur/001" "$tmp/maildir/new/-x 1"
takes maildir "$all" "$tmp/maildir"
# From two lists
cat "$tmp/v1.mbox" "$tmp/v1.mbox" > "$tmp/twice.mbox"
takes twice "$all" "$tmp/twice.mbox"
# Plain diffs go by the names of their files; what is no patch is not taken.
mkdir "$tmp/folder"
diff_of 1 eins | sed '1,/^---$/d' > "$tmp/folder/2 b.patch"
diff_of 2 zwei > "$tmp/folder/10.patch"
echo 'Nothing of interest' > "$tmp/folder/README"
takes folder 'eins,zwei,line 3,line 4,line 5,line 6' "$tmp/folder"
equal folder-title "$(sed -n 's/^title: //p' "$tmp/out-folder/about")" folder
# What git itself writes: without Message-ID, the parts of one mail without numbers
(
	mkdir -p "$tmp/git/mm" && cd "$tmp/git" && git init -q . &&
		git config user.name 'Jürgen Müller' && git config user.email jm@example.org || exit
	printf 'line %s\n' 1 2 3 4 5 6 > mm/a.c && git add mm && git commit -qm base
	for i in 1 2; do
		sed -i "s/line $i/git $i/" mm/a.c && git commit -qam "[x] mm: step $i"
	done
	git format-patch -q --stdout -k HEAD~2 > "$tmp/plain.mbox"
	git format-patch -q --stdout HEAD~2 > "$tmp/numbered.mbox"
	git format-patch -q -o "$tmp/formatted" -N HEAD~2
)
for how in plain.mbox numbered.mbox formatted; do
	takes "git-$how" 'git 1,git 2,line 3,line 4,line 5,line 6' "$tmp/$how"
done

# Several versions, or series: which?
no versions "both.mbox has several series: \"v1 mm: fünf and more\" \(4 patches\), \"v2 mm: six\" \(2 patches\); .*WHICH=v2" "$tmp/both.mbox"
takes version-1 "$all" --which v1 "$tmp/both.mbox"
takes version-2 "$second" --which v2 "$tmp/both.mbox"
takes by-id "$second" --which '<w0@example.org>' "$tmp/both.mbox"
takes by-title "$second" --which 'mm: si' "$tmp/both.mbox"
no no-such-version "no series 'v3'; there are: \"v1" --which v3 "$tmp/both.mbox"
no both-by-title 'several series' --which mm: "$tmp/both.mbox"
# Of one version, with the same numbers, and mixed
sed 's/v2 //; s/sechs/six/' "$tmp/v2.mbox" > "$tmp/other.mbox"
sed -e 's/<w/<x/' -e 's/six/seven/' -e 's/v2 //' "$tmp/v2.mbox" > "$tmp/third.mbox"
cat "$tmp/third.mbox" "$tmp/other.mbox" > "$tmp/series.mbox"
no series '"v1 mm: seven" \(2 patches\), "v1 mm: six" \(2 patches\)' "$tmp/series.mbox"
takes one-series 'line 1,line 2,line 3,line 4,fünf,six' --which six "$tmp/series.mbox"
takes other-series 'line 1,line 2,line 3,line 4,fünf,sechs' --which seven "$tmp/series.mbox"
sed 's/\[PATCH v2/[RFC PATCH/' "$tmp/v2.mbox" | cat - "$tmp/v1.mbox" > "$tmp/rfc.mbox"
no rfc '"RFC v1 mm: six" \(2 patches\), "v1 mm: fünf' "$tmp/rfc.mbox"
# A cover letter alone is no series to ask about.
{ : | mail cover '' '[PATCH 0/4] mm: old'; cat "$tmp/v2.mbox"; } > "$tmp/cover.mbox"
takes cover-alone "$second" "$tmp/cover.mbox"

# Missing patches
awk 'BEGIN { RS = "From mboxrd@z"; ORS = RS } !/third, whose/' "$tmp/v1.mbox" | sed '$d' > "$tmp/hole.mbox"
no missing 'hole.mbox lacks patch 3 of 4 of "v1 mm: fünf and more"' "$tmp/hole.mbox"
diff_of 2 zwei | mail p2 x '[PATCH v7 2/3] mm: second' > "$tmp/one.mbox"
no only-one 'lacks patch 1, 3 of 3 of "v7 mm: second"' "$tmp/one.mbox"
sed -n '/^From mboxrd/,/^> -- /p' "$tmp/v1.mbox" | awk 'BEGIN { RS = "From mboxrd@z"; ORS = RS } NR == 1 || /Subject: Re:/' > "$tmp/replies.mbox"
no only-replies 'replies.mbox has no patch' "$tmp/replies.mbox"

# Where patches may not go, under each name that patch(1) knows
for path in a/../../x a/mm/.. ../x '"a/\056\056/x"' /etc/x; do
	for line in 'diff --git %s b/x' '--- %s' '+++ %s' 'rename to %s'; do
		# shellcheck disable=SC2059
		diff_of 1 eins | awk -v new="$(printf -- "$line" "${path//\\/\\\\}" | sed 's/%/%%/g')" -v what="${line%% %s*}" '
			BEGIN { if (what == "rename to") what = "diff --git" ; else plain = 1 }
			index($0, what " ") == 1 && !done++ { if (!plain) print; print new; next } { print }' |
			mail e1 '' '[PATCH] mm: escape' > "$tmp/escape.mbox"
		case $line$path in
		diff*/etc/x|rename*/etc/x) continue ;;	# patch(1) takes the first name off
		esac
		no "escape: ${line/\%s/$path}" '"mm: escape": it leaves the kernel tree' "$tmp/escape.mbox"
	done
done
check escapes-nowhere test -z "$(find "$tmp" -name x -o -name passwd)"
# A diff in the text is none that is applied.
{ printf 'Text.\n\n  --- a/mm/b.c\n  +++ b/mm/b.c\n  @@ -0,0 +1 @@\n  +x\n\n1d\n.\n'; diff_of 1 eins; } |
	mail t1 '' '[PATCH] mm: text' > "$tmp/text.mbox"
takes diff-in-text 'eins,line 2,line 3,line 4,line 5,line 6' "$tmp/text.mbox"
check one-patch-tells grep -qE ': 1 of [0-9]+ mails is its patch$' "$tmp/said"
check diff-in-text-makes-no-file test ! -e "$tmp/tree/mm/b.c"
# What a terminal would obey
diff_of 1 eins | mail c1 '' $'[PATCH] mm: \e]0;title\a $(touch x) `touch x` "q" \\ \'' > "$tmp/control.mbox"
takes control 'eins,line 2,line 3,line 4,line 5,line 6' "$tmp/control.mbox"
# shellcheck disable=SC2016
equal control-title "$(sed -n 's/^title: //p' "$tmp/out-control/about")" 'mm: ]0;title $(touch x) `touch x` "q" \ '\'
check runs-nothing test ! -e x

# Damaged
diff_of 1 eins | sed '/^+eins/s/^+//' | mail d1 '' '[PATCH] mm: wrapped' > "$tmp/wrapped.mbox"
no wrapped '"mm: wrapped": a mailer damaged its diff: eins' "$tmp/wrapped.mbox"
diff_of 1 eins | sed '/^+eins/,$d' | mail d2 '' '[PATCH] mm: short' > "$tmp/short.mbox"
no cut-short '"mm: short": (its diff is cut short|a mailer damaged)' "$tmp/short.mbox"
{ diff_of 1 eins | sed '/^---$/,$d'; printf -- '---\ndiff --git a/x b/x\nGIT binary patch\n'; } |
	mail d3 '' '[PATCH] mm: binary' > "$tmp/binary.mbox"
no binary 'it has a binary file' "$tmp/binary.mbox"
: > "$tmp/empty"
no empty 'empty is empty' "$tmp/empty"
no no-file 'no file or folder' "$tmp/nosuch"
head -c 66M /dev/zero | gzip -1 > "$tmp/large.gz"
no too-large 'more than 64 MiB' "$tmp/large.gz"
for ((i = 0; i <= 1000; i++)); do
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nSubject: x\n\n\n'
done > "$tmp/many.mbox"
no too-many 'has 1001 mails, more than 1000' "$tmp/many.mbox"
refuses folder-there 'is there already' "$mbox" "$tmp/v2.mbox" "$tmp/out-thread"
equal cleans-up "$(ls "$TMPDIR")" ''
