// SPDX-License-Identifier: GPL-2.0
/* See kmod.h. */
#include "lib/kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/util.h"

static const char *const event_names[] = {
	"unmap", "clear", "protection_vma", "protection_page", "soft_dirty",
	"release", "migrate", "exclusive",
};

static const char *const memtype_names[PTELAB_MEM_NR] = {
	[PTELAB_MEM_UNKNOWN]	= "unknown",
	[PTELAB_MEM_NORMAL]	= "Normal",
	[PTELAB_MEM_TAGGED]	= "Tagged",
	[PTELAB_MEM_NC]		= "Normal-NC",
	[PTELAB_MEM_NGNRNE]	= "Device-nGnRnE",
	[PTELAB_MEM_NGNRE]	= "Device-nGnRE",
	[PTELAB_MEM_GRE]	= "Device-GRE",
};

const char *kmod_event_name(unsigned int event)
{
	return event < ARRAY_SIZE(event_names) ? event_names[event] : NULL;
}

const char *kmod_memtype_name(unsigned int memtype)
{
	return memtype < PTELAB_MEM_NR ? memtype_names[memtype] : "unknown";
}

static const char *why_no_open(int err)
{
	switch (err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return "needs ptelab.ko: make -C kmod install, or insmod kmod/ptelab.ko";
	case EACCES:
	case EPERM:
		return "needs root with CAP_SYS_ADMIN, and a kernel that is not locked down, to open "
		       PTELAB_DEVICE;
	case EMFILE:
		return "too many open files of " PTELAB_DEVICE;
	default:
		return strerror(err);
	}
}

const char *kmod_file(void)
{
	static const char *const installed[] = { "updates", "extra" };
	static char path[PATH_MAX];
	const char *named = getenv("PTELAB_MODULE");
	struct utsname u;
	ssize_t len;
	size_t i;

	/* A module that is loaded already is not ours to unload. */
	if (geteuid() || !access("/sys/module/ptelab", F_OK))
		return NULL;
	if (named && *named)
		return access(named, R_OK) ? NULL : named;
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len > 0) {
		path[len] = '\0';
		len = strrchr(path, '/') + 1 - path;
		snprintf(path + len, sizeof(path) - len, "ptelab.ko");
		if (!access(path, R_OK))
			return path;
	}
	uname(&u);
	for (i = 0; i < ARRAY_SIZE(installed); i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/%s/ptelab.ko",
			 u.release, installed[i]);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

static bool wanted;
static char *load_error;

bool kmod_wanted(void)
{
	return wanted;
}

void kmod_not_loaded(const char *why)
{
	free(load_error);
	load_error = xstrdup(why);
}

const char *kmod_unavailable(unsigned int features)
{
	struct ptelab_abi abi;
	int fd;

	if (load_error)
		return load_error;
	if (access(PTELAB_DEVICE, F_OK) && kmod_file()) {
		wanted = true;
		return NULL;
	}
	fd = kmod_open(&abi);
	if (fd < 0)
		return fail_text();
	close(fd);
	if (features & ~abi.features & PTELAB_FEAT_CONTPTE)
		return "this kernel has no contpte";
	if (features & ~abi.features)
		return "this kernel lacks what the module needs for that";
	return NULL;
}

/* Fails with the purpose of the ioctl, and the meaning of its common errors. */
static int dev_ioctl(int fd, unsigned long cmd, void *arg, const char *what)
{
	const char *why;

	if (!ioctl(fd, cmd, arg))
		return 0;
	switch (errno) {
	case EBUSY:
		why = "already started on this open file";
		break;
	case ENODATA:
		why = "not started on this open file";
		break;
	case ESRCH:
		why = "started by another address space";
		break;
	case EOPNOTSUPP:
		why = "this kernel has no contpte";
		break;
	case E2BIG:
		why = "more than the module allows at a time";
		break;
	case EFAULT:
		why = "not in this process's address space";
		break;
	case EXDEV:
		why = "the caller must stay on one CPU";
		break;
	case ENODEV:
		why = "no watchpoint on kernel addresses works here";
		break;
	default:
		why = strerror(errno);
	}
	return fail(errno, "%s: %s: %s", PTELAB_DEVICE, what, why);
}

