// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests of what needs no kernel: decoders, packets, EDID, endpoint 0, imports */

#include "control.h"
#include "export.h"
#include "usbip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed;

#define CHECK(cond) check((cond), __func__, __LINE__, #cond)

static void check(int good, const char *test, int line, const char *what)
{
	if (good)
		return;
	printf("# %s, line %d: not %s\n", test, line, what);
	failed = 1;
}

#define FEED(...) feed((const uint8_t[]) { __VA_ARGS__ }, \
		       sizeof((const uint8_t[]) { __VA_ARGS__ }))

static struct screen screen;
static struct stream stream;

static void fresh(void)
{
	stream_reset(&stream);
	memset(&stream, 0, sizeof(stream));
	screen_free(&screen);
	memset(&screen, 0, sizeof(screen));
	screen_reset(&screen);
}

/* What follows the data in memory must not matter. */
static void feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = memory_get(len + 8);

	memset(copy, 1, len + 8);
	memcpy(copy, data, len);
	stream_feed(&stream, &screen, copy, len);
	free(copy);
}

static unsigned int at(uint32_t address)
{
	return screen.memory[address] << 8 | screen.memory[address + 1];
}

static void test_raw(void)
{
	fresh();
	FEED(0xaf, 0x68, 0, 0, 4, 2, 0x12, 0x34, 0x56, 0x78);
	CHECK(at(4) == 0x1234 && at(6) == 0x5678 && at(8) == 0);
	CHECK(screen.pixels == 2 && !stream.garbage && !stream.carry.len);
}

static void test_runs(void)
{
	fresh();
	FEED(0xaf, 0x69, 0, 1, 0, 5, 2, 0x11, 0x22, 3, 0x33, 0x44);
	CHECK(at(0x100) == 0x1122 && at(0x102) == 0x1122);
	CHECK(at(0x104) == 0x3344 && at(0x108) == 0x3344 && at(0x10a) == 0);
	CHECK(screen.pixels == 5 && !stream.garbage);
}

static void test_runs_of_256(void)
{
	fresh();
	FEED(0xaf, 0x69, 0, 0, 0, 0, 0, 0xab, 0xcd);
	CHECK(at(0) == 0xabcd && at(510) == 0xabcd && at(512) == 0);
	CHECK(screen.pixels == 256);
}

/* Two raw pixels, the second three times more, one raw pixel at the end */
static void test_mix(void)
{
	fresh();
	FEED(0xaf, 0x6b, 0, 0, 0, 6, 2, 0x11, 0x11, 0x22, 0x22, 3, 1, 0x33, 0x33);
	CHECK(at(0) == 0x1111 && at(2) == 0x2222 && at(8) == 0x2222 && at(10) == 0x3333);
	CHECK(screen.pixels == 6 && !stream.garbage && !stream.carry.len);
}

static void test_long_run(void)
{
	fresh();
	FEED(0xaf, 0x6b, 0, 0, 0, 9, 1, 0x55, 0x66, 6, 2, 0x11, 0x22, 0x33, 0x44);
	CHECK(at(12) == 0x5566 && at(14) == 0x1122 && at(16) == 0x3344);
	CHECK(screen.pixels == 9 && !stream.garbage && !stream.carry.len);
}

/* Complete after a repetition: no further count follows */
static void test_mix_ends_with_run(void)
{
	fresh();
	FEED(0xaf, 0x6b, 0, 0, 0, 4, 1, 0x55, 0x66, 3, 0xaf, 0x20, 0x0f, 7);
	CHECK(at(6) == 0x5566 && screen.pixels == 4);
	CHECK(screen.reg[0x0f] == 7 && !stream.garbage);
}

static void test_copy(void)
{
	fresh();
	FEED(0xaf, 0x68, 0, 0, 0, 1, 0x12, 0x34, 0xaf, 0x6a, 0, 0, 0, 1, 0, 0, 8);
	CHECK(at(8) == 0x1234 && !stream.garbage);
}

static void test_padding(void)
{
	fresh();
	FEED(0xaf, 0xaf, 0xaf, 0x68, 0, 0, 0, 1, 0x12, 0x34, 0xaf, 0xaf, 0xaf);
	CHECK(at(0) == 0x1234 && stream.carry.len == 1);
	FEED(0xaf, 0x68, 0, 0, 2, 1, 0x56, 0x78);
	CHECK(at(2) == 0x5678 && !stream.garbage);
}

