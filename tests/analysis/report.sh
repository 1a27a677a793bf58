#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab report: one file for a browser.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq

make_run -o base -M timed -k 6.12.0 -B aaaa -n 6 'gup.pin_fast folio=4k : ns=900%1 faults.minor=1' \
	'gup.pin_fast folio=64k : ns=1000%1' 'gup.pin_fast folio=2m : ns=1100%1' 'notifier.upgrade pages=1 : kvm_refaults_same_pfn=0'
make_run -o new -M timed -k '6.12.0-<b>&"x"' -B bbbb -n 6 'gup.pin_fast folio=4k : ns=900%1 faults.minor=1' \
	'gup.pin_fast folio=64k : ns=800%1' 'gup.pin_fast folio=2m : ns=1100%1' 'notifier.upgrade pages=1 : kvm_refaults_same_pfn=1'
echo '{"kernel": "<script>"}' >manifest.json

written()
{
	exits 0 ptelab report base new -o r.html --manifest manifest.json --title 'a <i> title' && says r.html && [ -s r.html ]
}
check "written" written
# says_in_order TEXT...: each is in the file, after the one before
says_in_order()
{
	local at=0 found

	for t; do
		found=$(grep -nF -- "$t" r.html | awk -F: -v at="$at" '$1 >= at { print $1; exit }')
		[ -n "$found" ] || { echo "'$t' does not follow"; return 1; }
		at=$found
	done
}
check "the verdict comes first, then the rest in order" says_in_order 'class="verdict regression"' 'at 1 of ' \
	'>Findings' 'unnecessary-kvm-zap (warning)' '>What differs' '<table>' '>Pictures' '<h2>Environment' '>Again'
well_formed()
{
	[ "$(grep -c '<html' r.html)" = 1 ] && [ "$(tail -n 1 r.html)" = "</html>" ] || return
	for tag in table tr td ul li pre details figure div; do
		[ "$(grep -oE "<${tag}[ >]" r.html | wc -l)" = "$(grep -o "</${tag}>" r.html | wc -l)" ] || { echo "$tag is not closed"; return 1; }
	done
}
check "every element is closed" well_formed
self_contained()
{
	! grep -oE '(src|href)=["'"'"'][^#"'"'"'][^"'"'"']*' r.html | grep -v 'xmlns' &&
	! grep -E '<script|<link|<img|@import|url\([^#]' r.html
}
check "it refers to nothing outside itself" self_contained
escaped()
{
	! grep -qF '<b>&"x"' r.html && ! grep -qF '<script>' r.html && grep -qF '&lt;b&gt;&amp;' r.html && grep -qF '&lt;script&gt;' r.html &&
	grep -qF '<title>a &lt;i&gt; title</title>' r.html
}
check "what comes out of files is escaped" escaped
if command -v gnuplot >/dev/null; then
	pictures()
	{
		[ "$(grep -c '<svg' r.html)" -ge 3 ] && [ "$(grep -c '</svg>' r.html)" = "$(grep -c '<svg' r.html)" ] &&
		[ -z "$(grep -oE ' id=["'"'"'][^"'"'"']*' r.html | sort | uniq -d)" ]
	}
	check "pictures are in it, and their identifiers differ" pictures
else
	skip "pictures" "needs gnuplot"
fi
no_gnuplot()
{
	mkdir -p bin && exits 0 env PATH="$PWD/bin" "$PTELAB" report base new -o none.html && grep -q "No pictures: gnuplot is not on the PATH" none.html &&
	grep -q "<h2>Environment" none.html
}
check "without gnuplot it has no pictures, and says so" no_gnuplot
evidence()
{
	grep -qE '95% CI -[0-9.]+%\.\.-[0-9.]+%, adjusted p 0\.0[0-9]+, 6 and 6 boots' r.html && grep -q 'a side would settle it' r.html
}
check "timed rows have their intervals, and how many more boots" evidence
check "several new runs" exits 0 ptelab report base new new -o - --allow 'x'
leaves_nothing()
{
	mkdir -p empty && TMPDIR=$PWD/empty exits 0 ptelab report base new -o l.html && [ -z "$(ls empty)" ]
}
check "no temporary file is left" leaves_nothing
refused()
{
	make_run -o gov -M timed -k 6.12.0-x -B bbbb -n 4 -e governor=powersave 'gup.pin_fast folio=4k : ns=1' &&
	exits 2 ptelab report base gov -o g.html && says "--allow governor" "$tmp/err" && [ ! -e g.html ] &&
	exits 0 ptelab report base gov -o g.html --allow governor && grep -q 'governor: base (none), new powersave (allowed)' g.html
}
check "what compare refuses is not reported either" refused
check "unwritable file" exits 2 ptelab report base new -o /proc/nowhere
check "no such manifest" exits 2 ptelab report base new -o x.html --manifest nothing
check "one run" exits 2 ptelab report base
if command -v chromium >/dev/null; then
	# At a phone's width: the page itself must not scroll sideways.
	phone()
	{
		cat >frame.html <<'END'
<body style="margin:0"><iframe id="f" src="r.html" width="390" height="800"></iframe><script>
onload = () => { const d = document.getElementById("f").contentDocument.documentElement;
	document.title = d.scrollWidth <= d.clientWidth ? "fits" : d.scrollWidth + " of " + d.clientWidth; };
</script></body>
END
		timeout 120 chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files --user-data-dir="$tmp/chromium" \
			--virtual-time-budget=5000 --dump-dom "file://$tmp/frame.html" 2>/dev/null >dom && grep -o '<title>[^<]*' dom && grep -q '<title>fits' dom
	}
	check "in Chromium at 390 pixels nothing overflows" phone
else
	skip "in Chromium at 390 pixels nothing overflows" "needs chromium (scripts/deps look)"
fi
