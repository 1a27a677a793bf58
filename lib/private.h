/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folders and files that ptelab trusts: it acts on what it finds in them. Only this
 * user, or root, can have written them.
 */
#ifndef PTELAB_PRIVATE_H
#define PTELAB_PRIVATE_H

/*
 * Opens a folder and makes it, and those above, if need be. Refuses a link, a folder
 * of another user, and one that others may write to. Returns a descriptor, or -errno
 * with fail() text.
 */
int private_dir(const char *path);
/*
 * Opens a file for reading and appending in such a folder, and makes it if need be.
 * @path is for the message. Refuses a link, anything that is no regular file, and a
 * file that others own or may write to. Returns a descriptor, or -errno with fail()
 * text.
 */
int private_file(int dir, const char *name, const char *path);

#endif
