# SPDX-License-Identifier: GPL-2.0
# What all pictures share: the terminal for `format' (svg, png, pdf or
# terminal) and one style for each run. Colours are those of Okabe and Ito;
# dashes and point shapes tell the runs apart without colour as well.
if (!exists("format")) format = 'svg'
if (format eq 'svg') set terminal svg size width,height font 'DejaVu Sans,Helvetica,sans-serif,13' background '#ffffff' noenhanced
if (format eq 'png') set terminal pngcairo size 2*width,2*height font 'DejaVu Sans,13' fontscale 2 pointscale 2 linewidth 2 dashlength 1.4 noenhanced
if (format eq 'pdf') set terminal pdfcairo size width/100.,height/100. font 'DejaVu Sans,9' noenhanced
if (format eq 'terminal') set terminal dumb size 79,lines
if (exists("output")) set output output

set style line 1 lc rgb '#000000' lw 2   dt 1       pt 7  ps 0.9
set style line 2 lc rgb '#d55e00' lw 2   dt (12,6)  pt 4  ps 1.2
set style line 3 lc rgb '#0072b2' lw 2   dt (3,4)   pt 9  ps 1.2
set style line 4 lc rgb '#009e73' lw 2   dt (14,4,3,4) pt 12 ps 1.4
set style line 5 lc rgb '#cc79a7' lw 2   dt (6,3)   pt 2  ps 1.1
set style line 6 lc rgb '#e69f00' lw 2   dt (1,3)   pt 10 ps 1.2
set style line 9 lc rgb '#b0b0b0' lw 1   dt 1
if (format eq 'terminal') do for [r = 1:6] { set style line r pt r }
set border 3 lc rgb '#404040'
set tics nomirror out
if (format ne 'terminal') set grid lt 1 dt 1 lw 1 lc rgb '#e0e0e0'
set bars 0.5

# On a logarithmic axis of few decades: tics at 1, 2 and 5.
tics_125(axis) = sprintf('set %stics (1e-3); do for [k = -3:12] { set %stics add (1*10.**k, 2*10.**k, 5*10.**k) }', axis, axis)

# What is said under the title, in up to three lines from so many pixels below
# the top on.
sub_lines = 1
subtitle_2 = ''
subtitle_3 = ''
put_subtitle(y) = sprintf("set label 2 subtitle at screen 0.5,screen 1-%d./height center tc rgb '#404040'; set label 12 subtitle_2 at screen 0.5,screen 1-%d./height center tc rgb '#404040'; set label 13 subtitle_3 at screen 0.5,screen 1-%d./height center tc rgb '#404040'", y, y + 19, y + 38)
