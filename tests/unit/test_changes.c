// SPDX-License-Identifier: GPL-2.0
/* The parts of ptelab changes that need no kernel: which lines a series
 * leaves, sequences aligned, Makefiles read, words without addresses. What is
 * made of images is in tests/analysis/changes.sh. */
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/code/align.h"
#include "analysis/code/changes.h"
#include "analysis/code/match.h"
#include "analysis/code/normal.h"
#include "analysis/code/patch.h"
#include "lib/util.h"
#include "tests/unit/folder.h"

static char *put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

/* --- patches --- */

static int add(struct patched *p, const char *text)
{
	char *path = put("x.patch", text);
	int ret = patch_add(p, path);

	free(path);
	return ret;
}

static const char first[] =
	"From: someone\n"
	"Subject: [PATCH 1/2] mm: a long subject that goes on in\n"
	" the next line\n"
	"\n"
	"---\n"
	" mm/a.c | 4 +++-\n"
	"\n"
	"diff --git a/mm/a.c b/mm/a.c\n"
	"--- a/mm/a.c\n"
	"+++ b/mm/a.c\n"
	"@@ -10,4 +10,6 @@ int f(void)\n"
	" one\n"
	"-two();\n"
	"+zwei();\n"
	"+	/* why */\n"
	"+drei();\n"
	" four\n"
	" five\n"
	"-- \n"
	"2.39\n";

static void assert_line(const struct patched_file *f, size_t i,
			unsigned int line, bool removed, bool code)
{
	assert_true(i < f->nr);
	assert_int_equal(f->lines[i].line, line);
	assert_int_equal(f->lines[i].removed, removed);
	assert_int_equal(f->lines[i].code, code);
}

static void test_one_patch(void **state)
{
	struct patched p = { 0 };

	(void)state;
	assert_int_equal(add(&p, first), 0);
	assert_string_equal(p.subject,
			    "mm: a long subject that goes on in the next line");
	assert_int_equal(p.nr, 1);
	assert_string_equal(p.files[0].name, "mm/a.c");
	assert_int_equal(p.files[0].nr, 3);
	assert_line(&p.files[0], 0, 11, false, true);
	assert_line(&p.files[0], 1, 12, false, false);
	assert_line(&p.files[0], 2, 13, false, true);
	patched_free(&p);
}

/* A later patch moves lines of an earlier one, and takes one away. */
static void test_series(void **state)
{
	struct patched p = { 0 };

	(void)state;
	assert_int_equal(add(&p, first), 0);
	assert_int_equal(add(&p,
		"--- a/mm/a.c\n+++ b/mm/a.c\n"
		"@@ -1,2 +1,3 @@\n x\n+in front();\n y\n"
		"@@ -11,3 +12,2 @@\n zwei();\n-	/* why */\n drei();\n"
		"--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1 @@\n+int x;\n"
		"--- a/mm/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-int x;\n"), 0);
	assert_int_equal(p.nr, 3);
	assert_int_equal(p.files[0].nr, 3);
	assert_line(&p.files[0], 0, 2, false, true);
	assert_line(&p.files[0], 1, 12, false, true);
	assert_line(&p.files[0], 2, 13, false, true);
	assert_string_equal(p.files[1].name, "mm/new.c");
	assert_line(&p.files[1], 0, 1, false, true);
	assert_string_equal(p.files[2].name, "mm/old.c");
	assert_line(&p.files[2], 0, 0, true, true);
	patched_free(&p);
}

static void test_no_patch(void **state)
{
	struct patched p = { 0 };

	(void)state;
	assert_int_equal(add(&p, ""), -EINVAL);
	assert_int_equal(add(&p, "--- a/x\n+++ b/x\n"), -EINVAL);
	assert_int_equal(add(&p, "@@ -1 +1 @@\n+x\n"), -EINVAL);
	/* more lines announced than there are */
	assert_int_equal(add(&p, "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n+y\n"), 0);
	assert_int_equal(p.files[0].nr, 1);
	patched_free(&p);
}

/* --- sequences --- */

struct texts {
	const char *a, *b;
};

static bool same_letter(void *data, size_t i, size_t k)
{
	const struct texts *t = data;

	return t->a[i] == t->b[k];
}

/* How many letters have a counterpart; that they are in order and the same. */
static size_t common(const char *a, const char *b)
{
	struct texts t = { a, b };
	int32_t map[64], last = -1;
	size_t i, n = 0;

	align(strlen(a), strlen(b), same_letter, &t, map);
	for (i = 0; i < strlen(a); i++) {
		if (map[i] < 0)
			continue;
		assert_true(map[i] > last);
		assert_true((size_t)map[i] < strlen(b));
		assert_int_equal(a[i], b[map[i]]);
		last = map[i];
		n++;
	}
	return n;
}

/* By the textbook: the table of all prefixes. */
static size_t longest(const char *a, const char *b)
{
	size_t n[64][64] = { 0 }, i, k;

	for (i = 1; i <= strlen(a); i++)
		for (k = 1; k <= strlen(b); k++)
			n[i][k] = a[i - 1] == b[k - 1] ? n[i - 1][k - 1] + 1 :
				n[i - 1][k] > n[i][k - 1] ? n[i - 1][k] :
				n[i][k - 1];
	return n[strlen(a)][strlen(b)];
}

