/* SPDX-License-Identifier: GPL-2.0 */
/* Fills the parts of a report for a browser: pictures, and where the largest
 * differences are. */
#ifndef PTELAB_PAGE_H
#define PTELAB_PAGE_H

#include "analysis/report/report.h"

/* A report without pictures is still one; why there are none is in it. */
void page_draw(struct report_page *page, struct side *const *side,
	       struct comparison *const *c, size_t nr);
/* The largest differences, if their instructions were counted. */
void page_explain(struct report_page *page, const struct side *base,
		  const struct side *new);
/* What the page has allocated. */
void page_free(struct report_page *page);

#endif