static void test_beyond_memory(void)
{
	fresh();
	FEED(0xaf, 0x68, 0xff, 0xff, 0xfe, 1, 0x12, 0x34);
	CHECK(at(0xfffffe) == 0x1234 && !stream.garbage);
	FEED(0xaf, 0x68, 0xff, 0xff, 0xfe, 2, 0x12, 0x34, 0x56, 0x78);
	FEED(0xaf, 0x6a, 0xff, 0xff, 0xff, 1, 0, 0, 0);
	CHECK(screen.pixels == 1 && stream.garbage);
}

static void test_garbage_is_skipped(void)
{
	fresh();
	FEED(1, 2, 3, 0xaf, 0x99, 4, 0xaf, 0x68, 0, 0, 0, 1, 0x12, 0x34);
	CHECK(at(0) == 0x1234 && stream.garbage == 6);
	/* more pixels in a run than in the command */
	FEED(0xaf, 0x6b, 0, 0, 0, 2, 3, 1, 1, 0xaf, 0x69, 0, 0, 0, 1, 2, 1, 1);
	CHECK(screen.pixels == 1 && stream.garbage == 6 + 18);
	FEED(0xaf, 0x6b, 0, 0, 0, 2, 3, 1, 1, 1, 1, 1, 1, 2);
	CHECK(screen.pixels == 1 && stream.garbage == 6 + 18 + 14);
}

static const uint8_t picture[] = {
	0xaf, 0x6b, 0, 0, 0, 6, 2, 0x11, 0x11, 0x22, 0x22, 3, 1, 0x33, 0x33,
	0xaf, 0x69, 0, 0, 12, 5, 2, 0x11, 0x22, 3, 0x33, 0x44,
	0xaf, 0x68, 0, 0, 22, 2, 0x12, 0x34, 0x56, 0x78,
	0xaf, 0x6a, 0, 0, 0, 1, 0, 0, 0x40,
	0xaf, 0x20, 0x0f, 7, 0xaf,
};

static void picture_is(const uint8_t *whole, size_t size)
{
	CHECK(!memcmp(whole, screen.memory, size));
	CHECK(screen.pixels == 13 && screen.reg[0x0f] == 7 && !stream.garbage);
}

/* Cut anywhere, a stream is the same. */
static void test_cut_anywhere(void)
{
	static uint8_t whole[128];
	size_t i, step;

	fresh();
	feed(picture, sizeof(picture));
	memcpy(whole, screen.memory, sizeof(whole));
	for (i = 0; i <= sizeof(picture); i++) {
		fresh();
		feed(picture, i);
		feed(picture + i, sizeof(picture) - i);
		picture_is(whole, sizeof(whole));
	}
	for (step = 1; step < 20; step++) {
		fresh();
		for (i = 0; i + step <= sizeof(picture); i += step)
			feed(picture + i, step);
		feed(picture + i, sizeof(picture) - i);
		picture_is(whole, sizeof(whole));
	}
}

/* Nothing that comes over the wire may harm; for the sanitizers */
static void test_noise(void)
{
	static uint8_t noise[4096];
	int round, i;

	fresh();
	srand(1);
	for (round = 0; round < 500; round++) {
		for (i = 0; i < (int)sizeof(noise); i++)
			noise[i] = rand() % 4 ? rand() : 0xaf;
		for (i = 0; i < (int)sizeof(noise) - 1; i += 7)
			noise[i] = 0xaf, noise[i + 1] = 0x68 + rand() % 4;
		feed(noise, sizeof(noise) - rand() % 64);
		screen_color(&screen, rand() % 2048, rand() % 2048);
	}
	CHECK(stream.garbage > 0 && stream.carry.len < 2048);
}

static void set_mode(uint8_t blank)
{
	FEED(0xaf, 0x20, 0xff, 0x00);
	FEED(0xaf, 0x20, 0x0f, 0x03, 0xaf, 0x20, 0x10, 0x20);
	FEED(0xaf, 0x20, 0x17, 0x02, 0xaf, 0x20, 0x18, 0x58);
	FEED(0xaf, 0x20, 0x1f, blank);
	CHECK(!screen.lit);
	FEED(0xaf, 0x20, 0xff, 0xff);
}

