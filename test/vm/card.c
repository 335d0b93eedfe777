// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cards: pulled and plugged by the monitor, each plug with a file of its own
 *
 * A card that was pulled leaves its file behind, so that a test can look whether
 * anybody still writes to it; the next generation starts from zeroes.
 */

#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void card_file(const struct vm *vm, int card, int generation, char path[4096])
{
	snprintf(path, 4096, "%s/card%d.%d.mem", vm->config->out, card, generation);
}

int card_create(const struct vm *vm, int card, int generation)
{
	char path[4096];
	int fd;

	card_file(vm, card, generation, path);
	/* A file of an earlier run may still be there: not its pages, please. */
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, vm->config->card_size) < 0) {
		say("cannot create %s: %s", path, strerror(errno));
		return -1;
	}
	close(fd);
	return 0;
}

bool card_has_memory(const struct vm *vm, int card)
{
	return strcmp(vm->config->model[card], "ivshmem-plain") == 0;
}

bool card_is_usb(const struct vm *vm, int card)
{
	return strncmp(vm->config->model[card], "usb-", 4) == 0;
}

/* In the form of QEMU's command line. A USB card takes the port of its number. */
void card_device(const struct vm *vm, int card, char text[HOST_LINE])
{
	const char *model = vm->config->model[card];

	if (card_is_usb(vm, card))
		snprintf(text, HOST_LINE, "%s,id=card%d,bus=usb.0,port=%d", model, card, card);
	else if (card_has_memory(vm, card))
		snprintf(text, HOST_LINE, "%s,id=card%d,memdev=mem%d.%d,bus=pci.0,addr=%#x", model,
			 card, card, vm->card[card].generation, card + 3);
	else
		snprintf(text, HOST_LINE, "%s,id=card%d,bus=pci.0,addr=%#x", model, card, card + 3);
}

void card_remove_files(const struct vm *vm)
{
	char path[4096];
	int card, generation;

	for (card = 1; card <= vm->config->cards; card++)
		for (generation = 0; generation <= vm->card[card].generation; generation++) {
			card_file(vm, card, generation, path);
			unlink(path);
		}
}

/* QEMU's event: the guest let go of the device @id and it is no more. */
void card_deleted(struct vm *vm, const char *id)
{
	int card = strncmp(id, "card", 4) == 0 ? atoi(id + 4) : 0;

	if (card < 1 || card > vm->config->cards)
		return;
	vm->card[card].state = CARD_GONE;
	answer_left(vm, card);
}

/**
 * card_unplug() - ask the guest to let go of a card
 *
 * Asking for a card that is leaving already is fine, and that is also a way to
 * ask again a guest that did not hear the first time.
 */
int card_unplug(struct vm *vm, int card, char error[HOST_LINE])
{
	struct card *c = &vm->card[card];
	int r;

	if (c->state == CARD_GONE) {
		snprintf(error, HOST_LINE, "card %d is not plugged", card);
		return -1;
	}
	r = qmp_run(vm, error, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"card%d\"}}\n", card);
	if (r == 0 && c->state == CARD_PLUGGED)
		c->state = CARD_LEAVING;
	return c->state == CARD_PLUGGED ? -1 : 0;
}

/* Fresh memory for a card that is plugged next */
static int card_new_memory(struct vm *vm, int card, int next, char error[HOST_LINE])
{
	char path[4096], ignored[HOST_LINE];

	if (card_create(vm, card, next) < 0) {
		snprintf(error, HOST_LINE, "no file for card %d: %s", card, strerror(errno));
		return -1;
	}
	card_file(vm, card, next, path);
	/* Nobody uses the memory of the last generation now; the file stays. */
	qmp_run(vm, ignored, "{\"execute\":\"object-del\",\"arguments\":{\"id\":\"mem%d.%d\"}}\n",
		card, next - 1);
	return qmp_run(vm, error, "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":"
		       "\"memory-backend-file\",\"id\":\"mem%d.%d\",\"mem-path\":\"%s\","
		       "\"size\":%ld,\"share\":true}}\n",
		       card, next, path, vm->config->card_size);
}

/* card_device() as the monitor wants it: "driver" is the first, unnamed value. */
static int card_add(struct vm *vm, int card, char error[HOST_LINE])
{
	char text[HOST_LINE], json[2 * HOST_LINE], *word, *value, *state;
	int n;

	card_device(vm, card, text);
	word = strtok_r(text, ",", &state);
	n = snprintf(json, sizeof(json), "\"driver\":\"%s\"", word);
	while ((word = strtok_r(NULL, ",", &state))) {
		value = strchr(word, '=');
		if (!value)
			continue;
		*value++ = '\0';
		n += snprintf(json + n, sizeof(json) - n, ",\"%s\":\"%s\"", word, value);
	}
	return qmp_run(vm, error, "{\"execute\":\"device_add\",\"arguments\":{%s}}\n", json);
}

int card_plug(struct vm *vm, int card, char error[HOST_LINE])
{
	struct card *c = &vm->card[card];
	int next = c->generation + 1;

	if (c->state != CARD_GONE) {
		snprintf(error, HOST_LINE, "card %d is %s", card,
			 c->state == CARD_LEAVING ? "still leaving" : "plugged");
		return -1;
	}
	if (card_has_memory(vm, card) && card_new_memory(vm, card, next, error) < 0)
		return -1;
	c->generation = next;
	if (card_add(vm, card, error) < 0)
		return -1;
	c->state = CARD_PLUGGED;
	return 0;
}