int kmod_open(struct ptelab_abi *abi)
{
	struct ptelab_abi own = { .size = sizeof(own) };
	int fd = open(PTELAB_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return fail(errno, "%s", why_no_open(errno));
	ret = dev_ioctl(fd, PTELAB_IOC_ABI, &own, "ABI version");
	if (!ret && own.version != PTELAB_ABI_VERSION)
		ret = fail(EPROTO, "ptelab.ko has ABI version %u and this program %u: build and load the module that came with it",
			   own.version, PTELAB_ABI_VERSION);
	if (ret) {
		close(fd);
		return ret;
	}
	if (abi)
		*abi = own;
	return fd;
}

int kmod_notify_start(int fd, unsigned int flags, const void *addr, size_t len)
{
	struct ptelab_notify_start arg = {
		.size = sizeof(arg),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return dev_ioctl(fd, PTELAB_IOC_NOTIFY_START, &arg,
			 "subscribing to mmu notifiers");
}

int kmod_notify_stop(int fd)
{
	struct ptelab_none arg = { .size = sizeof(arg) };

	return dev_ioctl(fd, PTELAB_IOC_NOTIFY_STOP, &arg,
			 "unsubscribing from mmu notifiers");
}

int kmod_notify_reset(int fd)
{
	struct ptelab_none arg = { .size = sizeof(arg) };

	return dev_ioctl(fd, PTELAB_IOC_NOTIFY_RESET, &arg,
			 "resetting notifier counts");
}

int kmod_notify_read(int fd, struct ptelab_notify_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	counts->size = sizeof(*counts);
	return dev_ioctl(fd, PTELAB_IOC_NOTIFY_READ, counts,
			 "reading notifier counts");
}

int kmod_ptes(int fd, unsigned int flags, const void *addr, size_t len,
	      struct ptelab_ptes *sum, struct ptelab_pte *pages)
{
	struct ptelab_ptes own;

	if (!sum)
		sum = &own;
	memset(sum, 0, sizeof(*sum));
	sum->size = sizeof(*sum);
	sum->flags = flags;
	sum->addr = (uintptr_t)addr;
	sum->len = len;
	sum->buf = (uintptr_t)pages;
	return dev_ioctl(fd, PTELAB_IOC_PTES, sum, "reading page-table entries");
}

int kmod_shadow_start(int fd, unsigned int flags, const void *addr, size_t len)
{
	struct ptelab_shadow_start arg = {
		.size = sizeof(arg),
		.flags = flags,
		.addr = (uintptr_t)addr,
		.len = len,
	};

	return dev_ioctl(fd, PTELAB_IOC_SHADOW_START, &arg,
			 "starting a shadow TLB");
}

int kmod_shadow_stop(int fd)
{
	struct ptelab_none arg = { .size = sizeof(arg) };

	return dev_ioctl(fd, PTELAB_IOC_SHADOW_STOP, &arg,
			 "stopping the shadow TLB");
}

int kmod_shadow_fill(int fd, const void *addr, size_t len,
		     struct ptelab_shadow_fill *out)
{
	struct ptelab_shadow_fill own;

	if (!out)
		out = &own;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->addr = (uintptr_t)addr;
	out->len = len;
	return dev_ioctl(fd, PTELAB_IOC_SHADOW_FILL, out,
			 "filling the shadow TLB");
}

int kmod_shadow_check(int fd, const void *addr, size_t len,
		      struct ptelab_shadow_check *out,
		      struct ptelab_stale *stale, size_t nr_stale)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->addr = (uintptr_t)addr;
	out->len = len;
	out->buf = (uintptr_t)stale;
	out->buf_entries = stale ? nr_stale : 0;
	return dev_ioctl(fd, PTELAB_IOC_SHADOW_CHECK, out,
			 "checking the shadow TLB");
}

uint64_t kmod_shadow_stale(const struct ptelab_shadow_check *c)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < PTELAB_STALE_NR; i++)
		sum += c->stale[i];
	return sum;
}

int kmod_gup(int fd, struct ptelab_gup *arg)
{
	arg->size = sizeof(*arg);
	return dev_ioctl(fd, PTELAB_IOC_GUP, arg, "GUP-fast in a loop");
}

int kmod_litmus(int fd, struct ptelab_litmus *arg)
{
	arg->size = sizeof(*arg);
	return dev_ioctl(fd, PTELAB_IOC_LITMUS, arg, "a litmus test");
}

int kmod_barrier(int fd, struct ptelab_barrier *arg)
{
	arg->size = sizeof(*arg);
	return dev_ioctl(fd, PTELAB_IOC_BARRIER, arg, "a loop with a barrier");
}

int kmod_retry(int fd, struct ptelab_retry *arg)
{
	arg->size = sizeof(*arg);
	return dev_ioctl(fd, PTELAB_IOC_RETRY, arg, "reading a contpte block");
}

