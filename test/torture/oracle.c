// SPDX-License-Identifier: GPL-2.0-or-later
/* What is legal; see oracle.h */

#include "oracle.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

static const struct {
	const char *name;
	int away;
} ops[] = {
#define OP(id, name, away) [ORACLE_##id] = { name, away },
	ORACLE_OPS(OP)
#undef OP
};

const char *oracle_op_name(enum oracle_op op)
{
	return ops[op].name;
}

static bool illegal(struct oracle_verdict *verdict, const char *promise, const char *why)
{
	verdict->promise = promise;
	verdict->why = why;
	return false;
}

/* What was so all the time of an act, and what may have been */
struct span {
	bool frozen, away;
	bool maybe_frozen, maybe_away;
};

static struct span span_of(const struct oracle_act *act)
{
	const struct oracle_look *before = &act->before, *after = &act->after;
	bool same = before->turn == after->turn;

	return (struct span) {
		.frozen = before->state == TORTURE_FROZEN && after->state == TORTURE_FROZEN && same,
		.away = before->state >= TORTURE_SHUT || before->ended > act->opened_to,
		.maybe_frozen = before->turn & 1 || !same,
		.maybe_away = after->state >= TORTURE_PULLING || after->ending > act->opened_from ||
			      (act->op == ORACLE_OPEN && before->state == TORTURE_PLUGGING),
	};
}

/* Who may wait for a thaw is not told EAGAIN. */
static bool may_try_again(const struct oracle_act *act)
{
	switch (act->op) {
	case ORACLE_OPEN:
	case ORACLE_ALIAS:
	case ORACLE_READ:
	case ORACLE_WRITE:
	case ORACLE_INFO:
	case ORACLE_LONG:
	case ORACLE_HOLD:
		return !act->waits || act->nonblock;
	default:
		return act->op == ORACLE_MMAP;
	}
}

/* What a card that is away is answered with, and how one that is frozen */
static bool is_refusal(const struct oracle_act *act, const struct span *span, bool away)
{
	bool touch = act->op == ORACLE_LOAD || act->op == ORACLE_STORE ||
		     act->op == ORACLE_PEEK;

	/* It was inside, and then its mapping went. */
	if (act->own && act->answer == EFAULT)
		return !act->dummy && !span->away && !span->frozen;
	if (touch && act->answer == ORACLE_SIGBUS && act->dummy)
		return false;
	if (touch)
		return act->answer == ops[act->op].away;
	if (!away)
		return act->answer == EAGAIN && may_try_again(act);
	return act->answer == ops[act->op].away ||
	       (act->op == ORACLE_OPEN && act->answer == ENXIO);
}

/* What a dummy page answers for a card that cannot be reached, or may not be. Else: false */
static bool is_dummy(const struct oracle_act *act, const struct span *span)
{
	if (!act->dummy || act->answer || (!span->maybe_away && !span->maybe_frozen))
		return false;
	return (act->op == ORACLE_LOAD && !act->value) || act->op == ORACLE_STORE;
}

/* Errors that say nothing about the card: one that is away is not asked, nor slept in. */
static bool is_neutral(const struct oracle_act *act, const struct span *span)
{
	if (act->answer == EMFILE)
		return act->op == ORACLE_OPEN || act->op == ORACLE_ALIAS;
	if (span->away || act->op == ORACLE_CLOSE)
		return false;
	switch (act->answer) {
	case ENOMEM:
		return true;
	case EINTR:
		return act->signals;
	case EAGAIN:
		return act->op == ORACLE_READ && act->nonblock;
	default:
		return false;
	}
}

/* It worked, on whose card? */
static bool is_ours(const struct oracle_act *act, struct oracle_verdict *verdict)
{
	if (act->value == act->generation)
		return true;
	if (act->value == TORTURE_ICE)
		return illegal(verdict, "K12", "hardware reached that is frozen");
	if (act->value != TORTURE_AWAY)
		return illegal(verdict, "K9", "another card was reached");
	if (act->op == ORACLE_READ || act->op == ORACLE_INFO)
		return illegal(verdict, "K2", "hardware reached after shut");
	return illegal(verdict, "K3", "hardware reached after shut");
}

