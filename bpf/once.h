/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What libbpf does again for each object and each program, and kernel.c once:
 * where libbpf calls one of these functions the linker has it call __wrap_NAME,
 * and __real_NAME is libbpf's own (ld --wrap; see Makefile.inc).
 */
#ifndef PTELAB_BPF_ONCE_H
#define PTELAB_BPF_ONCE_H

#include <bpf/btf.h>

struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *btf);
void __wrap_btf__free(struct btf *btf);
__s32 __real_btf__find_by_name_kind(const struct btf *btf, const char *name,
				    __u32 kind);
__s32 __wrap_btf__find_by_name_kind(const struct btf *btf, const char *name,
				    __u32 kind);

#endif
