// SPDX-License-Identifier: GPL-2.0
/* What the mmio family refuses, and why; and PCI devices, in a made-up tree. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/mmio/mmio.h"
#include "lib/journal.h"
#include "lib/util.h"

/* --- refusals: one thing changed in what nothing speaks against --- */

static struct mmio_ask fine(void)
{
	struct mmio_ask a = {
		.map = MAP_WC, .sequence = "str8", .size = 64,
		.window = 65536, .arch = MMIO_ARM64, .cpu_flags = NULL,
		.bar = { .address = "0000:00:03.0", .nr = 2, .size = MIB,
			 .prefetchable = true, .vendor = 0x15b3 },
	};

	return a;
}

static void refuses(const struct mmio_ask *a, const char *part)
{
	const char *why = mmio_refused(a);

	if (!part) {
		if (why)
			fail_msg("refused: %s", why);
		return;
	}
	if (!why || !strstr(why, part))
		fail_msg("'%s' is not in '%s'", part, why ? why : "(nothing)");
}

static void refusals(void **state)
{
	struct mmio_ask a = fine();

	(void)state;
	refuses(&a, NULL);
	a.bar.size = 65536;
	refuses(&a, NULL);
	a.offset = 8;
	refuses(&a, "BAR 2 of 0000:00:03.0 is too small: it has 65536 bytes, and window, size and offset need 65544");
	a.pattern = MMIO_PINGPONG;
	refuses(&a, NULL);
	a.pattern = MMIO_SAME;
	refuses(&a, "does not fit in one line");
	a.offset = 0;
	refuses(&a, NULL);
	a = fine();
	a.bar.prefetchable = false;
	refuses(&a, "not prefetchable");
	a.map = MAP_DEVICE;
	refuses(&a, NULL);
	strcpy(a.bar.driver, "mlx5_core");
	refuses(&a, "belongs to the driver mlx5_core; force=yes");
	a.force = true;
	refuses(&a, NULL);
	a = fine();
	strcpy(a.bar.driver, "vfio-pci");
	refuses(&a, "belongs to the driver vfio-pci");
	a.map = MAP_VFIO;
	refuses(&a, NULL);
	a = fine();
	a.size = 4;
	refuses(&a, "size=8 or more");
	a = fine();
	a.size = 4096;
	a.window = 64;
	refuses(&a, "window=4096 or more");
	a = fine();
	a.sequence = "movdir64b";
	refuses(&a, "the other architecture");
	a.sequence = "memcpy_toio";
	refuses(&a, "is a kernel function");
	a.map = MAP_IOREMAP;
	refuses(&a, NULL);
	a.sequence = "stp";
	refuses(&a, "no kernel function stores with stp");
}

static void features(void **state)
{
	struct mmio_ask a = fine();

	(void)state;
	a.sequence = "st64b";
	a.cpu_flags = "Features\t: fp asimd ls64_v\n";
	refuses(&a, "no st64b (ls64)");
	a.cpu_flags = "Features\t: fp asimd ls64\n";
	refuses(&a, NULL);
	a.offset = 8;
	refuses(&a, "multiples of 64");
	a.sequence = "neon64";
	refuses(&a, NULL);
	a.flush = MMIO_DGH;
	refuses(&a, NULL);
	a = fine();
	a.arch = MMIO_X86;
	a.sequence = "mov8";
	a.flush = MMIO_DGH;
	refuses(&a, "arm64");
}

/* Faults on memory of any type, also where stores of one register don't. */
static void movdir64b(void **state)
{
	struct mmio_ask a = fine();
	unsigned int map;

	(void)state;
	a.arch = MMIO_X86;
	a.guest = MEM_NC;
	a.sequence = "movdir64b";
	a.cpu_flags = "flags\t\t: movdiri\n";
	refuses(&a, "no movdir64b");
	a.cpu_flags = "flags\t\t: movdiri movdir64b\n";
	for (map = MAP_DEVICE; map <= MAP_GUEST; map++) {
		a.map = map;
		a.offset = 0;
		refuses(&a, NULL);
		a.offset = 8;
		refuses(&a, "multiples of 64");
	}
	a.map = MAP_RAM;
	refuses(&a, "multiples of 64");
	a.offset = 0;
	refuses(&a, NULL);
	a.size = 32;
	refuses(&a, "size=64 or more");
}