static void test_mode(void)
{
	fresh();
	CHECK(screen_color(&screen, 0, 0) == -1);
	set_mode(0);
	CHECK(screen.lit && screen.width == 800 && screen.height == 600);
	FEED(0xaf, 0x68, 0, 0, 2, 2, 0xf8, 0x00, 0x07, 0xff);
	CHECK(screen_color(&screen, 1, 0) == 0xff0000);
	CHECK(screen_color(&screen, 2, 0) == 0x00ffff);
	CHECK(screen_color(&screen, 799, 599) == 0);
	CHECK(screen_color(&screen, 800, 0) == -1 && screen_color(&screen, 0, 600) == -1);
	FEED(0xaf, 0x20, 0x1f, 7, 0xaf, 0x20, 0xff, 0xff);
	CHECK(!screen.lit && screen.modes == 1 && screen.offs == 1);
	CHECK(screen_color(&screen, 1, 0) == 0xff0000);
}

static void test_edid(void)
{
	uint8_t edid[EDID_SIZE], sum = 0;
	const struct mode *m;
	int i;

	for (m = mode_table; m->name; m++) {
		edid_make(edid, 3, m);
		for (i = 0; i < EDID_SIZE; i++)
			sum += edid[i];
		CHECK(sum == 0);
		CHECK((edid[56] | (edid[58] >> 4) << 8) == m->width);
		CHECK((edid[59] | (edid[61] >> 4) << 8) == m->height);
	}
	CHECK(!memcmp(edid + 77, "Screen 3\n", 9));
	CHECK(mode_find("800x600") && !mode_find("800x601"));
}

static void test_control(void)
{
	static const uint8_t edid[8] = { 0xc0, 2, 0, 126, 0xa1, 0, 2, 0 };
	static const uint8_t beyond[8] = { 0xc0, 2, 0, 128, 0xa1, 0, 2, 0 };
	static const uint8_t channel[8] = { 0x40, 0x12, 0, 0, 0, 0, 16, 0 };
	static const uint8_t device[8] = { 0x80, 6, 0, 1, 0, 0, 8, 0 };
	struct display d = { .kind = &displaylink_kind, .mode = mode_find("640x480") };
	uint8_t in[DISPLAY_ANSWER], data[16] = { 0 };
	struct control c;

	display_reset(&d, 2);
	control_init(&c, 2, &d);
	CHECK(control_answer(&c, edid, NULL, in) == 2 && in[0] == 0 && in[1] == d.edid[126]);
	CHECK(control_answer(&c, beyond, NULL, in) == -EPIPE);
	CHECK(control_answer(&c, channel, data, in) == 16);
	CHECK(control_answer(&c, device, NULL, in) == 8 && in[0] == 18);
	display_free(&d);
}

static struct display gud = { .kind = &gud_kind };
static struct control gud_control;

/* The result of a request, and its data if it goes in */
static int gud_in(uint8_t request, uint8_t in[DISPLAY_ANSWER])
{
	const uint8_t setup[8] = { 0xc1, request, 0, 0, 0, 0, 255, 0 };

	return control_answer(&gud_control, setup, NULL, in);
}

static int gud_out(uint8_t request, const uint8_t *data, uint8_t len)
{
	const uint8_t setup[8] = { 0x41, request, 0, 0, 0, 0, len, 0 };
	uint8_t in[DISPLAY_ANSWER];

	return control_answer(&gud_control, setup, len ? data : NULL, in);
}

#define GUD_OUT(request, ...) gud_out(request, (const uint8_t[]) { __VA_ARGS__ }, \
				      sizeof((const uint8_t[]) { __VA_ARGS__ }))

static uint8_t gud_status_now(void)
{
	uint8_t in[DISPLAY_ANSWER];

	return gud_in(0, in) == 1 ? in[0] : 255;
}

/* A state of this size and format, checked */
static int gud_check(int width, int height, uint8_t format)
{
	return GUD_OUT(0x61, 0, 0, 0, 0, width, width >> 8, 0, 0, 0, 0, 0, 0, height,
		       height >> 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, format, 0);
}

/* A rectangle of N bytes (fewer than 256) */
static int gud_rect(int x, int y, int width, int height, int n, int compression)
{
	return GUD_OUT(0x60, x, x >> 8, 0, 0, y, y >> 8, 0, 0, width, width >> 8, 0, 0, height,
		       0, 0, 0, n, 0, 0, 0, compression, 0, 0, 0, 0);
}

