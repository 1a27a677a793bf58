/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A litmus test as lib/litmus/c.awk makes it of its .litmus file, for the
 * program and for the module.
 */
#ifndef PTELAB_LITMUS_TEST_H
#define PTELAB_LITMUS_TEST_H

#define LITMUS_PROCS	4
#define LITMUS_VARS	2
#define LITMUS_OBSERVED	4
/* Outcomes: what is observed, 2 bits each. */
#define LITMUS_STATES	(1 << 2 * LITMUS_OBSERVED)

enum litmus_model { MODEL_LKMM, MODEL_AARCH64, MODEL_X86_64, NR_MODELS };

/* What a model says of the state that the test asks for. */
enum litmus_verdict { VERDICT_SOMETIMES, VERDICT_NEVER };

struct litmus_loop;

struct litmus_observed {
	const char *name;	/* "1:r0", "[x]" */
	int proc;		/* -1: the final value of a variable */
	int slot;		/* register, or variable */
};

struct litmus_test {
	const char *name;	/* "MP+wmb+rmb", as in its file */
	const char *shape;	/* "mp" */
	const char *barriers;	/* "wmb+rmb"; "none" */
	int nr_procs, nr_vars;
	enum litmus_verdict verdict[NR_MODELS];
	int nr_observed;
	struct litmus_observed observed[LITMUS_OBSERVED];
	unsigned int target;	/* the state that the test asks for */
	const char *condition;	/* "(1:r0=1 /\ 1:r1=0)" */
	void (*loop[LITMUS_PROCS])(struct litmus_loop *l);
};

#endif
