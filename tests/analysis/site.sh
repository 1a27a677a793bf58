#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ptelab site: pages of comparisons and trends, their links, what strangers wrote, what
# is refused; and in Chromium, if there is one, both widths and the search.
# shellcheck source=made-up.sh
. "$(dirname "$0")/made-up.sh"
needs jq
needs perl

points()
{
	local folio

	for folio in 4k 64k; do
		echo "gup.futex folio=$folio : instructions_kernel=$1 lockless_gathers=$2"
	done
	echo "fault.cow folio=4k : instructions_kernel=700"
}
mapfile -t p < <(points 1000 16)
make_run -o base -k 6.12.0 -B aaaa -n 3 "${p[@]}"
mapfile -t p < <(points 1200 0)
make_run -o new -k 6.12.0-x -B bbbb -n 3 "${p[@]}"
make_run -o 7.3 -k 7.3.0-x -B cccc -n 3 "${p[@]}"

# result NAME SERIES: as make ab leaves one
result()
{
	mkdir -p "runs/$1" && "$PTELAB" compare base new --format "json=runs/$1/compare.json" > "runs/$1/answer.txt" &&
		jq -n --arg s "$2" --arg t "title of $2" '{schema: "ptelab.ab/1", title: $t, series: $s, hash: "0123456789abcdef"}' > "runs/$1/manifest.json"
}
result one contpte
result two contpte
result three other
check "a trend" exits 0 ptelab trend base 7.3 --title 'Two kernels' -o runs/trend
check "a site of all results in a folder" exits 0 ptelab site runs -o site
equal "its pages" "$(cd site && find . -name '*.html' | sort | tr '\n' ' ')" \
	"./c/one.html ./c/three.html ./c/two.html ./index.html ./rows.html ./rows/gup.futex.html ./series/contpte.html ./series/other.html ./t/trend.html "

# Each link and each place in a page that one leads to is there.
links()
{
	perl -e 'use File::Find; my (%ids, @links);
		find(sub { return unless /\.html$/; my $f = $File::Find::name; open(my $h, "<", $_); local $/; my $t = <$h>;
			$ids{$f} = { map { $_ => 1 } $t =~ /\bid="([^"]*)"/g };
			push @links, map { [$f, $_] } $t =~ /\b(?:href|src)="([^"]*)"/g; }, "site");
		my $bad = 0;
		for (@links) { my ($f, $l) = @$_; my ($file, $id) = split /#/, $l, 2; my $to = $f;
			if ($file ne "") { (my $d = $f) =~ s,[^/]*$,,; $to = "$d$file"; 1 while $to =~ s,[^/]+/\.\./,,; }
			next if -f $to && (!defined $id || $ids{$to}{$id});
			print "$f: $l\n"; $bad++; }
		exit($bad || !@links);' 
}
check "every link leads somewhere" links
nothing_from_elsewhere()
{
	! grep -rnE '(href|src)="?(https?:)?//' site
}
check "nothing is loaded from elsewhere" nothing_from_elsewhere
# place PATH: of a row in a page
place()
{
	echo "r$(printf %s "$1" | sha256sum | cut -c1-10)"
}
check "the row says where it differs" grep -q "c/two.html#$(place exact.gup.futex.folio-64k.instructions_kernel)" site/rows/gup.futex.html
check "and at which kernel of a trend" grep -q 'at 7.3 1000 -&gt; 1200' site/rows/gup.futex.html
equal "what the search reads" "$(sed -n 's/^const ROWS = \(.*\);$/\1/p' site/rows.js | jq -c '.[] | select(.[1] == "gup.futex folio=64k lockless_gathers")')" \
	'["'"$(place exact.gup.futex.folio-64k.lockless_gathers)"'","gup.futex folio=64k lockless_gathers","gup.futex","differs in 4 results"]'
again()
{
	cp -r site first && exits 0 ptelab site runs -o site && diff -r first site
}
check "made again, it is the same and no folder is left" again
check "no half a site beside it" test ! -e site.new -a ! -e site.old

# --- what strangers wrote ---

mkdir 'runs/<img src=x onerror=alert(1)>'
jq '.results |= map(if .bench == "gup.futex" then .bench = "x\"><script>alert(2)</script>" | .params = {"<b>": "</td><script>"} | .metric = "m\u2028</script><!--" else . end) |
	.findings = [{severity: "<i>", rule: "<script>", text: "<img src=x onerror=alert(3)>"}] | .new.kernel_release = "<u>"' \
	runs/one/compare.json > 'runs/<img src=x onerror=alert(1)>/compare.json'
echo '{"title": "</title><script>alert(4)</script>", "series": "../../../<script>"}' > 'runs/<img src=x onerror=alert(1)>/manifest.json'
echo '</pre><script>alert(5)</script>' > 'runs/<img src=x onerror=alert(1)>/answer.txt'
mkdir runs/worse
jq '.title = "<script>" | .kernels[0].label = "\"><script>" | .kernels[1].failed = "<script>" | .rows[].words = "<script>" |
	.rows[].steps[].verdict = "\"><script>" | .rows[].steps[].functions = [["<script>", 1, 2]]' runs/trend/trend.json > runs/worse/trend.json