static void gud_fresh(void)
{
	gud.mode = mode_find("800x600");
	display_reset(&gud, 1);
	control_init(&gud_control, 1, &gud);
	gud.garbage = 0;
}

static void test_gud_says(void)
{
	uint8_t in[DISPLAY_ANSWER];

	gud_fresh();
	CHECK(gud_in(1, in) == 30 && in[0] == 0x4d && in[3] == 0x1d && in[4] == 1 && !in[9]);
	CHECK(gud_in(0x40, in) == 2 && in[0] == 0x40 && in[1] == 0x80);
	CHECK(gud_in(0x50, in) == 5 && gud_in(0x54, in) == 1 && in[0] == 1);
	CHECK(gud_in(0x55, in) == 48 && in[24 + 4] == (800 & 255) && in[24 + 21] == 4);
	CHECK(gud_in(0x56, in) == EDID_SIZE && !memcmp(in, gud.edid, EDID_SIZE));
	CHECK(gud_in(0x52, in) == -EPIPE && gud_status_now() == 2);
}

static void test_gud_refuses(void)
{
	gud_fresh();
	CHECK(gud_out(0x62, NULL, 0) == -EPIPE && gud_status_now() == 3);
	CHECK(gud_check(100, 600, 0x40) == -EPIPE && gud_status_now() == 4);
	CHECK(gud_check(800, 600, 0x50) == -EPIPE && gud_status_now() == 4);
	CHECK(gud_check(800, 600, 0x80) == 26 && gud_status_now() == 0);
	CHECK(gud_rect(0, 0, 1, 1, 4, 0) == -EPIPE);	/* no mode yet */
	CHECK(gud_out(0x62, NULL, 0) == 0);
	CHECK(gud_rect(0, 0, 1, 1, 4, 0) == 25 && gud_rect(0, 0, 1, 1, 2, 0) == -EPIPE);
	CHECK(gud_rect(799, 599, 1, 1, 4, 0) == 25 && gud_rect(799, 0, 2, 1, 8, 0) == -EPIPE);
	CHECK(gud_rect(0, 599, 1, 2, 8, 0) == -EPIPE && gud_rect(0, 0, 1, 1, 4, 1) == -EPIPE);
	CHECK(gud_rect(0, 0, 0, 1, 0, 0) == -EPIPE);
}

static void test_gud_shows(void)
{
	static const uint8_t pixels[16] = { 0, 0, 0xff, 0, 0, 0xff, 0, 0, 0xff, 0, 0, 0,
					    0xff, 0xff, 0xff, 0 };
	size_t cut;

	for (cut = 0; cut <= sizeof(pixels); cut++) {
		gud_fresh();
		gud_check(800, 600, 0x80);
		gud_out(0x62, NULL, 0);
		CHECK(!gud.screen.lit && GUD_OUT(0x64, 1) == 1);
		CHECK(gud.screen.lit && gud.screen.width == 800 && gud.screen.height == 600);
		gud_rect(798, 1, 2, 2, sizeof(pixels), 0);
		gud.kind->pixels(&gud, pixels, cut);
		gud.kind->pixels(&gud, pixels + cut, sizeof(pixels) - cut);
		CHECK(screen_color(&gud.screen, 798, 1) == 0xff0000);
		CHECK(screen_color(&gud.screen, 799, 1) == 0x00ff00);
		CHECK(screen_color(&gud.screen, 798, 2) == 0x0000ff);
		CHECK(screen_color(&gud.screen, 799, 2) == 0xffffff && !gud.garbage);
		gud.kind->pixels(&gud, pixels, 3);	/* not announced */
		CHECK(gud.garbage == 3 && screen_color(&gud.screen, 0, 3) == 0);
	}
	gud_check(640, 480, 0x40);
	gud_out(0x62, NULL, 0);
	gud_rect(0, 0, 1, 1, 2, 0);
	gud.kind->pixels(&gud, (const uint8_t[]) { 0xe0, 0x07 }, 2);
	CHECK(gud.screen.width == 640 && screen_color(&gud.screen, 0, 0) == 0x00ff00);
	CHECK(GUD_OUT(0x64, 0) == 1 && !gud.screen.lit);
	display_free(&gud);
}

