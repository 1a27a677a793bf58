/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PTELAB_PICTURE_SAFE_H
#define PTELAB_PICTURE_SAFE_H

/*
 * NULL if an SVG has only what gnuplot and ptelab draw with: shapes and text, no
 * event handlers, links inside of it alone. Else what it has beyond that, a constant.
 */
const char *picture_unsafe(const char *svg);

#endif
