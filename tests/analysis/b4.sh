#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/b4-check: what it tells b4 review of a series that was measured, of one that
# was not, and when it measures. What b4 takes is in its docs/maintainer/review.rst: a
# mail on standard input, an array of tool, status (pass, warn, fail), summary, details.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq
needs git

# A copy of the scripts, with made-up runs, and a make ab that leaves what it is told
tree=$tmp/tree
export TMPDIR=$tmp/tmp
mkdir -p "$tree/scripts/lab" "$tree/runs" "$tree/build/native" bin "$TMPDIR"
cp "$top/scripts/b4-check" "$tree/scripts/"
cp "$top/scripts/lab/lib.sh" "$top/scripts/lab/mbox" "$tree/scripts/lab/"
ln -s "$PTELAB" "$tree/build/native/ptelab"
cat > "$tree/scripts/ab" <<'END'
#!/usr/bin/env bash
printf '%s\n' "$@" > "$AB_SAID"
echo "what make ab prints"
for arg; do
	case $arg in MBOX=*) mbox=${arg#*=} ;; WHICH=*) which=${arg#*=} ;; esac
done
rm -rf runs/made
mkdir -p runs/made
scripts/lab/mbox --which "$which" "$mbox" runs/made/patches > /dev/null || exit 2
cp -r "$AB_BASE" runs/made/base
cp -r "$AB_NEW" runs/made/patched
touch runs/made/answer.txt
END
cat > bin/b4 <<'END'
#!/bin/sh
printf '%s\n' "$@" > "$B4_SAID"
cat "$B4_THREAD"
END
chmod +x "$tree/scripts/ab" bin/b4
export PATH=$tmp/bin:$PATH B4_SAID=$tmp/b4-said B4_THREAD=$tmp/thread.mbox AB_SAID=$tmp/ab-said AB_BASE=$tmp/base AB_NEW=$tmp/new

make_run -o base -k 6.12.0 -B aaaa -n 3 'gup.pin_fast folio=64k : instructions_kernel=1000 gup_slow_pages=0'
make_run -o new -k 6.12.0-x -B bbbb -n 3 'gup.pin_fast folio=64k : instructions_kernel=900 gup_slow_pages=0'
make_run -o worse -k 6.12.0-y -B cccc -n 3 'gup.pin_fast folio=64k : instructions_kernel=1100 gup_slow_pages=1'

# mail ID SUBJECT: on standard input its body
mail()
{
	printf 'From mboxrd@z Thu Jan  1 00:00:00 1970\nFrom: A <a@example.org>\nMessage-ID:\n <%s>\nSubject: %s\n\n' "$1" "$2"
	cat
	printf '\n'
}
diff_of()
{
	printf 'Why.\n---\ndiff --git a/mm/a.c b/mm/a.c\n--- a/mm/a.c\n+++ b/mm/a.c\n@@ -%d,1 +%d,1 @@\n-old\n+new\n-- \n2\n' "$1" "$1"
}
echo 'What for.' | mail 'c$1@example.org' '[PATCH v2 0/2] mm: two' > cover
diff_of 1 | mail p1@example.org '[PATCH v2 1/2] mm: one' > first
diff_of 2 | mail p2@example.org '[PATCH v2 2/2] mm: other' > second
diff_of 3 | mail alone@example.org '[PATCH] mm: alone' > alone
cat cover first second > thread.mbox

# b4_check MAIL [ARG...]: in $tmp/out what b4 gets
b4_check()
{
	exits 0 "$tree/scripts/b4-check" "${@:2}" < "$1" &&
	json 'type == "array" and length == 1 and (.[0] | keys == ["details", "status", "summary", "tool"] and all(.[]; type == "string")
		and (.status | IN("pass", "warn", "fail")) and (.summary | contains("\n") | not))'
}
not_measured()
{
	b4_check cover && json '.[0] | .status == "warn" and .summary == "not measured" and (.details | contains("<c$1@example.org>"))' &&
	[ ! -e ab-said ] && [ ! -e b4-said ] && [ -z "$(ls "$tree/runs")" ]
}
check "a series that was not measured: says so, and builds nothing" not_measured
measured()
{
	b4_check cover --measure TREE=/some/tree && json '.[0] | .status == "pass" and (.summary | startswith("1 improvement, ")) and (.details | contains("BETTER at"))' &&
	[ "$(paste -sd' ' b4-said)" = 'mbox -o- c$1@example.org' ] &&
	[ "$(sed 's/^MBOX=.*/MBOX/' ab-said | paste -sd' ')" = 'TREE=/some/tree MBOX WHICH=<c$1@example.org>' ] &&
	says "what make ab prints" "$tmp/err" && [ "$(find "$tree/runs/made/patches" -name '*.patch' | wc -l)" = 2 ]
}
check "--measure: the thread, by make ab" measured
again()
{
	rm -f ab-said b4-said && b4_check cover --measure && json '.[0].status == "pass"' && [ ! -e ab-said ] && [ ! -e b4-said ] &&
	b4_check cover && json '.[0].status == "pass"'
}
check "a series that was measured is not measured again" again
other_mail()
{
	b4_check first && json '.[0].summary == "not measured"' && sed 's/c$1@/c$2@/' cover > resent && b4_check resent && json '.[0].summary == "not measured"'
}
check "the same title in another mail is another series" other_mail
alone()
{
	rm -f b4-said && AB_NEW=$tmp/worse b4_check alone --measure && json '.[0] | .status == "fail" and (.summary | startswith("2 regressions"))' && [ ! -e b4-said ]
}
check "a single patch is its own thread; worse fails" alone
unfinished()
{
	mv "$tree/runs/made" "$tree/runs/made.new" && b4_check alone && json '.[0].summary == "not measured"' &&
	mv "$tree/runs/made.new" "$tree/runs/made" && b4_check alone && json '.[0].status == "fail"'
}
check "a run that is not whole is none" unfinished
same_code()
{
	rm -r "$tree/runs/made/base" "$tree/runs/made/patched" && printf 'mm: "alone"\nSAME CODE: nothing was booted.\n' > "$tree/runs/made/answer.txt" &&
	b4_check alone && json '.[0] | .status == "pass" and .summary == "same code" and .details == "mm: \"alone\"\nSAME CODE: nothing was booted."'
}
check "no code differs" same_code
fails()
{
	rm -rf "$tree/runs/made" "$tree/scripts/ab" && printf '#!/bin/sh\necho no kernel >&2\nexit 2\n' > "$tree/scripts/ab" && chmod +x "$tree/scripts/ab" &&
	exits 2 "$tree/scripts/b4-check" --measure < alone && [ ! -s "$tmp/out" ] && says "make ab could not measure it" "$tmp/err"
}
check "make ab fails: no JSON, which b4 shows as a failure" fails
for bad in 'no header at all' $'Message-ID: none\n' $'Message-ID: <-o@x>\n' $'Message-ID: <"; touch x"@x>\n' $'Message-ID: <a\'b@x>\n' ''; do
	printf '%s\n\nbody\n' "$bad" > bad
	check "not a mail to look for: '${bad%$'\n'}'" exits 2 "$tree/scripts/b4-check" < bad
done
refuses "wrong argument" "unknown argument 'x'" "$tree/scripts/b4-check" x
check "nothing is left behind" test -z "$(ls "$TMPDIR")"
