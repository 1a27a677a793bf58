# SPDX-License-Identifier: GPL-2.0
# One row a boot, of base and then of the others: its median, the middle half
# of its batches as a thick line, the middle nine tenths as a thin one, and
# every batch beyond three interquartile ranges. $data has a block for each
# run (row, median, 5 %, 25 %, 75 %, 95 %), then one of outliers for each.
set yrange [rows + 0.7:0.3]
set xlabel xname
set border 1
set ytics scale 0
unset grid
if (format ne 'terminal') set grid xtics lt 1 dt 1 lw 1 lc rgb '#e0e0e0'
set key at screen 0.5,screen (8. + 10*(runs + 1))/height center center Left reverse maxcols 1
if (format eq 'terminal') {
	set title sprintf("%s\n%s", title, subtitle)
	set key below
	plot for [r = 1:runs] $data index (r - 1) using 2:1 with points pt r title run_title[r]
} else {
	set label 1 title at screen 0.5,screen 1-24./height center font ',16'
	set label 2 subtitle at screen 0.5,screen 1-46./height center tc rgb '#404040'
	set tmargin 3.8
	set bmargin at screen (112. + 20*runs)/height
	set lmargin 16
	set rmargin 4
	plot for [r = 1:runs] $data index (r - 1) using 3:1:($6-$3):(0) with vectors nohead ls r dt 1 lw 1 notitle, \
	     for [r = 1:runs] $data index (r - 1) using 4:1:($5-$4):(0) with vectors nohead ls r dt 1 lw 6 notitle, \
	     for [r = 1:runs] $data index (runs + r - 1) using 2:1 with points ls r pt 1 ps 0.5 lw 1 notitle, \
	     for [r = 1:runs] $data index (r - 1) using 2:1 with points ls r pt 7 ps 1.3 lc rgb '#ffffff' notitle, \
	     for [r = 1:runs] $data index (r - 1) using 2:1 with points ls r ps 0.9 title run_title[r], \
	     NaN with points pt 1 ps 0.5 lc rgb '#000000' title legend
}
