// SPDX-License-Identifier: GPL-2.0
/* See batches.h. */
#include "lib/batches.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* --- the compact form --- */

static void swap(double *a, double *b)
{
	double t = *a;

	*a = *b;
	*b = t;
}

/*
 * Returns the median of three values, so that sorted input is not the worst
 * case.
 */
static double pivot_of(double *v, size_t low, size_t high)
{
	size_t mid = low + (high - low) / 2;

	if (v[mid] < v[low])
		swap(&v[mid], &v[low]);
	if (v[high] < v[low])
		swap(&v[high], &v[low]);
	if (v[high] < v[mid])
		swap(&v[high], &v[mid]);
	return v[mid];
}

/* Hoare's FIND. */
void select_rank(double *v, size_t nr, size_t k)
{
	size_t low = 0, high = nr - 1;

	while (low < high) {
		double pivot = pivot_of(v, low, high);
		size_t i = low, j = high;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * The rank of a resample's median has a standard deviation of sqrt(n)/2. Keep
 * eight of them on either side; no resample goes beyond that.
 */
static void keep_middle(struct batch_list *b, double *v, size_t nr)
{
	size_t half = 4 * sqrt(nr) + 2, low = 0, high = nr - 1;

	if (nr / 2 > half) {
		low = nr / 2 - half;
		high = nr / 2 + half;
		select_rank(v, nr, low);
		select_rank(v + low, nr - low, high - low);
	}
	b->first = low;
	b->nr_middle = high - low + 1;
	qsort(v + low, b->nr_middle, sizeof(*v), by_value);
	b->middle = xcalloc(b->nr_middle, sizeof(*v));
	memcpy(b->middle, v + low, b->nr_middle * sizeof(*v));
	if (!low) {
		b->low_quartile = v[nr / 4];
		b->high_quartile = v[nr - 1 - nr / 4];
		return;
	}
	/* the lower and the higher part are separated already */
	select_rank(v, low, nr / 4);
	b->low_quartile = v[nr / 4];
	select_rank(v + high + 1, nr - high - 1, nr - 1 - nr / 4 - high - 1);
	b->high_quartile = v[nr - 1 - nr / 4];
}

static void keep_sample(struct batch_list *b, const double *v, size_t nr)
{
	size_t i;

	b->nr_sample = nr < BATCHES_SAMPLE ? nr : BATCHES_SAMPLE;
	b->sample = xcalloc(b->nr_sample, sizeof(*v));
	for (i = 0; i < b->nr_sample; i++)
		b->sample[i] = v[i * nr / b->nr_sample];
}

static void keep_moments(struct batch_list *b, const double *v, size_t nr)
{
	double sum = 0, square = 0;
	size_t i;

	b->min = b->max = v[0];
	for (i = 0; i < nr; i++) {
		sum += v[i];
		b->min = v[i] < b->min ? v[i] : b->min;
		b->max = v[i] > b->max ? v[i] : b->max;
	}
	b->mean = sum / nr;
	for (i = 0; i < nr; i++)
		square += (v[i] - b->mean) * (v[i] - b->mean);
	b->variance = nr > 1 ? square / (nr - 1) : 0;
}

struct batch_list *batches_take(double *v, size_t nr)
{
	struct batch_list *b = xcalloc(1, sizeof(*b));
	double low, high;
	size_t i;

	b->nr = nr;
	keep_sample(b, v, nr);
	keep_moments(b, v, nr);
	keep_middle(b, v, nr);
	low = b->low_quartile - 3 * (b->high_quartile - b->low_quartile);
	high = b->high_quartile + 3 * (b->high_quartile - b->low_quartile);
	for (i = 0; i < nr; i++)
		b->outliers += v[i] < low || v[i] > high;
	return b;
}

void batches_free(struct batch_list *b)
{
	if (!b)
		return;
	free(b->middle);
	free(b->sample);
	free(b);
}

/* --- extraction from JSON --- */

/*
 * Parses the JSON number at @p. Up to 15 digits and powers of ten up to 22 are exact
 * in a double, and so is one multiplication of the two (Clinger 1990); others go to
 * strtod(). Returns NULL if it is not a number, or out of range.
 */
static const char *parse_number(const char *p, double *value)
{
	static const double power[] = {
		1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
		1e22
	};
	const char *start = p, *digits;
	bool negative = *p == '-';
	uint64_t mantissa = 0;
	int point = 0;
	char *end;

	p += negative;
	digits = p;
	while (*p >= '0' && *p <= '9')
		mantissa = 10 * mantissa + (*p++ - '0');
	if (p == digits || (*digits == '0' && p > digits + 1))
		return NULL;
	if (*p == '.') {
		const char *fraction = ++p;

		while (*p >= '0' && *p <= '9')
			mantissa = 10 * mantissa + (*p++ - '0');
		point = p - fraction;
		if (!point)
			return NULL;
	}
	if (*p != 'e' && *p != 'E' && p - digits <= 16 &&
	    mantissa < 1ULL << 53 && point <= 22) {
		*value = mantissa / power[point];
		if (negative)
			*value = -*value;
		return p;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!isdigit((unsigned char)*p))
			return NULL;
	}
	*value = strtod(start, &end);
	return isfinite(*value) ? end : NULL;
}

static const char *skip_blank(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Returns the end of the array at @p if it has only numbers; else NULL. */
static const char *parse_array(const char *p, const char *end, double **v,
			       size_t *nr, size_t *room)
{
	*nr = 0;
	do {
		double value;

		p = parse_number(skip_blank(p + 1), &value);
		if (!p)
			return NULL;
		if (*nr == *room) {
			*room = *room ? 2 * *room : BATCHES_MIN;
			*v = xrealloc(*v, *room * sizeof(**v));
		}
		(*v)[(*nr)++] = value;
		p = skip_blank(p);
	} while (*p == ',' && p < end);
	return *p == ']' ? p + 1 : NULL;
}

/* Returns the end of the string at @p. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : end;
}

size_t batches_extract(const char *text, size_t len, char *out,
		       size_t (*take)(void *ctx, double *v, size_t nr),
		       void *ctx)
{
	const char *p = text, *end = text + len, *next;
	size_t nr, room = 0;
	double *v = NULL;
	char *to = out;

	while (p < end) {
		if (*p == '"') {
			next = skip_string(p, end);
			memcpy(to, p, next - p);
			to += next - p;
			p = next;
			continue;
		}
		next = *p == '[' ? parse_array(p, end, &v, &nr, &room) : NULL;
		if (next && nr >= BATCHES_MIN) {
			/* shorter than the array that it stands for */
			to += sprintf(to, "{\"list\":%zu}", take(ctx, v, nr));
			p = next;
			continue;
		}
		*to++ = *p++;
	}
	free(v);
	*to = '\0';
	return to - out;
}
