// SPDX-License-Identifier: GPL-2.0-or-later
/* request: the command line form of host_request(), for the shell in the guest */

#include "host.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char request[HOST_LINE] = "", answer[HOST_LINE];
	int i, r;

	if (argc < 2) {
		fprintf(stderr, "usage: request WORD ARGUMENTS…, e.g. request pull 2\n");
		return 2;
	}
	for (i = 1; i < argc; i++) {
		if (strlen(request) + strlen(argv[i]) + 2 > sizeof(request)) {
			fprintf(stderr, "request: longer than %d bytes\n", HOST_LINE);
			return 2;
		}
		strcat(request, i > 1 ? " " : "");
		strcat(request, argv[i]);
	}
	r = host_request(answer, "%s", request);
	fprintf(r < 0 ? stderr : stdout, "%s\n", answer);
	return r < 0 ? 1 : 0;
}