int kmod_mmio(int fd, struct ptelab_mmio *arg)
{
	const char *why;

	arg->size = sizeof(*arg);
	if (!ioctl(fd, PTELAB_IOC_MMIO, arg))
		return 0;
	switch (errno) {
	case EPERM:
		why = "the kernel is locked down (lockdown= of its command line, or secure boot)";
		break;
	case EBUSY:
		why = "a driver or another open file of " PTELAB_DEVICE " is using it";
		break;
	case ENODEV:
		why = "the device is not enabled";
		break;
	case ENXIO:
		why = "there is no such memory BAR";
		break;
	case E2BIG:
		why = "it is too small for that, or the module's limit is exceeded";
		break;
	case EOPNOTSUPP:
		why = "this architecture does not have this mapping";
		break;
	case ENOTTY:
		why = "ptelab.ko is older than this program: build and load the one that came with it";
		break;
	default:
		why = strerror(errno);
	}
	return fail(errno, "%s: BAR: %s", PTELAB_DEVICE, why);
}

int kmod_stage2(int fd, struct ptelab_stage2 *arg)
{
	arg->size = sizeof(*arg);
	arg->fwb = 0;
	if (!ioctl(fd, PTELAB_IOC_STAGE2, arg))
		return 0;
	return fail(errno, "%s: stage 2: %s", PTELAB_DEVICE,
		    errno == EOPNOTSUPP || errno == ENOTTY ?
		    "not available on this kernel" : strerror(errno));
}

/* --- the counter source --- */

enum {
	M_START,
	M_END		= M_START + ARRAY_SIZE(event_names),
	M_SECONDARY,
	M_YOUNG_CLEAR_FLUSH,
	M_YOUNG_CLEAR,
	M_YOUNG_TEST,
	M_NR
};

static const char *const source_metrics[M_NR + 1] = {
	"notifier_start.unmap",
	"notifier_start.clear",
	"notifier_start.protection_vma",
	"notifier_start.protection_page",
	"notifier_start.soft_dirty",
	"notifier_start.release",
	"notifier_start.migrate",
	"notifier_start.exclusive",
	[M_END]			= "notifier_end",
	[M_SECONDARY]		= "notifier_secondary",
	[M_YOUNG_CLEAR_FLUSH]	= "notifier_young.clear_flush",
	[M_YOUNG_CLEAR]		= "notifier_young.clear",
	[M_YOUNG_TEST]		= "notifier_young.test",
};

struct kmod_counting {
	int fd;
	const char *absent;		/* reason why nothing can be counted */
	char text[160];
};

static void absent_all(const struct kmod_counting *s, struct counter_value *values)
{
	unsigned int i;

	for (i = 0; i < M_NR; i++)
		values[i] = (struct counter_value) { .absent = s->absent };
}

static int source_open(void **priv, pid_t pid, struct counter_value *values)
{
	struct kmod_counting *s = xcalloc(1, sizeof(*s));
	unsigned int i;

	*priv = s;
	s->fd = -1;
	if (pid != getpid()) {
		s->absent = "ptelab.ko counts notifiers of the calling process only";
	} else {
		s->fd = kmod_open(NULL);
		if (s->fd < 0) {
			snprintf(s->text, sizeof(s->text), "%s", fail_text());
			s->absent = s->text;
		}
	}
	absent_all(s, values);
	for (i = 0; i < M_NR && !s->absent; i++)
		values[i].present = true;
	return 0;
}

static int source_start(void *priv)
{
	struct kmod_counting *s = priv;

	if (s->absent)
		return 0;
	return kmod_notify_start(s->fd, PTELAB_NOTIFY_RANGE |
				 PTELAB_NOTIFY_SECONDARY, NULL, 0);
}

static int source_stop(void *priv, struct counter_value *values)
{
	struct ptelab_notify_counts c;
	struct kmod_counting *s = priv;
	unsigned int i;
	int ret, err;

	absent_all(s, values);
	if (s->absent)
		return 0;
	ret = kmod_notify_read(s->fd, &c);
	err = kmod_notify_stop(s->fd);
	if (ret || err)
		return ret ? ret : err;
	for (i = 0; i < M_NR; i++)
		values[i].present = true;
	for (i = 0; i < PTELAB_EVENTS; i++) {
		if (i < ARRAY_SIZE(event_names))
			values[M_START + i].count = c.start[i].calls;
		values[M_END].count += c.end[i].calls;
	}
	values[M_SECONDARY].count = c.secondary.calls;
	values[M_YOUNG_CLEAR_FLUSH].count = c.clear_flush_young.calls;
	values[M_YOUNG_CLEAR].count = c.clear_young.calls;
	values[M_YOUNG_TEST].count = c.test_young.calls;
	return 0;
}

static void source_close(void *priv)
{
	struct kmod_counting *s = priv;

	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

const struct counter_source kmod_source = {
	.name		= "kmod",
	.pass		= PASS_COUNTED,
	.metrics	= source_metrics,
	.open		= source_open,
	.start		= source_start,
	.stop		= source_stop,
	.close		= source_close,
};
