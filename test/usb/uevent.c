// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of the kernel about devices; see uevent.h */

#include "uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KERNEL_GROUP 1
/* For the crowd that comes when several adapters are pulled at once */
#define QUEUE_SIZE (4 * 1024 * 1024)

int uevent_open(void)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = KERNEL_GROUP,
	};
	int size = QUEUE_SIZE, error;
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

static const char *value_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(line, name, n) && line[n] == '=' ? line + n + 1 : NULL;
}

int uevent_next(int fd, struct uevent *ev)
{
	static char text[8192];
	const char *line, *value;
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	struct {
		const char *name;
		const char **to;
	} wanted[] = {
		{ "ACTION", &ev->action }, { "DEVPATH", &ev->path },
		{ "DEVTYPE", &ev->type }, { "DEVNAME", &ev->node },
		{ "DRIVER", &ev->driver }, { "PRODUCT", &ev->product },
	};
	unsigned int i;

	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		*wanted[i].to = "";
	for (line = text; line < text + n; line += strlen(line) + 1) {
		for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
			value = value_of(line, wanted[i].name);
			if (value)
				*wanted[i].to = value;
		}
	}
	return 1;
}
