// SPDX-License-Identifier: GPL-2.0
/* Logs of litmus tests: read, printed, and read again. */
#include "tests/unit/test.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/family/litmus_log.h"
#include "bench/barrier/litmus.h"
#include "bench/barrier/publish.h"
#include "lib/util.h"

/* As litmus7 prints it, with what stands around it. */
static const char sb[] =
	"%%%%%%%%%%%%%%\n"
	"% Results for SB.litmus %\n"
	"X86_64 SB\n"
	"\n"
	"Generated assembler\n"
	"\tmovl $1,(%rdx,%rcx)\n"
	"Test SB Allowed\n"
	"Histogram (4 states)\n"
	"3318  *>0:rax=0; 1:rax=0;\n"
	"498576:>0:rax=1; 1:rax=0;\n"
	"498074:>0:rax=0; 1:rax=1;\n"
	"32    :>0:rax=1; 1:rax=1;\n"
	"Ok\n"
	"\n"
	"Witnesses\n"
	"Positive: 3318, Negative: 996682\n"
	"Condition exists (0:rax=0 /\\ 1:rax=0) is validated\n"
	"Hash=055f9747fd517835a93f2f188e15e163\n"
	"Observation SB Sometimes 3318 996682\n"
	"Time SB 12.08\n";

static const char mp[] =
	"Test MP Allowed\n"
	"Histogram (2 states)\n"
	"600000:>1:r0=0; 1:r1=0;\n"
	"400000:>1:r0=1; 1:r1=1;\n"
	"No\n"
	"Observation MP Never 0 1000000\n";

static void reads_litmus7(void **state)
{
	struct litmus_result *r;

	(void)state;
	assert_int_equal(litmus_parse(sb, &r), 1);
	assert_string_equal(r->test, "SB");
	assert_int_equal(r->positive, 3318);
	assert_int_equal(r->negative, 996682);
	assert_int_equal(r->nr_states, 4);
	assert_string_equal(r->states[0].text, "0:rax=0; 1:rax=0;");
	assert_true(r->states[0].positive);
	assert_false(r->states[1].positive);
	assert_int_equal(r->states[3].count, 32);
	assert_true(fabs(r->seconds - 12.08) < 1e-9);
	litmus_results_free(r, 1);
}

static void several_in_a_log(void **state)
{
	char *both = xasprintf("%s%s", sb, mp);
	struct litmus_result *r;

	(void)state;
	assert_int_equal(litmus_parse(both, &r), 2);
	assert_string_equal(r[1].test, "MP");
	assert_int_equal(r[1].positive, 0);
	assert_int_equal(r[1].negative, 1000000);
	assert_true(isnan(r[1].seconds));
	litmus_results_free(r, 2);
	free(both);
}

static void refuses(const char *text, const char *why)
{
	struct litmus_result *r;

	assert_true(litmus_parse(text, &r) < 0);
	assert_non_null(strstr(fail_text(), why));
	assert_null(r);
}

static void refusals(void **state)
{
	(void)state;
	refuses("", "no litmus test");
	refuses("nothing of the kind\n", "no litmus test");
	refuses("Test X Allowed\n7     *>0:r0=0;\nObservation X Sometimes 8 0\n",
		"do not agree");
	refuses("Test X Allowed\nObservation X Never\n", "no numbers");
}

static void prints_what_it_reads(void **state)
{
	struct litmus_result *r, *again;
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(litmus_parse(sb, &r), 1);
	litmus_print(r, f);
	fclose(f);
	assert_non_null(strstr(text, "Test SB Allowed\nHistogram (4 states)\n3318  *>0:rax=0; 1:rax=0;\n498576:>"));
	assert_non_null(strstr(text, "\nObservation SB Sometimes 3318 996682\nTime SB 12.08\n"));
	assert_int_equal(litmus_parse(text, &again), 1);
	assert_int_equal(again->nr_states, r->nr_states);
	for (i = 0; i < r->nr_states; i++)
		assert_int_equal(again->states[i].count, r->states[i].count);
	litmus_results_free(r, 1);
	litmus_results_free(again, 1);
	free(text);
}

/* --- the tests that are compiled in --- */

