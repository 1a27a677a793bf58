# SPDX-License-Identifier: GPL-2.0
# Panels under each other, one a point: a mark for each boot, a line through
# the medians of the runs, which are in order, and an upright line at each
# change point. $data has two blocks for each panel: run, value of each boot;
# run, median of each run.
if (format eq 'terminal') {
	set xlabel xname
	do for [p = 1:panels] {
		set title sprintf("%s\n%s", title, panel_title[p])
		set yrange [y_low[p]:y_high[p]]
		plot $data index (2 * p - 2) using 1:2 with points pt 1 notitle, \
		     $data index (2 * p - 1) using 1:2 with lines notitle
	}
} else {
	set multiplot layout panels,1 margins screen 118./width,screen 1-24./width,screen 118./height,screen 1-104./height spacing screen 0,screen 52./height
	set label 1 title at screen 0.5,screen 1-24./height center font ',16'
	set label 2 subtitle at screen 0.5,screen 1-50./height center tc rgb '#404040'
	set label 3 yname at screen 18./width,screen 0.5 center rotate
	unset key
	do for [p = 1:panels] {
		if (p > 1) {
			unset label 1
			unset label 2
			unset label 3
		}
		set title panel_title[p] offset 0,-0.6
		set yrange [y_low[p]:y_high[p]]
		set format y (y_high[p] >= 1e4 ? '%.0s%c' : '%g')
		set xtics ()
		do for [i = 1:|run_name|] {
			set xtics add ((p < panels ? '' : run_name[i]) (1 + (i - 1) * run_step))
		}
		set ytics y_step[p]
		eval change_lines[p]
		plot $data index (2 * p - 1) using 1:2 with lines ls 3 dt 1 lw 1.5, \
		     $data index (2 * p - 2) using 1:2 with points ls 1 ps 0.6
	}
	unset multiplot
}
