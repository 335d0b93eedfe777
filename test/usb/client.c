// SPDX-License-Identifier: GPL-2.0-or-later
/* Gives a command to a running emulator; see client.h */

#include "client.h"

#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int client_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	fprintf(stderr, "displaylink: no emulator at %s: %s\n", path, strerror(errno));
	return -1;
}

/* The emulator may be in another folder. */
static bool relative_path(char **words, int i)
{
	return i == 2 && !strcmp(words[0], "shot") && words[i][0] != '/';
}

static size_t client_line(char line[COMMAND_LINE], char **words, int count)
{
	char folder[COMMAND_LINE / 2];
	size_t n = 0;
	int i;

	if (!getcwd(folder, sizeof(folder)))
		folder[0] = '\0';
	for (i = 0; i < count && n < COMMAND_LINE; i++)
		n += snprintf(line + n, COMMAND_LINE - n, "%s%s%s%s", i ? " " : "",
			      relative_path(words, i) ? folder : "",
			      relative_path(words, i) ? "/" : "", words[i]);
	if (n < COMMAND_LINE)
		n += snprintf(line + n, COMMAND_LINE - n, "\n");
	return n;
}

int client_run(const char *path, char **words, int count)
{
	char line[COMMAND_LINE];
	size_t n = client_line(line, words, count);
	FILE *f;
	int fd;

	if (n >= COMMAND_LINE) {
		fprintf(stderr, "displaylink: longer than %d bytes\n", COMMAND_LINE);
		return 1;
	}
	fd = client_connect(path);
	if (fd < 0)
		return 2;
	if (write(fd, line, n) != (ssize_t)n)
		line[0] = '\0';
	f = fdopen(fd, "r");
	if (!f || !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	if (!line[0]) {
		fprintf(stderr, "displaylink: the emulator went away\n");
		return 2;
	}
	if (!strncmp(line, "ok", 2)) {
		fputs(line[2] == ' ' ? line + 3 : "", stdout);
		return 0;
	}
	fprintf(stderr, "displaylink: %s", strncmp(line, "error ", 6) ? line : line + 6);
	return 1;
}
