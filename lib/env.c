// SPDX-License-Identifier: GPL-2.0
/* See env.h. */
#include "lib/env.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/util.h"
#include "lib/version.h"

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *p = text;

	while ((p = strstr(p, word))) {
		if ((p == text || p[-1] == ' ') &&
		    (!p[n] || p[n] == ' ' || p[n] == '\n'))
			return true;
		p += n;
	}
	return false;
}

/* Returns the value of "KEY<blanks>:" in /proc/cpuinfo; the caller frees. */
static char *cpuinfo_value(const char *text, const char *key)
{
	size_t n = strlen(key);
	const char *p = text, *end;

	while (p) {
		if (!strncmp(p, key, n) && (p[n] == '\t' || p[n] == ' ' ||
					    p[n] == ':')) {
			p = strchr(p, ':');
			if (!p)
				return NULL;
			p += strspn(p, ": \t");
			end = strchrnul(p, '\n');
			return xstrndup(p, end - p);
		}
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return NULL;
}

static unsigned long long midr(void)
{
	char *text = read_line("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
	unsigned long long value = text ? strtoull(text, NULL, 0) : 0;

	free(text);
	return value;
}

const struct machine *machine_get(void)
{
	static struct machine m;
	char *cmdline, *cpuinfo, *s;

	if (m.mode)
		return &m;
	m.mode = "timed";
	cmdline = read_line("/proc/cmdline");
	cpuinfo = read_file("/proc/cpuinfo", NULL);
	if (cmdline && has_word(cmdline, "ptelab.machine=tcg-icount")) {
		m.kind = MACHINE_EMULATED;
		m.clock_emulated = m.icount = true;
		m.mode = "exact";
		m.detail = xstrdup("QEMU TCG with icount");
	} else if ((cmdline && has_word(cmdline, "ptelab.machine=tcg")) ||
		   /* implementer 0, part 0x51: QEMU's own "max" CPU */
		   (midr() && (midr() & 0xff00fff0) == 0x00000510)) {
		m.kind = MACHINE_EMULATED;
		m.clock_emulated = true;
		m.mode = "race";
		m.detail = xstrdup("QEMU TCG");
	} else if ((s = read_line("/sys/hypervisor/type"))) {
		m.kind = MACHINE_VIRTUAL;
		m.detail = s;
	} else if (cpuinfo && strstr(cpuinfo, " hypervisor")) {
		m.kind = MACHINE_VIRTUAL;
		m.detail = xstrdup("hypervisor bit set in CPUID");
	} else if (readable("/proc/device-tree/hypervisor/compatible") ||
		   ((s = read_line("/sys/class/dmi/id/sys_vendor")) &&
		    (strstr(s, "QEMU") || strstr(s, "Amazon EC2")) &&
		    !readable("/sys/firmware/efi/fw_vendor"))) {
		m.kind = MACHINE_VIRTUAL;
		m.detail = xstrdup("device tree or firmware names a hypervisor");
	} else {
		m.kind = MACHINE_BARE;
	}
	free(cmdline);
	free(cpuinfo);
	return &m;
}

char *env_kernel_build_id(void)
{
	size_t len, at = 0;
	char *notes = read_file("/sys/kernel/notes", &len), *hex = NULL;

	while (notes && at + sizeof(Elf64_Nhdr) <= len) {
		Elf64_Nhdr n;
		size_t name, desc;

		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		desc = name + ((n.n_namesz + 3) & ~3U);
		at = desc + ((n.n_descsz + 3) & ~3U);
		if (at > len)
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(notes + name, "GNU", 4)) {
			unsigned int i;

			hex = xcalloc(2 * n.n_descsz + 1, 1);
			for (i = 0; i < n.n_descsz; i++)
				sprintf(hex + 2 * i, "%02x",
					(unsigned char)notes[desc + i]);
			break;
		}
	}
	free(notes);
	return hex;
}

/* Returns the configuration of the running kernel; NULL if there is none. */
static char *kernel_config(size_t *len)
{
	size_t size = 0, room = 1 << 20;
	struct utsname u;
	char *text, *path;
	gzFile gz;
	int n;

	gz = gzopen("/proc/config.gz", "rb");
	if (!gz) {
		uname(&u);
		path = xasprintf("/boot/config-%s", u.release);
		text = read_file(path, len);
		free(path);
		return text;
	}
	text = xcalloc(1, room);
	while ((n = gzread(gz, text + size, room - size - 1)) > 0) {
		size += n;
		if (size + 1 == room) {
			room *= 2;
			text = xrealloc(text, room);
		}
	}
	gzclose(gz);
	text[size] = '\0';
	*len = size;
	return text;
}

static void put_file(json_t *o, const char *key, const char *path)
{
	char *text = read_line("%s", path), *open, *close;

	if (!text)
		return;
	/* a list of choices: take the selected one */
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		json_object_set_new(o, key, json_string(open + 1));
	} else {
		json_object_set_new(o, key, json_string(text));
	}
	free(text);
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	return versionsort(a, b);
}