/* Alignment: what Device memory does not take, Normal-NC does. */
static void alignment(void **state)
{
	static const struct {
		enum mmio_map map;
		enum mmio_backing backing;
		unsigned int guest;
		bool device;
	} cases[] = {
		{ MAP_DEVICE, 0, 0, true },
		{ MAP_VFIO, 0, 0, true },
		{ MAP_WC, 0, 0, false },
		{ MAP_RAM, 0, 0, false },
		{ MAP_GUEST, BACKING_VFIO, MEM_NC, false },
		{ MAP_GUEST, BACKING_VFIO, MEM_NGNRE, true },
		{ MAP_GUEST, BACKING_VFIO, GUEST_MIXED, true },
		{ MAP_GUEST, BACKING_SYSFS, MEM_NC, true },
		{ MAP_GUEST, BACKING_RAM, MEM_NGNRE, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mmio_ask a = fine();

		a.map = cases[i].map;
		a.backing = cases[i].backing;
		a.guest = cases[i].guest;
		a.offset = 4;
		refuses(&a, cases[i].device ? "alignment fault" : NULL);
		a.sequence = "str4";
		refuses(&a, NULL);
	}
}

/* In a VM: stores without a syndrome to BARs that exist in VMMs only. */
static void trapped(void **state)
{
	struct mmio_ask a = fine();
	unsigned int i;
	static const char *const no[] = { "stp", "neon64" };

	(void)state;
	a.virtual = true;
	a.bar.vendor = 0x1b36;
	a.bar.device = 0x0010;
	for (i = 0; i < ARRAY_SIZE(no); i++) {
		a.sequence = no[i];
		refuses(&a, "traps without a syndrome");
		/* A memslot does not trap. */
		a.map = MAP_GUEST;
		refuses(&a, NULL);
		a.map = MAP_WC;
	}
	a.sequence = "str8";
	refuses(&a, NULL);
	a.sequence = "stp";
	a.virtual = false;
	refuses(&a, NULL);
	a.virtual = true;
	a.bar.vendor = 0x15b3;		/* passed through */
	refuses(&a, NULL);
	a.bar.vendor = 0x1af4;		/* ivshmem's memory is memory */
	a.bar.device = 0x1110;
	refuses(&a, NULL);
	a.bar.nr = 0;
	refuses(&a, "traps without a syndrome");
}

/* --- PCI devices --- */

static char *root;

static void put(const char *text, const char *fmt, const char *arg)
{
	char *name = xasprintf(fmt, arg), *path, *dir;
	FILE *f;

	path = xasprintf("%s/%s", root, name);
	dir = xstrdup(path);
	*strrchr(dir, '/') = 0;
	assert_int_equal(make_dirs(dir), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(dir);
	free(path);
	free(name);
}

static void device(const char *address, const char *vendor, const char *id,
		   const char *resource)
{
	put(vendor, "devices/%s/vendor", address);
	put(id, "devices/%s/device", address);
	put(resource, "devices/%s/resource", address);
	put("(null)\n", "devices/%s/driver_override", address);
	put("0\n", "devices/%s/enable", address);
}

static char *content(const char *fmt, const char *arg)
{
	char *name = xasprintf(fmt, arg);
	char *text = read_line("%s/%s", root, name);

	free(name);
	return text;
}

static void is(const char *fmt, const char *arg, const char *want)
{
	char *got = content(fmt, arg);

	assert_string_equal(got ? got : "(no file)", want);
	free(got);
}

static int make_tree(void **state)
{
	char name[] = "/tmp/ptelab-pci.XXXXXX", *path, *run;
	int ret;

	(void)state;
	root = xstrdup(mkdtemp(name));
	pci_root = root;
	device("0000:00:03.0", "0x1b36\n", "0x0010\n",
	       "0x0000000010000000 0x0000000010003fff 0x0000000000140204\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	       "0x0000008000000000 0x00000080001fffff 0x000000000014220c\n"
	       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
	       "0x0000000010004000 0x0000000010004fff 0x0000000000040200\n"
	       "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n");
	device("0000:00:04.0", "0x1af4\n", "0x1110\n",
	       "0x0000000010005000 0x00000000100050ff 0x0000000000040200\n");
	device("0001:02:1f.7", "0x1af4\n", "0x1110\n",
	       "0x0000000010006000 0x00000000100060ff 0x0000000000040200\n");
	device("0000:00:05.0", "0x8086\n", "0x1234\n",
	       "0x000000000000c000 0x000000000000c01f 0x0000000000040101\n");
	put("", "drivers_probe%s", "");
	put("", "drivers/nvme/unbind%s", "");
	put("", "drivers/vfio-pci/bind%s", "");
	put("", "drivers/vfio-pci/unbind%s", "");
	path = xasprintf("%s/devices/0000:00:03.0/driver", root);
	run = xasprintf("%s/drivers/nvme", root);
	assert_int_equal(symlink(run, path), 0);
	free(run);
	free(path);
	run = xasprintf("%s/run", root);
	ret = journal_open(run, 0, NULL);
	free(run);
	return ret;
}

static int drop_tree(void **state)
{
	char *command = xasprintf("rm -rf '%s'", root);
	int ret;

	(void)state;
	journal_close();
	ret = system(command);
	free(command);
	free(root);
	return ret;
}

static void finds(void **state)
{
	static const char *const names[] = {
		"0000:00:03.0", "00:03.0", "00:03.0/2", "1b36:0010",
		"1b36:0010/2", "/sys/devices/x/0000:00:03.0/resource2",
		"/sys/bus/pci/devices/0000:00:03.0/resource2_wc",
	};
	struct pci_bar b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(pci_bar_find(names[i], &b), 0);
		assert_string_equal(b.address, "0000:00:03.0");
		assert_int_equal(b.nr, 2);
		assert_true(b.prefetchable);
		assert_int_equal(b.size, 2 * MIB);
		assert_int_equal(b.phys, 0x8000000000);
		assert_int_equal(b.vendor, 0x1b36);
		assert_string_equal(b.driver, "nvme");
	}
	assert_int_equal(pci_bar_find("00:03.0/0", &b), 0);
	assert_false(b.prefetchable);
	assert_int_equal(b.size, 16384);
	assert_int_equal(pci_bar_find("0001:02:1f.7", &b), 0);
	assert_int_equal(b.nr, 0);
	assert_string_equal(b.driver, "");
}

static void finds_not(void **state)
{
	static const struct {
		const char *name, *part;
	} cases[] = {
		{ "00:03.0/1", "not a memory BAR" },
		{ "00:03.0/5", "not a memory BAR" },
		{ "00:03.0/6", "BAR is 0 to 5" },
		{ "00:03.0/12", "BAR is 0 to 5" },
		{ "00:05.0", "has no memory BAR" },
		{ "00:06.0", "no such PCI device" },
		{ "1af4:1110", "2 devices match" },
		{ "1af4:1111", "no such PCI device" },
		{ "nvme", "write an address" },
		{ "", "write an address" },
		{ "00:03", "write an address" },
		{ "/dev/mem", "not a resource file" },
	};
	struct pci_bar b;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(pci_bar_find(cases[i].name, &b) < 0);
		if (!strstr(fail_text(), cases[i].part))
			fail_msg("%s: %s", cases[i].name, fail_text());
	}
}

