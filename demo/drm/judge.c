// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge - what two scenes with USB display cards found, side by side:
 *
 *	judge STOCK UNPLUG REPORT
 *
 * STOCK and UNPLUG are files of lines "CARD NAME VALUE…" (card 0: the machine).
 * Prints the screen, writes REPORT (JSON). The exit status is the verdict: 0 or 1; 2
 * if there was nothing to judge.
 *
 * A row is judged by what was counted or answered, never by how long it took; rows
 * that are not judged are for information. What stock does is no part of the verdict,
 * but for one thing: its mapping has to survive, or the scene would prove nothing.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_TEXT 128
#define JUDGE_OURS 21	/* columns of the screen */
#define JUDGE_STOCK 22

/**
 * struct row - a line of the screen
 * @head: printed above it, or NULL
 * @label: what it is about
 * @name: of the fact
 * @cards: whose facts, one digit each
 * @want: what the cards have to say with the converted driver, one text for all, or
 *	  one for each with '/' between; "!TEXT", anything else; "+", a number that is
 *	  not 0; NULL, not judged
 */
struct row {
	const char *head, *label, *name, *cards, *want;
};

static const struct row rows[] = {
	{ "Old descriptor and mapping, card 1 / card 2", "mapping (policy dummy / sigbus)",
	  "map", "12", "zeroes/SIGBUS" },
	{ NULL, "ioctl", "ioctl", "12", "ENODEV" },
	{ NULL, "ioctl, new dumb buffer", "ioctl-dumb", "12", "ENODEV" },
	{ NULL, "mmap (by the same policy)", "mmap", "12", "ok/ENODEV" },
	{ NULL, "read that slept before", "sleeping-read", "12", "ENODEV" },
	{ NULL, "read", "read", "12", "ENODEV" },
	{ NULL, "poll", "poll", "12", "HUPERR" },
	{ NULL, "open, of the old node", "open", "12", "ENOENT" },
	{ NULL, "munmap", "munmap", "12", "ok" },
	{ NULL, "close", "close", "12", "ok" },
	{ "Card 2, on another machine", "usbip imported it from", "from", "2",
	  "192.0.2.2:1-2" },
	{ NULL, "when its packets are lost", "lost", "2", "stays" },
	{ "Programs that know nothing of this", "weston, when card 1 was pulled", "weston",
	  "1", "lives on" },
	{ NULL, "its client", "weston-client", "1", "!killed" },
	{ NULL, "modetest, when card 2 was", "modetest", "2", "!killed" },
	{ NULL, "CPU weston / modetest used (%)", "cpu", "12", NULL },
	{ "Time from the pull, card 1 / card 2", "shut (us)", "shut", "12", "+" },
	{ NULL, "drained (us)", "drained", "12", "+" },
	{ NULL, "gone (us)", "gone", "12", "+" },
	{ NULL, "USB device removed (ms)", "usb-removed", "12", "+" },
	{ "Bulk transfers of the others meanwhile", "card 1 pulled (cards 2 / 3 / 4)",
	  "neighbours-1", "234", "+" },
	{ NULL, "packets to 2 lost (3 / 4)", "neighbours-lost", "34", "+" },
	{ NULL, "card 2 detached (3 / 4)", "neighbours-2", "34", "+" },
	{ NULL, "both plugged again (3 / 4)", "neighbours-replug", "34", "+" },
	{ "Afterwards", "new clients of ours, cards 1 / 2", "fresh", "12", "ok" },
	{ NULL, "new weston / modetest draws", "again", "12", "ok" },
	{ NULL, "the driver unloads", "unload", "0", "ok" },
	{ NULL, "the core unloads", "unload-core", "0", "ok" },
	{ NULL, "kernel log", "log", "0", "clean" },
	{ NULL, "the machine ended", "end", "0", "exit" },
};

/* What stock cannot have facts of: name, and what to print */
static const char *const lacks[][2] = {
	{ "shut", "no such event" },
	{ "drained", "no such event" },
	{ "gone", "no such event" },
	{ "unload-core", "has none" },
};

/* Facts that read better in other words */
static const char *const words[][2] = {
	{ "alive", "its old memory" },
	{ "asleep", "sleeps on" },
	{ "HUPERR", "HUP|ERR" },
	{ "quiet", "nothing" },
	{ "exit", "in order" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define WORDS(list) (sizeof(list) / sizeof((list)[0]))

/* { "1": { "map": "SIGBUS", … }, … }, or NULL. */
static json_t *facts_read(const char *path)
{
	char line[512], card[8], name[64], value[256];
	json_t *facts, *of_card;
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	facts = json_object();
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%7s %63s %255[^\r\n]", card, name, value) != 3)
			continue;
		of_card = json_object_get(facts, card);
		if (!of_card) {
			of_card = json_object();
			json_object_set_new(facts, card, of_card);
		}
		json_object_set_new(of_card, name, json_string(value));
	}
	fclose(file);
	return facts;
}

static const char *fact(json_t *facts, char card, const char *name)
{
	char key[2] = { card };

	return json_string_value(json_object_get(json_object_get(facts, key), name));
}

static const char *words_find(const char *const list[][2], size_t n, const char *word,
			      const char *otherwise)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(word, list[i][0]))
			return list[i][1];
	return otherwise;
}

static const char *fact_words(json_t *facts, char card, const char *name, bool is_stock)
{
	const char *value = fact(facts, card, name);

	if (value)
		return words_find(words, WORDS(words), value, value);
	return is_stock ? words_find(lacks, WORDS(lacks), name, "-") : "-";
}

