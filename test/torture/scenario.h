/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario: a file of a few lines, KEY VALUE; README.md has the keys
 */
#ifndef UNPLUG_TORTURE_SCENARIO_H
#define UNPLUG_TORTURE_SCENARIO_H

#include <stdbool.h>

#define SCENARIO_ACTORS	16

/**
 * struct scenario - what is in it
 * @name: of the file
 * @busted: its name begins so: a promise has to be found broken
 * @promises: which it is about; if @busted: which may be found broken
 * @finds: if @busted: how many findings it says may come first
 * @guard: of the cards
 * @module: more parameters of the module
 * @cards: slots
 * @seconds: it is played
 * @hooks: it is for modules with delay hooks
 * @serial: emulated processors have to take turns: code is patched that others run
 * @waits: newcomers wait for a thaw
 * @dummy: mappings of a card that was pulled show zeroes
 * @pause_ms: between pulls, at most
 * @kinds: of actors
 * @kind: of each the kind
 * @number: of each the number
 */
struct scenario {
	char name[64];
	bool busted;
	char promises[64];
	unsigned int finds;
	char guard[32];
	char module[256];
	unsigned int cards;
	double seconds;
	bool hooks, serial, waits, dummy;
	unsigned int pause_ms;
	unsigned int kinds;
	struct {
		const struct kind *kind;
		unsigned int number;
	} actor[SCENARIO_ACTORS];
};

int scenario_read(struct scenario *scenario, const char *path);
void scenario_print(const struct scenario *scenario);
bool scenario_names(const struct scenario *scenario, const char *promise);
bool scenario_has(const struct scenario *scenario, const char *kind);

#endif
