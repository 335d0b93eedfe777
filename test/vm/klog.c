// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's console: kept whole, and searched for the kernel's complaints */

#include "agent.h"
#include "excuse.h"

#include <string.h>

/*
 * How a line begins that no healthy kernel prints. Anchored, as what programs
 * print about themselves ("traps: …", names of tests) may contain the same words.
 */
static const struct {
	const char *text;
	bool fatal;
} complaints[] = {
	{ "BUG: soft lockup", false },
	{ "BUG: workqueue lockup", false },
	{ "BUG: sleeping function", false },
	{ "BUG: scheduling while atomic", false },
	{ "BUG: MAX_", false },
	{ "BUG: KASAN", false },
	{ "BUG: KFENCE", false },
	{ "BUG: Bad", false },
	{ "BUG: unable", true },
	{ "BUG: kernel", true },
	{ "BUG: stack", true },
	{ "BUG", false },
	{ "kernel BUG at", true },
	{ "Oops", true },
	{ "int3: ", true },
	{ "invalid opcode: ", true },
	{ "divide error: ", true },
	{ "stack segment: ", true },
	{ "general protection fault", true },
	{ "double fault", true },
	{ "PANIC", true },
	{ "Kernel panic", true },
	{ "WARNING:", false },
	{ "INFO: ", false },
	{ "rcu: INFO: ", false },
	{ "watchdog: BUG: ", false },
	{ "watchdog: Watchdog detected hard LOCKUP", false },
	{ "NMI watchdog: ", false },
	{ "Trying to ", false },
	{ "refcount_t: ", false },
	{ "list_add ", false },
	{ "list_del ", false },
	{ "sysfs: cannot create duplicate", false },
	{ "kobject_add_internal failed", false },
	{ "UBSAN: ", false },
	{ "unreferenced object", false },
	{ "unchecked MSR access", false },
	{ "page_type_ops", false },
	{ "Disabling IRQ #", false },	/* after "nobody cared" */
};

/* Skip "[    1.234567] ". */
static const char *skip_stamp(const char *line)
{
	const char *p;

	if (*line != '[')
		return line;
	p = strchr(line, ']');
	return p && p[1] == ' ' ? p + 2 : line;
}

static void klog_line(struct klog *klog, const char *line)
{
	const char *text = skip_stamp(line);
	bool race = kcsan_line(&klog->kcsan, text);
	unsigned int i;

	/* Said at once: the guest may not live to end the report. */
	if (klog->kcsan.ours && !klog->verdict[0])
		snprintf(klog->verdict, sizeof(klog->verdict), "%.200s", klog->kcsan.first);
	if (race || excuse_line(&klog->failing, text))
		return;
	if (klog->asked && strncmp(text, "INFO: NMI handler", 17) == 0)
		return;
	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
		if (strncmp(text, complaints[i].text, strlen(complaints[i].text)) != 0)
			continue;
		if (!klog->verdict[0])
			snprintf(klog->verdict, sizeof(klog->verdict), "%.200s", text);
		klog->fatal |= complaints[i].fatal;
		/* Newer kernels say "Oops: " before it. */
		klog->emulator |= strncmp(text, "int3: ", 6) == 0 ||
				  strncmp(text, "Oops: int3: ", 12) == 0 ||
				  (strstr(text, "soft lockup") && strstr(text, "[cryptomgr_test:"));
		return;
	}
}

int klog_open(struct klog *klog, const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/kernel.log", dir);
	klog->file = fopen(path, "we");
	return klog->file ? 0 : -1;
}

void klog_input(struct klog *klog, const char *data, size_t n)
{
	struct line *line = &klog->line;

	for (; n > 0; data++, n--) {
		if (*data == '\r')
			continue;
		fputc(*data, klog->file);
		if (*data == '\n') {
			line->text[line->n] = '\0';
			klog_line(klog, line->text);
			line->n = 0;
		} else if (line->n < sizeof(line->text) - 1) {
			line->text[line->n++] = *data;
		}
	}
	fflush(klog->file);
}
