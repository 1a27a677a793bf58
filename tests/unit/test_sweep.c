// SPDX-License-Identifier: GPL-2.0
/* Sweep files: what is wrong is named by line and key; every cell comes once. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/sweep.h"
#include "lib/util.h"

/* libconfig 1.5 forgets what it has read of a text that does not end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\n";
}

static char path[] = "/tmp/ptelab-sweep-XXXXXX";

static struct sweep *load(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return sweep_load(path);
}

static struct sweep *loaded(const char *text)
{
	struct sweep *s = load(text);

	if (!s)
		fail_msg("refused: %s", fail_text());
	return s;
}

/* @why must come with the file's name and @line before it. */
static void refused(const char *text, unsigned int line, const char *why)
{
	struct sweep *s = load(text);
	char *place;

	assert_null(s);
	place = line ? xasprintf("%s:%u: ", path, line) :
		xasprintf("%s: ", path);
	if (strncmp(fail_text(), place, strlen(place)) ||
	    !strstr(fail_text(), why))
		fail_msg("'%s' does not say '%s... %s'", fail_text(), place,
			 why);
	free(place);
}

static void errors_name_line_and_key(void **state)
{
	(void)state;
	refused("bench = [ \"gup.futex\" ];\nboot = 3;\n", 2,
		"boot: no such key; did you mean boots?");
	refused("bench = [ \"gup.futex\" ];\n\nboots = 0;\n", 3,
		"boots: takes a whole number from 1 to 1000");
	refused("bench = [ \"gup.futex\" ];\nboots = 2.5;\n", 2, "boots: ");
	refused("bench = [ \"gup.futex\",\n\"gup.futx\" ];\n", 2,
		"bench: no benchmark 'gup.futx'; did you mean gup.futex?");
	refused("bench = [ \"gup.futex\" ];\nparam = [ \"nonsense=1\" ];\n", 2,
		"param: ");
	refused("bench = [ \"gup.futex\" ];\norder = \"abab\";\n", 2,
		"order: takes abba or blocks");
	refused("bench = [ \"gup.futex\" ];\ntune = 1;\n", 2,
		"tune: takes true or false");
	refused("bench = [ 3 ];\n", 1, "bench: takes texts");
	refused("bench = [ ];\n", 1, "bench: is empty");
	refused("boots = 3;\n", 0, "bench: is missing");
	refused("bench = [ \"gup.futex\" ];\nboots = ;\n", 2, "syntax error");
	refused("", 0, "bench: is missing");
}

static void kernels_are_checked(void **state)
{
#define B "bench = [ \"gup.futex\" ];\n"
	(void)state;
	refused(B "kernels = ( { name = \"a\"; } );\n", 2,
		"'a' needs one of release, deb and image");
	refused(B "kernels = ( { name = \"a\"; release = \"1\"; deb = \"b\"; } );\n",
		2, "'a' needs one of");
	refused(B "kernels = ( { name = \"a\"; releas = \"1\"; } );\n", 2,
		"releas: a kernel has no such key; did you mean release?");
	refused(B "kernels = ( { name = \"a/b\"; release = \"1\"; } );\n", 2,
		"kernels: each kernel needs a name");
	refused(B "kernels = ( { release = \"1\"; } );\n", 2, "needs a name");
	refused(B "kernels = (\n{ name = \"a\"; release = \"1\"; },\n{ name = \"a\"; release = \"2\"; } );\n",
		4, "two kernels have the name 'a'");
	refused(B "kernels = \"a\";\n", 2, "takes a list of groups");
#undef B
}

/* Every kernel gets its boots, each once, numbered in their order. */
static void check_cells(struct sweep *s)
{
	unsigned int boot[8] = { 0 };
	struct sweep_cell *c;
	size_t nr, i;

	c = sweep_cells(s, &nr);
	assert_int_equal(nr, s->nr_kernels * s->boots);
	for (i = 0; i < nr; i++) {
		assert_true(c[i].kernel < s->nr_kernels);
		assert_int_equal(c[i].boot, ++boot[c[i].kernel]);
	}
	for (i = 0; i < s->nr_kernels; i++)
		assert_int_equal(boot[i], s->boots);
	free(c);
}

static void every_cell_once(void **state)
{
	static const char *const order[] = { "abba", "blocks" };
	unsigned int kernels, boots, o;

	(void)state;
	for (o = 0; o < 2; o++)
		for (kernels = 1; kernels <= 5; kernels++)
			for (boots = 1; boots <= 9; boots++) {
				char *text = xasprintf("bench=\"gup.futex\"; order=\"%s\"; boots=%u; seed=%u;",
						       order[o], boots,
						       kernels * boots);
				struct sweep *s = loaded(text);
				unsigned int k;

				for (k = 0; k < kernels; k++) {
					char *add = xasprintf("k%u=r%u", k, k);

					assert_int_equal(sweep_add_kernel(s, add), 0);
					free(add);
				}
				check_cells(s);
				sweep_free(s);
				free(text);
			}
}

/* A drift over the night must fall on all kernels alike. */
static void abba_is_balanced(void **state)
{
	struct sweep *s = loaded("bench=\"gup.futex\"; boots=6; kernels=({name=\"a\";release=\"1\";},{name=\"b\";release=\"2\";},{name=\"c\";release=\"3\";});");
	size_t nr, i, place[3] = { 0 };
	struct sweep_cell *c = sweep_cells(s, &nr);

	(void)state;
	for (i = 0; i < nr; i++)
		place[c[i].kernel] += i;
	assert_int_equal(place[0], place[1]);
	assert_int_equal(place[1], place[2]);
	free(c);
	sweep_free(s);
}

