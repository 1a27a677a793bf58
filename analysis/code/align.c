// SPDX-License-Identifier: GPL-2.0
/* See align.h. E. Myers, An O(ND) Difference Algorithm, 1986. */
#include "analysis/code/align.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define MAX_EDITS	3000

struct range {
	size_t a, a_end, b, b_end;
};

/*
 * Walks back from the end and fills in @map. @rows[d]: how far d edits lead on
 * each diagonal.
 */
static void trace_back(int32_t **rows, long d, const struct range *r,
		       int32_t *map)
{
	long x = r->a_end - r->a, y = r->b_end - r->b;

	for (; d >= 0; d--) {
		const int32_t *v = d ? rows[d - 1] + (d - 1) : NULL;
		long k = x - y, from = 0, last = 0;
		bool down = false;

		if (d) {
			down = k == -d || (k != d && v[k - 1] < v[k + 1]);
			k += down ? 1 : -1;
			last = v[k];
			from = down ? last : last + 1;
		}
		while (x > from) {
			x--;
			y--;
			map[r->a + x] = r->b + y;
		}
		x = last;
		y = last - k;
	}
}

static void align_range(struct range r, align_same same, void *data,
			int32_t *map)
{
	int32_t **rows;
	long n, m, d, k, max;
	bool found = false;

	while (r.a < r.a_end && r.b < r.b_end && same(data, r.a, r.b))
		map[r.a++] = r.b++;
	while (r.a < r.a_end && r.b < r.b_end &&
	       same(data, r.a_end - 1, r.b_end - 1))
		map[--r.a_end] = --r.b_end;
	n = r.a_end - r.a;
	m = r.b_end - r.b;
	if (!n || !m)
		return;
	max = n + m < MAX_EDITS ? n + m : MAX_EDITS;
	rows = xcalloc(max + 1, sizeof(*rows));
	for (d = 0; d <= max && !found; d++) {
		const int32_t *last = d ? rows[d - 1] + (d - 1) : NULL;
		int32_t *v;

		rows[d] = xcalloc(2 * d + 1, sizeof(**rows));
		v = rows[d] + d;
		for (k = -d; k <= d; k += 2) {
			long x, y;

			if (!d)
				x = 0;
			else if (k == -d || (k != d && last[k - 1] < last[k + 1]))
				x = last[k + 1];
			else
				x = last[k - 1] + 1;
			y = x - k;
			while (x < n && y >= 0 && y < m &&
			       same(data, r.a + x, r.b + y)) {
				x++;
				y++;
			}
			v[k] = x;
			if (x >= n && y >= m) {
				found = true;
				break;
			}
		}
	}
	if (found)
		trace_back(rows, d - 1, &r, map);
	for (k = 0; k <= max; k++)
		free(rows[k]);
	free(rows);
}

void align(size_t na, size_t nb, align_same same, void *data, int32_t *map)
{
	size_t i;

	for (i = 0; i < na; i++)
		map[i] = -1;
	align_range((struct range){ 0, na, 0, nb }, same, data, map);
}

void align_gaps(size_t na, size_t nb, align_same same, void *data,
		int32_t *map)
{
	size_t i, b = 0, end;

	for (i = 0; i < na; i = end) {
		size_t b_end;

		for (end = i; end < na && map[end] < 0; end++)
			;
		b_end = end < na ? (size_t)map[end] : nb;
		if (end > i && b_end > b)
			align_range((struct range){ i, end, b, b_end }, same,
				    data, map);
		for (; end < na && map[end] >= 0; end++)
			b = map[end] + 1;
	}
}
