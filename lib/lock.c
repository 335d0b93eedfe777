// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The one lock of the library: for what is seldom done. It is held for some stores, or
 * for a membarrier; never while a user's function runs, never twice, and never
 * by a signal handler, which may put the last reference of a device. The child of a
 * fork finds it free.
 */

#include <pthread.h>
#include "internal.h"

static pthread_once_t lock_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_take(void)
{
	pthread_mutex_lock(&lock);
}

static void lock_give(void)
{
	pthread_mutex_unlock(&lock);
}

/* If that fails, for want of memory: a child may have to wait for ever. */
static void lock_init(void)
{
	(void)pthread_atfork(lock_take, lock_give, lock_give);
}

/* unplug_lib_lock() - take it */
void unplug_lib_lock(void)
{
	pthread_once(&lock_once, lock_init);
	lock_take();
}

/* unplug_lib_unlock() - let it go */
void unplug_lib_unlock(void)
{
	lock_give();
}
