// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads, and a device that goes away. Writers look it up by its number, as if each was a
 * request of a client; a reader sleeps inside until there is something to read, which there
 * never is. Nobody tells them to stop: they find out, and the device's memory is freed
 * when the last of them has.
 */
#include <libunplug/device.h>
#include <libunplug/registry.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS 3
#define SIZE 4096

/* buffer: users need it, so it is freed when nobody is inside: see card_drained() */
struct card {
	struct unplug_dev dev;
	char *buffer;
	pthread_mutex_t lock;
	pthread_cond_t readable;
	int going;
};

static struct unplug_registry *registry;
static unsigned int minor;
static sem_t used;		/* once by each thread */
static atomic_int events;	/* drained, and gone */

static struct card *card_of(struct unplug_dev *dev)
{
	return (struct card *)((char *)dev - offsetof(struct card, dev));
}

/* Nobody enters any more: send home who sleeps inside. */
static void card_cancel(struct unplug_dev *dev)
{
	struct card *card = card_of(dev);

	pthread_mutex_lock(&card->lock);
	card->going = 1;
	pthread_cond_broadcast(&card->readable);
	pthread_mutex_unlock(&card->lock);
	puts("shut: nobody enters any more");
}

/* Nobody is inside, nobody will be. */
static void card_drained(struct unplug_dev *dev)
{
	struct card *card = card_of(dev);

	free(card->buffer);
	card->buffer = NULL;
	puts("drained: nobody is inside");
	events++;
}

/* Nobody knows it any more. */
static void card_gone(struct unplug_dev *dev)
{
	struct card *card = card_of(dev);

	pthread_cond_destroy(&card->readable);
	pthread_mutex_destroy(&card->lock);
	free(card);
	puts("gone: nobody knows it any more");
	events++;
}

static const struct unplug_driver driver = {
	.name = "card",
	.cancel = card_cancel,
	.drained = card_drained,
	.gone = card_gone,
};

static struct card *card_new(void)
{
	struct card *card = calloc(1, sizeof(*card));

	if (!card)
		return NULL;
	card->buffer = malloc(WRITERS * SIZE);
	if (!card->buffer || unplug_dev_init(&card->dev, &driver, registry)) {
		free(card->buffer);
		free(card);
		return NULL;
	}
	pthread_mutex_init(&card->lock, NULL);
	pthread_cond_init(&card->readable, NULL);
	return card;
}

/* Each to a part of its own. 0, or why not */
static int card_write(unsigned int number, int part, int value)
{
	struct unplug_dev *dev = unplug_registry_find(registry, number);
	int r = 0;

	if (!dev)
		return -ENXIO;
	if (unplug_dev_get_active(dev)) {
		memset(card_of(dev)->buffer + part * SIZE, value, SIZE);
		unplug_dev_put_active(dev);
	} else {
		r = unplug_dev_error(dev);
	}
	unplug_dev_put(dev);
	return r;
}

static void *writer(void *data)
{
	const int *part = data;
	unsigned long n = 0;
	int r;

	for (;;) {
		r = card_write(minor, *part, (int)n);
		if (r)
			break;
		if (n++ == 0)
			sem_post(&used);
	}
	printf("writer: wrote %lu times, then: %s\n", n, strerror(-r));
	return NULL;
}

static void *reader(void *data)
{
	struct card *card = data;

	/* It was given a reference. */
	if (!unplug_dev_get_active(&card->dev))
		abort();
	pthread_mutex_lock(&card->lock);
	sem_post(&used);
	while (!card->going)
		pthread_cond_wait(&card->readable, &card->lock);
	pthread_mutex_unlock(&card->lock);
	unplug_dev_put_active(&card->dev);
	puts("reader: was sent home");
	unplug_dev_put(&card->dev);
	return NULL;
}

static int threads_run(struct card *card)
{
	pthread_t threads[WRITERS + 1];
	int parts[WRITERS];
	int i, r;

	unplug_dev_get(&card->dev);
	if (pthread_create(&threads[WRITERS], NULL, reader, card))
		return -1;
	for (i = 0; i < WRITERS; i++) {
		parts[i] = i;
		if (pthread_create(&threads[i], NULL, writer, &parts[i]))
			return -1;
	}
	for (i = 0; i <= WRITERS; i++)
		while (sem_wait(&used))
			;
	puts("all use it: it is taken away");
	r = unplug_dev_unplug(&card->dev);
	unplug_dev_put(&card->dev);
	for (i = 0; i <= WRITERS; i++)
		pthread_join(threads[i], NULL);
	return r;
}

int main(void)
{
	struct card *card;

	sem_init(&used, 0, 0);
	registry = unplug_registry_new(16);
	card = registry ? card_new() : NULL;
	if (!card)
		return 1;
	minor = unplug_dev_minor(&card->dev);
	if (unplug_dev_register(&card->dev) || threads_run(card))
		return 1;
	/* It has no device any more, or it would refuse. */
	return unplug_registry_destroy(registry) || events != 2;
}
