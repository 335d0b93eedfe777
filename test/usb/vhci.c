// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of the virtual host controllers; see vhci.h */

#include "vhci.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/ch9.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PLATFORM "/devices/platform/vhci_hcd."
#define HIGH_SPEED 480

/* One file of the first controller serves all of them. */
static int attach_write(unsigned int port, int fd)
{
	int file = open("/sys" PLATFORM "0/attach", O_WRONLY | O_CLOEXEC);
	int n, r = 0;

	if (file < 0)
		return -errno;
	/* The device's id only comes back to us in every packet. */
	n = dprintf(file, "%u %d %u %d", port, fd, port + 1, USB_SPEED_HIGH);
	if (n < 0)
		r = -errno;
	close(file);
	return r;
}

int vhci_attach(unsigned int port)
{
	int fd[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	r = attach_write(port, fd[1]);
	/* The kernel has a reference of its own now; its end has to block. */
	close(fd[1]);
	if (r < 0) {
		close(fd[0]);
		return r;
	}
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	return fd[0];
}

static int hub_speed(const char *controller, const char *hub)
{
	char path[320], text[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys%s/%s/speed", controller, hub);
	f = fopen(path, "re");
	if (f) {
		(void)!fgets(text, sizeof(text), f);
		fclose(f);
	}
	return atoi(text);
}

/* The number of the bus at the controller's high speed root hub */
static int find_bus(const char *controller)
{
	char path[64];
	struct dirent *entry;
	int bus, found = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys%s", controller);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (found < 0 && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "usb%d", &bus) == 1 &&
		    hub_speed(controller, entry->d_name) == HIGH_SPEED)
			found = bus;
	}
	closedir(dir);
	return found;
}

int vhci_path(unsigned int port, char *path, size_t size)
{
	unsigned int at = port % (2 * VHCI_HUB_PORTS);
	char controller[48];
	int bus;

	if (at >= VHCI_HUB_PORTS)
		return -EINVAL;
	snprintf(controller, sizeof(controller), PLATFORM "%u",
		 port / (2 * VHCI_HUB_PORTS));
	bus = find_bus(controller);
	if (bus < 0)
		return bus;
	snprintf(path, size, "%s/usb%d/%d-%u", controller, bus, bus, at + 1);
	return 0;
}
