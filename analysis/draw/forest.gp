# SPDX-License-Identifier: GPL-2.0
# One row a result: the new run's change with its interval, over a line at no
# change and a band of the margin. $data has two blocks for each run: what
# differs (full marks) and what does not (hollow ones): row, change, low, high.
set yrange [rows + 0.6:0.4]
set xlabel xname
set border 1
set ytics scale 0
unset grid
if (format ne 'terminal') set grid xtics lt 1 dt 1 lw 1 lc rgb '#e0e0e0'
array hollow = [6, 4, 8, 12, 1, 10]
array full = [7, 5, 9, 13, 2, 11]
if (format eq 'terminal') {
	set title sprintf("%s\n%s", title, subtitle)
	set key below
	set lmargin 30
	plot for [r = 1:runs] $data index (2 * r - 2) using 2:1 with points pt r title run_title[r], \
	     for [r = 1:runs] $data index (2 * r - 1) using 2:1 with points pt r notitle
} else {
	set label 1 title at screen 0.5,screen 1-24./height center font ',16'
	eval put_subtitle(46)
	set key at screen 0.5,screen (8. + 10*(runs + 1))/height center center Left reverse maxcols 1
	set tmargin 3.8 + 1.2*(sub_lines - 1)
	set bmargin at screen (112. + 20*runs)/height
	set lmargin at screen label_pixels/width
	set rmargin change_width
	if (margin > 0) {
		set object 1 rectangle from first -margin,graph 0 to first margin,graph 1 fc rgb '#ececec' fs solid noborder behind
	}
	set offsets graph 0.03,graph 0.03,0,0
	set arrow 1 from first 0,graph 0 to first 0,graph 1 nohead lc rgb '#404040' lw 1 back
	plot for [r = 1:runs] $data index (2 * r - 2) using 2:1:3:4 with xerrorbars ls r dt 1 lw 1.5 pt full[r] title run_title[r], \
	     for [r = 1:runs] $data index (2 * r - 1) using 2:1:3:4 with xerrorbars ls r dt 1 lw 1.5 pt hollow[r] notitle, \
	     NaN with points pt 6 ps 1 lc rgb '#000000' title legend
}
