/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Outcomes of litmus tests: as litmus7 prints them, and read from its logs.
 */
#ifndef PTELAB_LITMUS_LOG_H
#define PTELAB_LITMUS_LOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "analysis/load/load.h"

/* The result of one test. */
struct litmus_result {
	char *test;		/* "MP+wmb+rmb" */
	char *condition;	/* "(1:r0=1 /\ 1:r1=0)"; NULL: unknown */
	uint64_t positive, negative;	/* outcomes that fulfil it, or not */
	double seconds;		/* NAN: unknown, or emulated */
	struct litmus_state {
		char *text;	/* "1:r0=1; 1:r1=0;" */
		uint64_t count;
		bool positive;
	} *states;
	size_t nr_states;
};

/*
 * Sums up all observations of a point with outcomes in its proof; false if it has
 * none. Free the result with litmus_result_free().
 */
bool litmus_result_of(const struct side_point *p, struct litmus_result *r);
void litmus_result_free(struct litmus_result *r);

/* Prints from "Test NAME Allowed" to "Time NAME 0.40", and an empty line. */
void litmus_print(const struct litmus_result *r, FILE *f);

/*
 * Parses the output of litmus7, klitmus7 or litmus_print(), of one or more tests.
 * Ignores unknown lines. Histogram and Observation of a test must agree. Returns the
 * number of tests and allocates *@results, or returns -errno with fail() text.
 */
int litmus_parse(const char *text, struct litmus_result **results);
void litmus_results_free(struct litmus_result *r, size_t nr);

#endif