/* Its answer to the bytes of a request; returns what export_answer() did */
static int ask(const struct export *ex, struct buffer *out, struct adapter **import,
	       const char *request, size_t len)
{
	struct buffer in = { 0 };
	int r;

	buffer_free(out);
	buffer_append(&in, request, len);
	r = export_answer(ex, &in, out, import);
	buffer_free(&in);
	return r;
}

static void test_export(void)
{
	struct adapter two[2] = { { .number = 1, .fd = -1, .served = true },
				  { .number = 2, .fd = -1, .served = true } }, *import;
	struct export ex = { .adapter = two, .count = 2 };
	char name[40] = "\x01\x11\x80\x03\0\0\0\0001-2";
	struct buffer out = { 0 };

	two[0].display.kind = &displaylink_kind;
	two[1].display.kind = &gud_kind;
	two[1].state = ADAPTER_OFFERED;
	CHECK(ask(&ex, &out, &import, "\x01\x11\x80", 3) == 0);
	CHECK(ask(&ex, &out, &import, "\x01\x12\x80\x05\0\0\0\0", 8) == -1);
	CHECK(ask(&ex, &out, &import, "\x01\x11\x80\x07\0\0\0\0", 8) == -1);
	CHECK(ask(&ex, &out, &import, "\x01\x11\x80\x05\0\0\0\0", 8) == 1 && !import);
	CHECK(out.len == 8 + 4 + 312 + 4 && out.data[11] == 1);
	CHECK(!strcmp((char *)out.data + 12 + 256, "1-2"));
	CHECK(out.data[12 + 288 + 12] == 0x1d && out.data[12 + 288 + 13] == 0x50);
	CHECK(ask(&ex, &out, &import, name, 39) == 0);
	CHECK(ask(&ex, &out, &import, name, 40) == 1 && import == &two[1]);
	CHECK(out.len == 8 + 312 && out.data[3] == 3 && out.data[7] == 0);
	two[1].state = ADAPTER_RUNNING;
	two[1].fd = 0;
	CHECK(ask(&ex, &out, &import, name, 40) == 1 && !import && out.data[7] == 2);
	name[10] = '1';
	CHECK(ask(&ex, &out, &import, name, 40) == 1 && !import && out.data[7] == 1);
	name[10] = '3';
	CHECK(ask(&ex, &out, &import, name, 40) == 1 && !import && out.data[7] == 4);
	CHECK(out.len == 8);
	buffer_free(&out);
}

static void test_packets(void)
{
	uint8_t p[USBIP_HEADER + 4] = { [3] = 1, [7] = 9, [19] = 1, [27] = 4 };
	struct usbip_request r;
	struct buffer out = { 0 };

	CHECK(usbip_parse(&r, p, USBIP_HEADER - 1) == 0);
	CHECK(usbip_parse(&r, p, USBIP_HEADER + 3) == 0);
	CHECK(usbip_parse(&r, p, sizeof(p)) == sizeof(p));
	CHECK(r.seqnum == 9 && r.endpoint == 1 && r.length == 4 && !r.in && !r.unlink);
	CHECK(r.data == p + USBIP_HEADER);
	p[24] = 0x80;	/* negative length */
	CHECK(usbip_parse(&r, p, sizeof(p)) == -1);
	p[24] = 0;
	p[3] = 7;
	CHECK(usbip_parse(&r, p, sizeof(p)) == -1);
	p[3] = 2;
	p[23] = 9;
	CHECK(usbip_parse(&r, p, sizeof(p)) == USBIP_HEADER && r.unlink && r.victim == 9);
	usbip_done(&out, 9, -EPIPE, 0, NULL);
	CHECK(out.len == USBIP_HEADER && out.data[3] == 3 && out.data[7] == 9);
	CHECK(out.data[20] == 0xff && out.data[23] == 0xe0);
	buffer_free(&out);
}

int main(void)
{
	test_raw();
	test_runs();
	test_runs_of_256();
	test_mix();
	test_long_run();
	test_mix_ends_with_run();
	test_copy();
	test_padding();
	test_beyond_memory();
	test_garbage_is_skipped();
	test_cut_anywhere();
	test_noise();
	test_mode();
	test_edid();
	test_control();
	test_packets();
	test_gud_says();
	test_gud_refuses();
	test_gud_shows();
	test_export();
	fresh();
	screen_free(&screen);
	return failed;
}
