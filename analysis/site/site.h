/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results as a folder of static pages: a page for each comparison, series and
 * trend, for the rows of each benchmark, and an index that searches them. Pages need
 * neither a server nor JavaScript, which only adds the search. A page's address is
 * made of the name of its folder, and a row's of the point, so both stay.
 *
 * Everything in a result may be a stranger's: texts are escaped by put_markup(), and a
 * picture is copied only if it has nothing that could run; see picture_safe.h.
 */
#ifndef PTELAB_SITE_H
#define PTELAB_SITE_H

#include <jansson.h>
#include <stddef.h>

/*
 * Makes @out of results: folders of make ab (compare.json) or make trend
 * (trend.json), or folders of such. @out is replaced as a whole if ptelab site made
 * it, and refused if it is anything else. 0, or -errno with fail() text.
 */
int site_make(const char *const *dir, size_t nr, const char *out);

#endif