static void put_folder(json_t *o, const char *dir, const char *prefix,
		       const char *file, const char *key)
{
	struct dirent **names;
	int i, nr = scandir(dir, &names, NULL, by_number);

	for (i = 0; i < nr; i++) {
		const char *name = names[i]->d_name;

		if (name[0] != '.' && !strncmp(name, prefix, strlen(prefix))) {
			char *path = xasprintf("%s/%s%s%s", dir, name,
					       *file ? "/" : "", file);
			char *k = xasprintf(key, name + strlen(prefix));

			put_file(o, k, path);
			free(path);
			free(k);
		}
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
}

static void put_swap(json_t *o)
{
	char *text = read_file("/proc/swaps", NULL);
	const char *p = text ? strchr(text, '\n') : NULL;

	if (p)
		json_object_set_new(o, "swap",
				    json_string(p[1] ? "on" : "none"));
	free(text);
}

static void put_features(json_t *o)
{
	char *text = read_file("/proc/cpuinfo", NULL), *f = NULL;

	if (text) {
		f = cpuinfo_value(text, "Features");
		if (!f)
			f = cpuinfo_value(text, "flags");
	}
	if (f)
		json_object_set_new(o, "cpu.features", json_string(f));
	free(f);
	if (text && (f = cpuinfo_value(text, "microcode"))) {
		json_object_set_new(o, "cpu.microcode", json_string(f));
		free(f);
	}
	free(text);
}

/*
 * Extracts "gcc 12.2.0" from the second pair of parentheses in /proc/version:
 * "Linux version R (who@where) (gcc (Debian 12.2.0-14) 12.2.0, GNU ld ...) ..."
 */
static void put_compiler(json_t *o)
{
	char *text = read_line("/proc/version"), *p, *end;
	int depth = 1;

	p = text ? strstr(text, ") (") : NULL;
	if (p) {
		p += 3;
		for (end = p; *end && depth; end++)
			depth += (*end == '(') - (*end == ')');
		end[depth ? 0 : -1] = '\0';
		json_object_set_new(o, "compiler", json_string(p));
	}
	free(text);
}

#define THP	"/sys/kernel/mm/transparent_hugepage"
#define CPU	"/sys/devices/system/cpu"

json_t *env_settings(void)
{
	static const struct { const char *key, *path; } files[] = {
		{ "thp.enabled", THP "/enabled" },
		{ "thp.defrag", THP "/defrag" },
		{ "thp.shmem_enabled", THP "/shmem_enabled" },
		{ "thp.khugepaged_defrag", THP "/khugepaged/defrag" },
		{ "mglru", "/sys/kernel/mm/lru_gen/enabled" },
		{ "numa_balancing", "/proc/sys/kernel/numa_balancing" },
		{ "numa_nodes", "/sys/devices/system/node/online" },
		{ "ksm.run", "/sys/kernel/mm/ksm/run" },
		{ "aslr", "/proc/sys/kernel/randomize_va_space" },
		{ "governor", CPU "/cpu0/cpufreq/scaling_governor" },
		{ "no_turbo", CPU "/intel_pstate/no_turbo" },
		{ "boost", CPU "/cpufreq/boost" },
		{ "smt", CPU "/smt/control" },
		{ "isolated_cpus", CPU "/isolated" },
		{ "nohz_full", CPU "/nohz_full" },
		{ "watchdog", "/proc/sys/kernel/watchdog" },
		{ "timer_migration", "/proc/sys/kernel/timer_migration" },
		{ "compaction_proactiveness",
		  "/proc/sys/vm/compaction_proactiveness" },
		{ "perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid" },
		{ "perf_user_access", "/proc/sys/kernel/perf_user_access" },
		{ "clocksource",
		  "/sys/devices/system/clocksource/clocksource0/current_clocksource" },
	};
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		put_file(o, files[i].key, files[i].path);
	put_folder(o, THP, "hugepages-", "enabled", "thp.%s");
	put_folder(o, THP, "hugepages-", "shmem_enabled", "thp.shmem.%s");
	put_folder(o, CPU "/vulnerabilities", "", "", "mitigations.%s");
	put_swap(o);
	put_features(o);
	put_compiler(o);
	return o;
}

static json_t *string_or_null(char *s)
{
	json_t *j = s ? json_string(s) : json_null();

	free(s);
	return j;
}

static json_t *cpu_json(void)
{
	char *text = read_file("/proc/cpuinfo", NULL), *model = NULL;
	json_t *o = json_object();
	char hex[24];

	if (text)
		model = cpuinfo_value(text, "model name");
	if (midr()) {
		snprintf(hex, sizeof(hex), "0x%016llx", midr());
		json_object_set_new(o, "midr", json_string(hex));
		if (!model)
			model = xasprintf("arm64 MIDR %s", hex);
	}
	free(text);
	json_object_set_new(o, "model", string_or_null(model));
	json_object_set_new(o, "online",
			    json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	return o;
}

static json_t *machine_json(void)
{
	static const char *const kind[] = { "bare", "virtual", "emulated" };
	const struct machine *m = machine_get();

	return json_pack("{s:s, s:s, s:b, s:s, s:s*}", "kind", kind[m->kind],
			 "clock", m->clock_emulated ? "emulated" : "real",
			 "icount", (int)m->icount, "mode", m->mode, "detail",
			 m->detail);
}

json_t *env_header(void)
{
	json_t *o = json_object();
	char hash[65], *config;
	struct utsname u;
	size_t len;

	uname(&u);
	json_object_set_new(o, "version", json_string(PTELAB_VERSION));
	json_object_set_new(o, "boot_id", string_or_null(
			read_line("/proc/sys/kernel/random/boot_id")));
	json_object_set_new(o, "kernel_release", json_string(u.release));
	json_object_set_new(o, "kernel_version", json_string(u.version));
	json_object_set_new(o, "build_id",
			    string_or_null(env_kernel_build_id()));
	config = kernel_config(&len);
	if (config)
		sha256_hex(config, len, hash);
	json_object_set_new(o, "config_hash", config ? json_string(hash) :
			    json_null());
	free(config);
	json_object_set_new(o, "cmdline",
			    string_or_null(read_line("/proc/cmdline")));
	json_object_set_new(o, "arch", json_string(
			!strcmp(u.machine, "aarch64") ? "arm64" : u.machine));
	json_object_set_new(o, "page_size",
			    json_integer(sysconf(_SC_PAGESIZE)));
	json_object_set_new(o, "cpu", cpu_json());
	json_object_set_new(o, "machine", machine_json());
	json_object_set_new(o, "environment", env_settings());
	return o;
}