for bad in '<svg><script>alert(6)</script></svg>' '<svg onload="alert(7)"></svg>' '<svg><a href="javascript:alert(8)"/></svg>' \
	'<svg><foreignObject><b/></foreignObject></svg>' '<!DOCTYPE svg [<!ENTITY x "y">]><svg/>' '<svg><use xlink:href="http://x/y#z"/></svg>' \
	$'<svg><rect\nOnClick = \'alert(9)\'/></svg>' '<svg><style>@import "x"</style></svg>' '<svg><g'; do
	n=$((${n:-0} + 1))
	result "svg$n" svg
	echo "$bad" > "runs/svg$n/points.svg"
done
result drawn svg
# One of gnuplot's, as make ab leaves it
cp "$top/runs/example-notify-upgrade-range/points.svg" runs/drawn/points.svg
check "what strangers wrote" exits 0 ptelab site runs -o site
no_script()
{
	# but for the two of the index
	[ "$(grep -rhoE '<script[^>]*>' site --include='*.html' | sort | uniq -c | xargs)" = '1 <script src=rows.js> 1 <script src=site.js>' ] ||
		{ grep -rnoE '<script[^>]*>' site --include='*.html'; return 1; }
	! grep -rnE '<(img|b|i|u)[ >]' site --include='*.html' | grep -v '<img src="drawn.svg"'
}
check "nothing of it is more than text" no_script
inside()
{
	[ -z "$(find . -newer runs/drawn/points.svg -type f ! -path './site/*' ! -name out ! -name err ! -name 'check.*' ! -name 'refuses.*')" ]
}
check "nothing is written outside of the site" inside
equal "pictures that could run something are left out" "$(cd site/c && echo *.svg)" drawn.svg
equal "and their pages say so" "$(grep -l 'Without its picture' site/c/svg*.html | wc -l)" "$n"
check "every link leads somewhere" links

# --- bad input ---

refuses "no folder" 'DIR is missing' "$PTELAB" site -o site
refuses "nothing there" 'nowhere: No such file' "$PTELAB" site nowhere -o site
mkdir foreign
echo hello > foreign/notes
refuses "a foreign folder" 'foreign: has neither compare.json nor trend.json' "$PTELAB" site runs foreign -o site
refuses "an output that is something else" 'was not made by ptelab site' "$PTELAB" site runs -o foreign
check "it stays as it is" grep -q hello foreign/notes
mkdir -p other/one
cp runs/one/* other/one/
refuses "two of one name" 'one and .*one have one name' "$PTELAB" site runs/one other/one -o site
mkdir -p broken
echo '{"schema": "ptelab-compare-1"' > broken/compare.json
refuses "JSON that was cut short" 'broken/compare.json: ' "$PTELAB" site broken -o site
echo '{"schema": "x", "results": []}' > broken/compare.json
refuses "another schema" 'is no comparison of ptelab' "$PTELAB" site broken -o site
echo '[]' > broken/compare.json
refuses "several runs" 'compares several runs' "$PTELAB" site broken -o site
mkdir -p broken2
jq '.rows[0].values = [1]' runs/trend/trend.json > broken2/trend.json
refuses "a trend with too few values" 'not one value for each kernel' "$PTELAB" site broken2 -o site
jq '.rows[0].id = "\"><script>"' runs/trend/trend.json > broken2/trend.json
refuses "a trend with a path that is none" 'a row has no path' "$PTELAB" site broken2 -o site
check "the older site is still there" grep -q 'title of contpte' site/c/one.html
if unshare -m true 2> /dev/null; then
	mkdir small
	# shellcheck disable=SC2016
	full()
	{
		unshare -m sh -c 'mount -t tmpfs -o size=128k none small && "$1" site runs/one -o small/site >/dev/null &&
			cp -r small/site before && ! "$1" site runs -o small/site 2>err && diff -r before small/site && ls small >left' sh "$PTELAB" &&
			[ "$(wc -l < err)" = 1 ] && grep -q 'No space left' err && [ "$(cat left)" = site ]
	}
	check "a full disk leaves the older site, and nothing else" full
else
	skip "a full disk" "no file system can be mounted here"
fi

# --- as a browser shows it ---

if ! command -v chromium > /dev/null; then
	skip "in Chromium" "needs chromium (scripts/deps look)"
	exit 0
fi
# in_frame WIDTH PAGE STATEMENT: the title that it gives the page, of a frame so wide
in_frame()
{
	cat > frame.html <<END
<body style="margin:0"><iframe id="f" src="$2" width="$1" height="800"></iframe><script>
onload = () => { const w = document.getElementById("f").contentWindow, d = w.document;
	$3 };
</script></body>
END
	timeout 120 chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files --user-data-dir="$tmp/chromium" \
		--virtual-time-budget=5000 --dump-dom "file://$tmp/frame.html" 2> /dev/null | grep -o '<title>[^<]*' | head -n 1
}
for width in 400 1280; do
	for page in site/index.html site/c/drawn.html site/t/trend.html site/rows/gup.futex.html; do
		# shellcheck disable=SC2016
		equal "at $width pixels $page does not scroll sideways" "$(in_frame "$width" "$page" \
			'document.title = d.documentElement.scrollWidth <= d.documentElement.clientWidth ? "fits" : d.documentElement.scrollWidth;')" '<title>fits'
	done
done
search='const b = d.getElementById("search"); b.value = "GUP 64k"; b.dispatchEvent(new w.Event("input"));
	document.title = d.querySelectorAll("#found a").length + " " + d.querySelector("#found a").getAttribute("href");'
equal "the search finds rows" "$(in_frame 1280 site/index.html "$search")" \
	"<title>2 rows/gup.futex.html#$(place exact.gup.futex.folio-64k.instructions_kernel)"
