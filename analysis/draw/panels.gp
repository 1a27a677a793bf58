# SPDX-License-Identifier: GPL-2.0
# Panels beside each other, in each a line or (joined = 0) a cloud for each
# run. $data has one block for each panel and run: x, median, smallest,
# largest. y_low, y_high and y_log say each panel's range.
if (format eq 'terminal') {
	set key below
	set xlabel xname
	do for [p = 1:panels] {
		set title sprintf("%s\n%s  %s", title, subtitle, panel_title[p])
		set yrange [y_low[p]:y_high[p]]
		if (y_log[p]) { set logscale y 10 } else { unset logscale y }
		if (joined) {
			plot for [r = 1:runs] $data index ((p - 1) * runs + r - 1) using 1:2 with linespoints ls r title run_title[r]
		} else {
			plot for [r = 1:runs] $data index ((p - 1) * runs + r - 1) using 1:2 with points ls r title run_title[r]
		}
	}
} else {
	set multiplot layout rows,cols margins screen 118./width,screen 1-24./width,screen (84. + 20*runs)/height,screen 1-((panels > 1 ? 98. : 70.) + 19*(sub_lines - 1))/height spacing screen 104./width,screen 92./height
	set label 1 title at screen 0.5,screen 1-24./height center font ',16'
	eval put_subtitle(50)
	set label 3 yname at screen 18./width,screen 0.5 center rotate
	set key at screen 0.5,screen (8. + 10*runs)/height center center Left reverse maxcols 1
	do for [p = 1:panels] {
		if (p > 1) {
			unset key
			unset label
		}
		if (panels > 1) {
			set title panel_title[p] offset 0,-0.4
		}
		set xlabel (p > panels - cols ? xname : '')
		set yrange [y_low[p]:y_high[p]]
		set format y (y_high[p] >= 1e4 ? '%.0s%c' : '%g')
		unset logscale y
		set ytics autofreq
		if (y_log[p]) {
			set logscale y 10
			eval y_log[p] == 1 ? tics_125('y') : 'set ytics 10'
		}
		if (joined) {
			plot for [r = 1:runs] $data index ((p - 1) * runs + r - 1) using 1:2:3:4 with yerrorlines ls r title run_title[r]
		} else {
			plot for [r = 1:runs] $data index ((p - 1) * runs + r - 1) using 1:2 with points ls r lw 1.5 title run_title[r]
		}
	}
	unset multiplot
}