static void every_test_is_whole(void **state)
{
	char text[128];
	size_t i;
	int o, p;

	(void)state;
	assert_true(litmus_tests_nr >= 54);
	for (i = 0; i < litmus_tests_nr; i++) {
		const struct litmus_test *t = &litmus_tests[i];

		assert_ptr_equal(litmus_find(t->name), t);
		assert_ptr_equal(litmus_find_variant(t->shape, t->barriers), t);
		assert_non_null(litmus_find_variant(t->shape, "none"));
		assert_int_equal(t->nr_vars, 2);
		assert_true(t->nr_procs >= 2 && t->nr_procs <= LITMUS_PROCS);
		for (p = 0; p < t->nr_procs; p++)
			assert_non_null(t->loop[p]);
		assert_true(t->nr_observed >= 2);
		/* what is observed stands in the condition, with its value */
		litmus_state_text(t, t->target, text);
		for (o = 0; o < t->nr_observed; o++) {
			char term[32];

			snprintf(term, sizeof(term), "%s=%u",
				 t->observed[o].name, t->target >> 2 * o & 3);
			assert_non_null(strstr(text, term));
			/* "[x]" is x there */
			if (term[0] == '[') {
				memmove(term, term + 1, strlen(term));
				memmove(term + 1, term + 2, strlen(term) - 1);
			}
			assert_non_null(strstr(t->condition, term));
		}
		/* a barrier more never allows more */
		for (p = 0; p < NR_MODELS; p++)
			if (litmus_find_variant(t->shape, "none")->verdict[p] ==
			    VERDICT_NEVER)
				assert_int_equal(t->verdict[p], VERDICT_NEVER);
		/* nor does hardware allow what the kernel's model forbids */
		if (t->verdict[MODEL_LKMM] == VERDICT_NEVER) {
			assert_int_equal(t->verdict[MODEL_AARCH64],
					 VERDICT_NEVER);
			assert_int_equal(t->verdict[MODEL_X86_64],
					 VERDICT_NEVER);
		}
	}
}

static void states(void **state)
{
	const struct litmus_test *t = litmus_find("MP+wmb+rmb");
	char text[128];

	(void)state;
	assert_string_equal(litmus_state_text(t, t->target, text),
			    "1:r0=1; 1:r1=0;");
	assert_string_equal(litmus_state_text(litmus_find("2+2W"), 1 | 2 << 2,
					      text), "[x]=1; [y]=2;");
}

/* What was agreed on in the discussion, and what was not enough. */
static void publish_verdicts(void **state)
{
	static const struct {
		enum publish_writer writer;
		enum publish_reader reader;
		enum publish_watch watch;
		const char *litmus;
		enum litmus_verdict lkmm;
	} known[] = {
		{ WRITER_NONE, READER_NONE, WATCH_FLAG, "MP",
		  VERDICT_SOMETIMES },
		{ WRITER_MB, READER_NONE, WATCH_FLAG, "MP+mb+po",
		  VERDICT_SOMETIMES },
		{ WRITER_MB, READER_CTRL, WATCH_FLAG, "MP+mb+ctrl",
		  VERDICT_SOMETIMES },
		{ WRITER_MB, READER_RMB, WATCH_FLAG, "MP+mb+rmb",
		  VERDICT_NEVER },
		{ WRITER_MB, READER_RMB, WATCH_INITIALISED, "MP+po+rmb",
		  VERDICT_SOMETIMES },
		{ WRITER_WMB, READER_RMB, WATCH_FLAG, "MP+wmb+rmb",
		  VERDICT_NEVER },
		{ WRITER_WMB, READER_FULL, WATCH_INITIALISED, "MP+wmb+mb",
		  VERDICT_NEVER },
		{ WRITER_WMB, READER_CTRL, WATCH_FLAG, "MP+wmb+ctrl",
		  VERDICT_SOMETIMES },
		{ WRITER_RELEASE, READER_ACQUIRE, WATCH_INITIALISED,
		  "MP+rel+acq", VERDICT_NEVER },
		{ WRITER_RELEASE, READER_ACQUIRE, WATCH_FLAG, "MP+po+acq",
		  VERDICT_SOMETIMES },
		{ WRITER_RELEASES, READER_ACQUIRE, WATCH_FLAG, "MP+rel+acq",
		  VERDICT_NEVER },
	};
	int w, r, x;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		const char *name = publish_litmus(known[i].writer,
						  known[i].reader,
						  known[i].watch);

		assert_string_equal(name, known[i].litmus);
		assert_int_equal(litmus_find(name)->verdict[MODEL_LKMM],
				 known[i].lkmm);
	}
	for (w = 0; w < NR_WRITERS; w++)
		for (r = 0; r < NR_READERS; r++)
			for (x = 0; x < NR_WATCHES; x++)
				assert_non_null(litmus_find(
						publish_litmus(w, r, x)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_litmus7),
		cmocka_unit_test(several_in_a_log),
		cmocka_unit_test(refusals),
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(every_test_is_whole),
		cmocka_unit_test(states),
		cmocka_unit_test(publish_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
