// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hand can do: fences, in sync files. fence_in is what its commits wait for: one
 * of the test's module, or another hand's; fence_out is that of its last commit.
 */

#define _GNU_SOURCE
#include "hand.h"
#include "module/unplug-drm-test.h"

#include <errno.h>
#include <libdrm/drm.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int fence_in = -1;
int32_t fence_out = -1;

static void fence_forget(void)
{
	if (fence_in >= 0)
		close(fence_in);
	fence_in = -1;
}

/* One that is signalled when told so, and not earlier */
static void op_fence(struct call *call)
{
	fence_forget();
	fence_in = request(UNPLUG_DRM_TEST_FENCE, 0);
	answer_result(call, fence_in);
}

static void op_signal(struct call *call)
{
	answer_result(call, request(UNPLUG_DRM_TEST_SIGNAL, fence_in));
}

/* fence-of PID FD: that of another program's */
static void op_fence_of(struct call *call)
{
	int pid = 0, fd = -1, of;

	sscanf(call->argument, "%d %d", &pid, &fd);
	fence_forget();
	of = syscall(SYS_pidfd_open, pid, 0);
	if (of >= 0) {
		fence_in = syscall(SYS_pidfd_getfd, of, fd, 0);
		close(of);
	}
	answer_result(call, fence_in);
}

static void op_out_number(struct call *call)
{
	snprintf(call->answer, sizeof(call->answer), "%d", fence_out);
}

static const char *fence_status(int fd)
{
	struct sync_file_info info = { 0 };

	if (ioctl(fd, SYNC_IOC_FILE_INFO, &info))
		return strerrorname_np(errno);
	if (info.status < 0)
		return strerrorname_np(-info.status);
	return info.status ? "signalled" : "pending";
}

/* out-fence [now]: what became of it: "signalled", "pending", or its error */
static void op_out_fence(struct call *call)
{
	struct pollfd fd = { .fd = fence_out, .events = POLLIN };

	poll(&fd, 1, !strcmp(call->argument, "now") ? 0 : timeout_ms());
	answer(call, fence_status(fence_out));
}

static void op_out_close(struct call *call)
{
	answer_result(call, close(fence_out));
	fence_out = -1;
}

/* Does the card have objects for fences? */
static void op_syncobj(struct call *call)
{
	struct drm_syncobj_create create = { 0 };

	answer_result(call, ioctl(card.fd, DRM_IOCTL_SYNCOBJ_CREATE, &create));
}

const struct op fence_ops[] = {
	{ "fence", op_fence },
	{ "signal", op_signal },
	{ "fence-of", op_fence_of },
	{ "out-number", op_out_number },
	{ "out-fence", op_out_fence },
	{ "out-close", op_out_close },
	{ "syncobj", op_syncobj },
	{ }
};