/* One text if all cards say the same, else one of each. */
static void row_text(const struct row *row, json_t *facts, bool is_stock,
		     char text[JUDGE_TEXT])
{
	const char *first = fact_words(facts, row->cards[0], row->name, is_stock), *card;
	size_t length = 0;
	bool same = true;

	for (card = row->cards; *card; card++)
		same = same && !strcmp(first, fact_words(facts, *card, row->name, is_stock));
	for (card = row->cards; *card && length < JUDGE_TEXT; card++) {
		length += snprintf(text + length, JUDGE_TEXT - length, "%s%s",
				   card == row->cards ? "" : " / ",
				   fact_words(facts, *card, row->name, is_stock));
		if (same)
			break;
	}
}

/* @text in at most @columns, cut where a word ends. */
static const char *text_fit(const char *text, size_t columns, char fit[JUDGE_TEXT])
{
	size_t length = strlen(text);

	snprintf(fit, JUDGE_TEXT, "%s", text);
	if (length <= columns)
		return fit;
	length = columns - strlen(" ...");
	while (length && text[length] != ' ')
		length--;
	snprintf(fit + length, JUDGE_TEXT - length, "%s", length ? " ..." : "...");
	return fit;
}

/* What @number of the row's cards has to say: @want has one text for all, or for each. */
static size_t want_find(const char **want, size_t number)
{
	const char *end;

	while (number-- && (end = strchr(*want, '/')))
		*want = end + 1;
	end = strchr(*want, '/');
	return end ? (size_t)(end - *want) : strlen(*want);
}

static bool fact_good(const char *value, const char *want, size_t length)
{
	if (want[0] == '+')
		return strtod(value, NULL) > 0;
	if (want[0] == '!')
		return strncmp(value, want + 1, length - 1);
	return strlen(value) == length && !strncmp(value, want, length);
}

static bool row_good(const struct row *row, json_t *facts)
{
	const char *value, *want;
	size_t i, length;

	for (i = 0; row->want && row->cards[i]; i++) {
		want = row->want;
		length = want_find(&want, i);
		value = fact(facts, row->cards[i], row->name);
		if (!value || !fact_good(value, want, length))
			return false;
	}
	return true;
}

static json_t *row_judge(const struct row *row, json_t *stock, json_t *ours)
{
	char left[JUDGE_TEXT], right[JUDGE_TEXT], fit[2][JUDGE_TEXT];
	bool good = row_good(row, ours);

	row_text(row, ours, false, left);
	row_text(row, stock, true, right);
	if (row->head)
		printf("%s\n", row->head);
	printf("  %-32s%c%-*s %s\n", row->label, good ? ' ' : '!', JUDGE_OURS,
	       text_fit(left, JUDGE_OURS, fit[0]), text_fit(right, JUDGE_STOCK, fit[1]));
	return json_pack("{s:s?, s:s, s:s, s:s, s:b, s:b}", "head", row->head, "label",
			 row->label, "unplug", left, "stock", right, "judged",
			 row->want != NULL, "good", good);
}

/* The control: did stock show what this is all about? */
static bool control_good(json_t *stock)
{
	const char *one = fact(stock, '1', "map"), *two = fact(stock, '2', "map");

	return one && two && !strcmp(one, "alive") && !strcmp(two, "alive");
}

static bool judge(json_t *stock, json_t *ours, json_t *list)
{
	const char *problem = fact(ours, '0', "problem") ?: fact(stock, '0', "problem");
	size_t i, judged = 0, bad = 0;
	json_t *row;

	printf("\nTwo of four USB display cards pulled in use, one on another machine (Linux %s)\n\n",
	       fact(ours, '0', "kernel") ?: "?");
	printf("%-35s%-*s %s\n", "", JUDGE_OURS, "converted udl", "stock udl");
	for (i = 0; i < ROWS; i++) {
		row = row_judge(&rows[i], stock, ours);
		judged += rows[i].want != NULL;
		bad += !json_is_true(json_object_get(row, "good"));
		json_array_append_new(list, row);
	}
	if (problem)
		printf("\nFAILED: the scene was not played to its end: %s\n", problem);
	else if (bad)
		printf("\nFAILED: %zu of %zu judged rows, marked with '!'\n", bad, judged);
	else if (!control_good(stock))
		printf("\nFAILED: the stock driver's mapping did not survive, or was not tried\n");
	else
		printf("\nPASS: all %zu judged rows hold; stock's mappings survived the pulls.\n",
		       judged);
	return !bad && !problem && control_good(stock);
}

int main(int argc, char **argv)
{
	json_t *stock, *ours, *list = json_array(), *report;
	bool pass;

	if (argc != 4) {
		fprintf(stderr, "usage: judge STOCK UNPLUG REPORT\n");
		return 2;
	}
	stock = facts_read(argv[1]);
	ours = facts_read(argv[2]);
	if (!stock || !ours) {
		fprintf(stderr, "judge: cannot read %s: %s\n", stock ? argv[2] : argv[1],
			strerror(errno));
		return 2;
	}
	pass = judge(stock, ours, list);
	report = json_pack("{s:b, s:o, s:o, s:o}", "pass", pass, "rows", list, "unplug", ours,
			   "stock", stock);
	if (!report || json_dump_file(report, argv[3], JSON_INDENT(1))) {
		fprintf(stderr, "judge: cannot write %s: %s\n", argv[3], strerror(errno));
		return 2;
	}
	json_decref(report);
	return pass ? EXIT_SUCCESS : EXIT_FAILURE;
}