static void seed_decides(void **state)
{
	struct sweep *a, *b, *other;
	struct sweep_cell *ca, *cb, *co;
	size_t nr;
	bool differs = false;
	size_t i;

	(void)state;
#define K "bench=\"gup.futex\"; order=\"blocks\"; boots=20; kernels=({name=\"a\";release=\"1\";},{name=\"b\";release=\"2\";});"
	a = loaded(K "seed=1;");
	b = loaded(K "seed=1;");
	other = loaded(K "seed=2;");
#undef K
	ca = sweep_cells(a, &nr);
	cb = sweep_cells(b, &nr);
	co = sweep_cells(other, &nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(ca[i].kernel, cb[i].kernel);
		differs |= ca[i].kernel != co[i].kernel;
	}
	assert_true(differs);
	free(ca);
	free(cb);
	free(co);
	sweep_free(a);
	sweep_free(b);
	sweep_free(other);
}

static void kernels_on_the_command_line(void **state)
{
	struct sweep *s = loaded("bench=\"gup.futex\"; kernels=({name=\"base\";release=\"1\";});");

	(void)state;
	assert_int_equal(sweep_add_kernel(s, "base=/x/a.deb"), 0);
	assert_int_equal(sweep_add_kernel(s, "new=/x/Image,m.tar.xz"), 0);
	assert_int_equal(sweep_add_kernel(s, "old=6.1.0-9-arm64"), 0);
	assert_int_equal(s->nr_kernels, 3);
	assert_null(s->kernel[0].release);
	assert_string_equal(s->kernel[0].deb, "/x/a.deb");
	assert_string_equal(s->kernel[1].image, "/x/Image");
	assert_string_equal(s->kernel[1].modules, "m.tar.xz");
	assert_string_equal(s->kernel[2].release, "6.1.0-9-arm64");
	assert_int_equal(sweep_add_kernel(s, "base"), -EINVAL);
	assert_int_equal(sweep_add_kernel(s, "../x=1"), -EINVAL);
	assert_non_null(sweep_find_kernel(s, "new"));
	assert_null(sweep_find_kernel(s, "bse"));
	assert_non_null(strstr(fail_text(), "did you mean base?"));
	sweep_free(s);
}

static void files_are_beside_the_file(void **state)
{
	struct sweep *s = loaded("bench=\"gup.futex\"; kernels=({name=\"a\";deb=\"x.deb\";},{name=\"b\";deb=\"/y.deb\";});");

	(void)state;
	assert_string_equal(s->kernel[0].deb, "/tmp/x.deb");
	assert_string_equal(s->kernel[1].deb, "/y.deb");
	sweep_free(s);
}

/* 2 kernels, 60 s a boot and 2 points of 30 s: 2 minutes a cell. */
static void budget(void **state)
{
	struct sweep *s = loaded("bench=\"gup.futex\"; boots=10; boot_seconds=60; point_seconds=30; minutes=13; kernels=({name=\"a\";release=\"1\";},{name=\"b\";release=\"2\";});");

	(void)state;
	assert_float_equal(sweep_seconds(s, 1), 120, 1e-9);
	assert_int_equal(sweep_fit(s), 0);
	assert_int_equal(s->boots, 3);
	s->minutes = 7;
	assert_int_equal(sweep_fit(s), -ETIME);
	assert_non_null(strstr(fail_text(), "take 8"));
	sweep_free(s);
}

/* Damaged files are refused or read, never worse. */
static void damage(void **state)
{
	static const char text[] = "bench = [ \"gup.futex\" ]; boots = 3;\nkernels = ( { name = \"a\"; deb = \"b.deb\"; } );\norder = \"blocks\"; min_batch_ms = 1.5;\n";
	unsigned int seed = 1;
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		copy[rand_r(&seed) % (sizeof(text) - 1)] =
			" ;=[](){}\"a0\n#/,"[rand_r(&seed) % 16];
		if (i % 3 == 0)
			copy[rand_r(&seed) % (sizeof(text) - 1)] = '\0';
		sweep_free(load(copy));
	}
}

/* The file that says "every benchmark" keeps its word when one is added. */
static void full_is_every_benchmark(void **state)
{
	struct sweep *s = sweep_load("scripts/sweeps/full.cfg");
	const struct bench *const *b;
	size_t i;

	(void)state;
	assert_non_null(s);
	for (b = bench_all(); *b; b++) {
		if ((*b)->hidden)
			continue;
		for (i = 0; i < s->points.nr; i++)
			if (s->points.points[i].bench == *b)
				break;
		if (i == s->points.nr)
			fail_msg("%s is not in full.cfg", (*b)->name);
	}
	sweep_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_name_line_and_key),
		cmocka_unit_test(full_is_every_benchmark),
		cmocka_unit_test(kernels_are_checked),
		cmocka_unit_test(every_cell_once),
		cmocka_unit_test(abba_is_balanced),
		cmocka_unit_test(seed_decides),
		cmocka_unit_test(kernels_on_the_command_line),
		cmocka_unit_test(files_are_beside_the_file),
		cmocka_unit_test(budget),
		cmocka_unit_test(damage),
	};
	int fd = mkstemp(path), ret;

	close(fd);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return ret;
}
