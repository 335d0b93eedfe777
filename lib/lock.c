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
static int lock_error;	/* since lock_once */

static void lock_take(void)
{
	pthread_mutex_lock(&lock);
}

static void lock_give(void)
{
	pthread_mutex_unlock(&lock);
}

static void lock_init(void)
{
	lock_error = -pthread_atfork(lock_take, lock_give, lock_give);
}

/*
 * unplug_lib_init() - for who makes something, and can fail
 *
 * Return: 0; -ENOMEM: nothing is to be made, as a child might wait for ever.
 */
int unplug_lib_init(void)
{
	pthread_once(&lock_once, lock_init);
	return lock_error;
}

/* unplug_lib_lock() - take it */
void unplug_lib_lock(void)
{
	(void)unplug_lib_init();
	lock_take();
}

/* unplug_lib_unlock() - let it go */
void unplug_lib_unlock(void)
{
	lock_give();
}
