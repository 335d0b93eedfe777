/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostile: a file system that a process of the test serves, by FUSE, and that keeps who
 * touches a page of its only file, or polls it, waiting
 */
#ifndef UNPLUG_TEST_HOSTILE_H
#define UNPLUG_TEST_HOSTILE_H

#include "case.h"

#define SERVED_SIZE 4096

/**
 * struct served - the file system
 * @path: of its file
 * @connection: its folder in sysfs
 * @server: the process
 * @held: a word for each request that is kept waiting; there is one at a time
 * @go: a word ends that
 */
struct served {
	char path[CARD_PATH];
	char connection[CARD_PATH];
	struct job server;
	int held[2];
	int go[2];
};

void served_init(struct served *served);
void served_wait(struct served *served);	/* somebody is kept waiting */
void served_go(struct served *served);
void served_end(struct served *served);		/* the server is killed, if it was not */

#endif
