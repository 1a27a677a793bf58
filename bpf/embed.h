/* SPDX-License-Identifier: GPL-2.0 */
/* The compiled programs, as part of the executable. */
#ifndef PTELAB_BPF_EMBED_H
#define PTELAB_BPF_EMBED_H

/* With and without the question whose event it is. */
extern const char bpf_object_all[], bpf_object_all_end[];
extern const char bpf_object_filtered[], bpf_object_filtered_end[];

#endif