/* What is written where, and what back. */
static void takes_and_gives_back(void **state)
{
	const char *at = "0000:00:03.0";
	struct pci_bar b;
	long mark = journal_mark();

	(void)state;
	assert_int_equal(pci_bar_find("00:03.0", &b), 0);
	assert_int_equal(pci_take(&b, "vfio-pci", false), -EBUSY);
	is("drivers/nvme/unbind%s", "", "");

	assert_int_equal(pci_take(&b, "vfio-pci", true), 0);
	is("drivers/nvme/unbind%s", "", at);
	is("devices/%s/driver_override", at, "vfio-pci");
	is("drivers/vfio-pci/bind%s", "", at);
	is("drivers/vfio-pci/unbind%s", "", "");
	is("drivers_probe%s", "", "");

	assert_int_equal(journal_restore_to(mark), 0);
	is("drivers/vfio-pci/unbind%s", "", at);
	is("devices/%s/driver_override", at, "");
	is("drivers_probe%s", "", at);

	/* somebody else's choice of a driver comes back */
	put("uio_pci_generic\n", "devices/%s/driver_override", at);
	assert_int_equal(pci_take(&b, "vfio-pci", true), 0);
	is("devices/%s/driver_override", at, "vfio-pci");
	assert_int_equal(journal_restore_to(mark), 0);
	is("devices/%s/driver_override", at, "uio_pci_generic");

	/* without a driver it is only turned on */
	assert_int_equal(pci_bar_find("0001:02:1f.7", &b), 0);
	assert_int_equal(pci_take(&b, NULL, false), 0);
	is("devices/%s/enable", "0001:02:1f.7", "1");
	assert_int_equal(journal_restore_to(mark), 0);
	is("devices/%s/enable", "0001:02:1f.7", "0");

	assert_int_equal(pci_take(&b, "nosuch", false), -EOPNOTSUPP);
	journal_restore_to(mark);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(features),
		cmocka_unit_test(movdir64b),
		cmocka_unit_test(alignment),
		cmocka_unit_test(trapped),
		cmocka_unit_test(finds),
		cmocka_unit_test(finds_not),
		cmocka_unit_test(takes_and_gives_back),
	};

	return cmocka_run_group_tests(tests, make_tree, drop_tree);
}
