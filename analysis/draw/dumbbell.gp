# SPDX-License-Identifier: GPL-2.0
# One row a point: its value in each run, joined by a line. $data has a block
# for each run (row, median, smallest, largest) and last one of the joins
# (row, from, to).
set yrange [rows + 0.6:0.4]
set xlabel xname
set border 1
set ytics scale 0
unset grid
if (format ne 'terminal') set grid xtics lt 1 dt 1 lw 1 lc rgb '#e0e0e0'
if (format eq 'terminal') {
	set title sprintf("%s\n%s", title, subtitle)
	set key below
	set lmargin 30
	set rmargin 10
	plot for [r = 1:runs] $data index (r - 1) using 2:1 with points ls r title run_title[r]
} else {
	set label 1 title at screen 0.5,screen 1-24./height center font ',16'
	eval put_subtitle(46)
	set key at screen 0.5,screen (8. + 10*runs)/height center center Left reverse maxcols 1
	set tmargin 3.8 + 1.2*(sub_lines - 1)
	set bmargin at screen (92. + 20*runs)/height
	if (x_log == 1) { eval tics_125('x') }
	set lmargin at screen label_pixels/width
	set rmargin change_width
	plot $data index runs using 2:1:($3-$2):(0) with vectors nohead ls 9 lw 3 notitle, \
	     for [r = 1:runs] $data index (r - 1) using 2:1:3:4 with xerrorbars ls r lw 1.5 dt 1 title run_title[r]
}
