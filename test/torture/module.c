// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading modules, and getting rid of them */

#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/**
 * module_load() - load a module of this repository
 * @name: of the file, without .ko
 * @fmt: parameters
 *
 * Return: 0, or -1: it was said why.
 */
int module_load(const char *name, const char *fmt, ...)
{
	char path[64], parameters[512];
	va_list args;
	int fd, err;

	va_start(args, fmt);
	vsnprintf(parameters, sizeof(parameters), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -1 : syscall(SYS_finit_module, fd, parameters, 0);
	if (err)
		fprintf(stderr, "torture: %s with '%s': %s\n", path, parameters, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err ? -1 : 0;
}

/**
 * module_unload() - unload one, as soon as nobody uses it
 * @name: as the kernel has it
 *
 * Return: 0, or -1 with errno: somebody does, and goes on doing so.
 */
int module_unload(const char *name)
{
	long end = now_ms() + world->patience_ms;
	int err;

	while ((err = syscall(SYS_delete_module, name, O_NONBLOCK)) && now_ms() < end)
		dawdle(2000, 2);
	return err;
}