static bool may_work(const struct oracle_act *act, struct oracle_verdict *verdict)
{
	bool touch = act->op == ORACLE_LOAD || act->op == ORACLE_STORE ||
		     act->op == ORACLE_PEEK;
	struct span span = span_of(act);

	if (act->op == ORACLE_CLOSE)
		return true;
	if (span.away)
		return illegal(verdict, touch ? "K3" : "K1", "worked after shut");
	if (span.frozen)
		return illegal(verdict, "K12", "worked while frozen");
	if (act->op == ORACLE_STORE || act->op == ORACLE_MMAP || act->op == ORACLE_WRITE ||
	    act->op == ORACLE_LONG || act->op == ORACLE_HOLD)
		return true;
	return is_ours(act, verdict);
}

/* Hang-up from shut on, and not before */
static bool is_legal_poll(const struct oracle_act *act, struct oracle_verdict *verdict)
{
	struct span span = span_of(act);
	bool hup = act->value & POLLHUP, err = act->value & POLLERR;

	if (hup != err)
		return illegal(verdict, "K1", "half a hang-up");
	if (span.away && !hup)
		return illegal(verdict, "K1", "no hang-up after shut");
	if (hup && !span.maybe_away)
		return illegal(verdict, "K5", "hang-up of a card that was not pulled");
	if (span.frozen && !span.maybe_away && act->value)
		return illegal(verdict, "K12", "events while frozen");
	return true;
}

/* The card in the slot has changed, or there was none: it may be any of these, or none. */
static bool is_legal_replug(const struct oracle_act *act, struct oracle_verdict *verdict)
{
	if (act->answer == ENOENT || act->answer == ENXIO ||
	    (act->answer == EAGAIN && may_try_again(act)))
		return true;
	/* The next card may be a frozen one, and be waited for; or one after it that nobody saw. */
	if (act->answer == EINTR && act->signals && act->waits && !act->nonblock &&
	    (act->after.turn || act->last > act->generation + 1))
		return true;
	if (act->answer)
		return illegal(verdict, "K1", "wrong error of open");
	if (act->value == act->generation && act->before.state >= TORTURE_SHUT)
		return illegal(verdict, "K1", "worked after shut");
	if (act->value < act->generation || act->value > act->last)
		return illegal(verdict, "K9", "open has found a card that is in the past, or yet to come");
	return true;
}

/**
 * oracle_is_legal() - may this answer be given?
 * @act: what was done, and what came of it
 * @verdict: what is wrong, if it may not
 *
 * Return: true if it may.
 */
bool oracle_is_legal(const struct oracle_act *act, struct oracle_verdict *verdict)
{
	struct span span = span_of(act);

	if (is_neutral(act, &span) || is_dummy(act, &span))
		return true;
	if (act->op == ORACLE_OPEN && (!act->generation || act->last != act->generation))
		return is_legal_replug(act, verdict);
	if (!act->answer)
		return act->op == ORACLE_POLL ? is_legal_poll(act, verdict) :
						may_work(act, verdict);
	if (span.maybe_away && is_refusal(act, &span, true))
		return true;
	if (!span.away && span.maybe_frozen && is_refusal(act, &span, false))
		return true;
	if (act->answer == ORACLE_SIGSEGV)
		return illegal(verdict, "K4", "another signal than SIGBUS");
	if (act->dummy && act->answer == ORACLE_SIGBUS)
		return illegal(verdict, "K4", "SIGBUS instead of a dummy page");
	if (span.away || (span.maybe_away && !span.maybe_frozen))
		return illegal(verdict, "K1", "wrong error after the pull");
	if (span.maybe_frozen)
		return illegal(verdict, "K12", "wrong error of a card that was frozen");
	return illegal(verdict, act->before.turn ? "K12" : "K5",
		       "a card that nobody pulled or froze has failed");
}

