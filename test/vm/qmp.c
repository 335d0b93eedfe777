// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU's monitor: one JSON object a line each way, events in between */

#include "agent.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The commands used here answer at once; this is for a QEMU that is stuck. */
#define QMP_SECONDS 60

static void qmp_event(struct vm *vm, json_t *object)
{
	const char *event = json_string_value(json_object_get(object, "event"));
	const char *device;

	if (!event || strcmp(event, "DEVICE_DELETED") != 0)
		return;
	device = json_string_value(json_object_get(json_object_get(object, "data"), "device"));
	if (device)
		card_deleted(vm, device);
}

/* Take one line from what was read; NULL when there is no whole one. */
static json_t *qmp_take(struct qmp *qmp)
{
	char *end = memchr(qmp->text, '\n', qmp->n);
	json_t *object;
	size_t n;

	if (!end)
		return NULL;
	n = end + 1 - qmp->text;
	object = json_loadb(qmp->text, n, 0, NULL);
	memmove(qmp->text, qmp->text + n, qmp->n - n);
	qmp->n -= n;
	return object ?: json_object();
}

static int qmp_fill(struct qmp *qmp)
{
	ssize_t n = read(qmp->fd, qmp->text + qmp->n, sizeof(qmp->text) - qmp->n);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return -1;
	qmp->n += n;
	return 0;
}

/* Events that wait behind an answer are handled before the caller goes on. */
static void qmp_drain(struct vm *vm)
{
	json_t *object;

	while ((object = qmp_take(&vm->qmp))) {
		qmp_event(vm, object);
		json_decref(object);
	}
}

void qmp_read(struct vm *vm)
{
	if (qmp_fill(&vm->qmp) < 0) {
		close(vm->qmp.fd);
		vm->qmp.fd = -1;
		return;
	}
	qmp_drain(vm);
}

/* Wait for the object that has the member @key or "error". */
static json_t *qmp_wait(struct vm *vm, const char *key)
{
	struct pollfd fd = { .fd = vm->qmp.fd, .events = POLLIN };
	double deadline = now() + QMP_SECONDS;
	json_t *object;

	for (;;) {
		while ((object = qmp_take(&vm->qmp))) {
			if (json_object_get(object, key) || json_object_get(object, "error"))
				return object;
			qmp_event(vm, object);
			json_decref(object);
		}
		if (now() > deadline || poll(&fd, 1, 1000) < 0)
			return NULL;
		if (fd.revents && qmp_fill(&vm->qmp) < 0)
			return NULL;
	}
}

static int qmp_send(struct vm *vm, const char *text)
{
	size_t n = strlen(text);

	return write(vm->qmp.fd, text, n) == (ssize_t)n ? 0 : -1;
}

/* Run one command; NULL: there is no answer. */
static json_t *qmp_ask(struct vm *vm, const char *fmt, va_list args)
{
	json_t *object = NULL;
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	if (vm->qmp.fd >= 0 && qmp_send(vm, text) == 0)
		object = qmp_wait(vm, "return");
	free(text);
	return object;
}

/**
 * qmp_run() - run one monitor command
 * @error:	gets the reason when it fails
 * @fmt:	the command as JSON, with printf() conversions
 *
 * Return: 0 or -1.
 */
int qmp_run(struct vm *vm, char error[HOST_LINE], const char *fmt, ...)
{
	json_t *object, *reason;
	va_list args;
	int r;

	va_start(args, fmt);
	object = qmp_ask(vm, fmt, args);
	va_end(args);
	snprintf(error, HOST_LINE, "QEMU does not answer");
	if (!object)
		return -1;
	reason = json_object_get(object, "error");
	r = reason ? -1 : 0;
	if (reason)
		snprintf(error, HOST_LINE, "QEMU: %.200s",
			 json_string_value(json_object_get(reason, "desc")) ?: "?");
	json_decref(object);
	return r;
}

/**
 * qmp_text() - run one monitor command that answers with text
 * @fmt:	the command as JSON, with printf() conversions
 *
 * Return: the text, to be freed, or NULL.
 */
char *qmp_text(struct vm *vm, const char *fmt, ...)
{
	const char *text;
	json_t *object;
	char *copy = NULL;
	va_list args;

	va_start(args, fmt);
	object = qmp_ask(vm, fmt, args);
	va_end(args);
	if (!object)
		return NULL;
	text = json_string_value(json_object_get(object, "return"));
	if (text)
		copy = strdup(text);
	json_decref(object);
	return copy;
}

int qmp_hello(struct vm *vm)
{
	char error[HOST_LINE];
	json_t *greeting = qmp_wait(vm, "QMP");

	if (!greeting)
		return -1;
	json_decref(greeting);
	return qmp_run(vm, error, "{\"execute\":\"qmp_capabilities\"}\n");
}