static void test_align(void **state)
{
	char a[40], b[40];
	unsigned int seed = 1, i, k, n;

	(void)state;
	assert_int_equal(common("", ""), 0);
	assert_int_equal(common("abc", ""), 0);
	assert_int_equal(common("", "abc"), 0);
	assert_int_equal(common("abcabba", "cbabac"), 4);
	assert_int_equal(common("abc", "xyz"), 0);
	for (i = 0; i < 2000; i++) {
		n = rand_r(&seed) % 39;
		for (k = 0; k < n; k++)
			a[k] = 'a' + rand_r(&seed) % 4;
		a[n] = '\0';
		n = rand_r(&seed) % 39;
		for (k = 0; k < n; k++)
			b[k] = 'a' + rand_r(&seed) % 4;
		b[n] = '\0';
		assert_int_equal(common(a, b), longest(a, b));
	}
}

static void test_align_gaps(void **state)
{
	struct texts t = { "xaby", "xbay" };
	int32_t map[4] = { 0, -1, -1, 3 };
	size_t i, n = 0;

	(void)state;
	align_gaps(4, 4, same_letter, &t, map);
	for (i = 0; i < 4; i++)
		n += map[i] >= 0;
	assert_int_equal(n, 3);
	assert_int_equal(map[0], 0);
	assert_int_equal(map[3], 3);
}

/* --- names, words --- */

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(plain_name("foo"), 3);
	assert_int_equal(plain_name("foo.isra.0"), 3);
	assert_int_equal(plain_name("foo.constprop.0.isra.0"), 3);
	assert_int_equal(plain_name("foo.part.0.cold"), 3);
	assert_int_equal(plain_name("__func__.12"), 11);
}

static void test_words(void **state)
{
	int64_t off;

	(void)state;
	assert_true(insn_branch(0x14000002, &off));	/* b +8 */
	assert_int_equal(off, 8);
	assert_true(insn_branch(0x97ffffff, &off));	/* bl -4 */
	assert_int_equal(off, -4);
	assert_true(insn_branch(0x54ffffe1, &off));	/* b.ne -4 */
	assert_int_equal(off, -4);
	assert_true(insn_branch(0xb4000060, &off));	/* cbz x0, +12 */
	assert_int_equal(off, 12);
	assert_true(insn_branch(0x3607ffe0, &off));	/* tbz w0, #0, -4 */
	assert_int_equal(off, -4);
	assert_false(insn_branch(0xd65f03c0, &off));	/* ret */
	assert_true(insn_leaves(NULL, 0, 0xd65f03c0));
	assert_true(insn_leaves(NULL, 0, 0x14000002));
	assert_true(insn_leaves(NULL, 0, 0xd61f0020));		/* br x1 */
	assert_true(insn_leaves(NULL, 0, 0xd4210000));		/* brk #0x800 */
	assert_false(insn_leaves(NULL, 0, 0xd63f0020));		/* blr x1 */
	assert_false(insn_leaves(NULL, 0, 0x94000000));		/* bl */
	assert_false(insn_leaves(NULL, 0, 0x54000041));		/* b.ne */
	/* add x0, x1, #1 and add x2, x3, #7 are one shape, sub is not */
	assert_int_equal(insn_shape(0x91000420), insn_shape(0x91001c62));
	assert_int_not_equal(insn_shape(0x91000420), insn_shape(0xd1000420));
}

/* --- Makefiles --- */

static void put_in(const char *folder, const char *name, const char *text)
{
	char *path = xasprintf("%s/tree/%s", dir, folder), *file;

	assert_int_equal(make_dirs(path), 0);
	file = xasprintf("tree/%s/%s", folder, name);
	free(put(file, text));
	free(file);
	free(path);
}

static void assert_option(const char *file, const char *want)
{
	char *tree = xasprintf("%s/tree", dir);
	char *got = kbuild_option(tree, file);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
	free(tree);
}

static void test_kbuild(void **state)
{
	(void)state;
	put_in("mm", "Makefile",
	       "mmu-y := nommu.o\n"
	       "mmu-$(CONFIG_MMU)	:= highmem.o memory.o \\\n"
	       "			   mincore.o mlock.o\n"
	       "obj-y := filemap.o $(mmu-y)\n"
	       "obj-$(CONFIG_NUMA) += mempolicy.o\n"
	       "memory-hotplug-objs := hotplug.o\n"
	       "obj-$(CONFIG_MEMORY_HOTPLUG) += memory-hotplug.o\n"
	       "CFLAGS_filemap.o := -O1\n");
	put_in("drivers/vfio", "Makefile",
	       "vfio-y += vfio_main.o\n"
	       "obj-$(CONFIG_VFIO) += vfio.o\n"
	       "obj-$(CONFIG_VFIO_CDX) += cdx/\n");
	put_in("drivers/vfio/cdx", "Makefile", "obj-m := main.o\n");
	assert_option("mm/mempolicy.c", "CONFIG_NUMA");
	assert_option("mm/mincore.c", "CONFIG_MMU");
	assert_option("mm/hotplug.c", "CONFIG_MEMORY_HOTPLUG");
	assert_option("mm/filemap.c", NULL);
	assert_option("mm/policy.c", NULL);
	assert_option("drivers/vfio/vfio_main.c", "CONFIG_VFIO");
	assert_option("drivers/vfio/cdx/main.c", "CONFIG_VFIO_CDX");
	assert_option("nowhere/x.c", NULL);
	assert_option("x.c", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_patch),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_no_patch),
		cmocka_unit_test(test_align),
		cmocka_unit_test(test_align_gaps),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_kbuild),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