static const struct {
	const char *promise, *why;
} facts[] = {
	[TORTURE_FACT_BODY_DRAINED] = { "K2", "an operation ran in a drained card" },
	[TORTURE_FACT_BODY_FREED] = { "K2", "an operation ran in a card that was freed" },
	[TORTURE_FACT_BODY_THAWED] = { "K12", "an operation was inside from before freeze till after thaw" },
	[TORTURE_FACT_HW_AWAY] = { "K2", "a hardware section ran after shut" },
	[TORTURE_FACT_HW_OTHER] = { "K9", "a hardware section reached another card" },
	[TORTURE_FACT_HW_FROZEN] = { "K12", "a hardware section ran while frozen" },
	[TORTURE_FACT_RELEASE_TWICE] = { "K6", "a file was released twice" },
	[TORTURE_FACT_RELEASE_GONE] = { "K2", "a file was released after gone" },
	[TORTURE_FACT_GONE_TWICE] = { "K2", "gone came twice" },
	[TORTURE_FACT_GONE_INSIDE] = { "K2", "gone came while somebody was inside" },
	[TORTURE_FACT_GONE_OPEN] = { "K2", "gone came before all files were released" },
	[TORTURE_FACT_STORE_AWAY] = { "K3", "an old mapping was written through after shut" },
	[TORTURE_FACT_STORE_OP_AWAY] = { "K2", "write wrote after shut" },
	[TORTURE_FACT_STORE_OTHER] = { "K9", "users of another card wrote to this one" },
	[TORTURE_FACT_STORE_FROZEN] = { "K12", "hardware was written to while frozen" },
	[TORTURE_FACT_GATE_FREED] = { "K2", "the guard itself was used after it was freed" },
	[TORTURE_FACT_GONE_QUEUED] = { "K2", "somebody is on a queue of the driver's when it is gone" },
	[TORTURE_FACT_PULL_FAILED] = { "K7", "unplug has failed" },
	[TORTURE_FACT_FREEZE_FAILED] = { "K12", "freeze has failed" },
	[TORTURE_FACT_THAW_FAILED] = { "K12", "thaw has failed" },
};

/**
 * oracle_fact() - which promise does a fact break?
 * @fact: of the kernel half's
 * @verdict: filled
 */
void oracle_fact(enum torture_fact fact, struct oracle_verdict *verdict)
{
	illegal(verdict, facts[fact].promise, facts[fact].why);
}

/**
 * oracle_is_stuck() - may somebody be in an operation for this long?
 * @op: which
 * @look: at its card
 * @opened_to: its file was opened not after this turn
 * @waits: newcomers wait for a thaw
 * @verdict: what is wrong, if he may not
 *
 * Return: true if he may not.
 */
bool oracle_is_stuck(enum oracle_op op, const struct oracle_look *look, uint32_t opened_to,
		     bool waits, struct oracle_verdict *verdict)
{
	bool away = look->state >= TORTURE_SHUT || look->ended > opened_to;
	bool sleeps = op == ORACLE_READ || op == ORACLE_POLL || op == ORACLE_HOLD;

	if (op == ORACLE_WAIT_NEIGHBOUR)
		return !illegal(verdict, "K5", "a card is not gone, as somebody is inside another one");
	if (op == ORACLE_WAIT_GONE)
		return !illegal(verdict, "K6", "a card is not gone");
	if (op == ORACLE_PULL)
		return !illegal(verdict, "K6", "pull does not return");
	/* They sleep until somebody does something: not for ever once it is shut, or their file ended. */
	if (!away && (sleeps || (waits && look->state >= TORTURE_FREEZING)))
		return false;
	return !illegal(verdict, "K6", !away ?
			"an operation does not return" :
			"an operation does not return, of a card that was pulled");
}
