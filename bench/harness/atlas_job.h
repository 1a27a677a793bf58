/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The job that an atlas is made with: every benchmark, so that what a point
 * runs of a kernel is known before a patch is.
 */
#ifndef PTELAB_ATLAS_JOB_H
#define PTELAB_ATLAS_JOB_H

#include <stdio.h>

/* Prints it, a command for each benchmark that is registered. */
void atlas_job(FILE *f);

#endif
