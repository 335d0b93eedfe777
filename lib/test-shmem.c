// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lent memory, and clients that mean well, in a process of their own; those that do not are in
 * test/lib/.
 * Promises: U3, bad input
 */

#include <fcntl.h>
#include <libunplug/shmem.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "shmem.h"
#include "test-sigbus.h"

#define PATTERN 0x11

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static int pair[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static struct unplug_shmem *shmem_new(size_t pages, unsigned int flags)
{
	struct unplug_shmem *shmem;

	assert_int_equal(unplug_shmem_create(&shmem, "test", pages * PAGE, flags), 0);
	memset(unplug_shmem_addr(shmem), PATTERN, unplug_shmem_size(shmem));
	return shmem;
}

static struct unplug_loan *borrow(struct unplug_shmem *shmem, unsigned int flags)
{
	struct unplug_loan *loan;

	assert_int_equal(unplug_shmem_lend(shmem, pair[0]), 0);
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], flags), 0);
	assert_int_equal(unplug_loan_size(loan), unplug_shmem_size(shmem));
	return loan;
}

static void load(void *data)
{
	(void)*(volatile char *)data;
}

static void lent(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	char *ours, *theirs;

	signal_begin(state);
	shmem = shmem_new(2, 0);
	loan = borrow(shmem, 0);
	ours = unplug_shmem_addr(shmem);
	theirs = unplug_loan_addr(loan);
	assert_false(unplug_loan_read_only(loan));
	assert_ptr_not_equal(ours, theirs);
	assert_int_equal(theirs[PAGE], PATTERN);
	theirs[PAGE] = 7;
	assert_int_equal(ours[PAGE], 7);
	assert_false(unplug_loan_lost(loan));
	assert_false(unplug_shmem_lost(shmem));
	assert_int_equal(unplug_shmem_state(shmem), UNPLUG_SHMEM_LIVE);
	unplug_loan_free(loan);
	assert_int_equal(ours[PAGE], 7);
	unplug_shmem_free(shmem);
}

static void revoked_sigbus(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	int status;

	signal_begin(state);
	shmem = shmem_new(3, 0);
	loan = borrow(shmem, 0);
	assert_int_equal(unplug_shmem_revoke(shmem, 30000, NULL), 0);
	assert_int_equal(unplug_shmem_state(shmem), UNPLUG_SHMEM_REVOKED);
	status = in_child(load, unplug_loan_addr(loan));
	assert_killed(status, SIGBUS);
	assert_true(unplug_loan_lost(loan));

	/* The owner is not killed. */
	assert_int_equal(*(char *)unplug_shmem_addr(shmem), 0);
	assert_true(unplug_shmem_lost(shmem));

	assert_int_equal(unplug_shmem_revoke(shmem, 0, NULL), 0);
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), 0);
	assert_int_equal(unplug_shmem_lend(shmem, pair[0]), -ENODEV);
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
}

static void revoked_zeroes(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	char *theirs;

	signal_begin(state);
	shmem = shmem_new(3, 0);
	loan = borrow(shmem, UNPLUG_LOAN_ZEROES);
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), 0);
	theirs = unplug_loan_addr(loan);
	assert_int_equal(theirs[2 * PAGE], 0);
	theirs[0] = 3;
	assert_int_equal(theirs[0], 3);
	assert_int_equal(((char *)unplug_shmem_addr(shmem))[0], 0);
	assert_true(unplug_loan_lost(loan));
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
}

/* As the kernel says it when a page cannot be had, though the file is long enough */
static void lose_page(void *addr)
{
	siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_ADRERR, .si_addr = addr };

	assert_return_code(syscall(SYS_rt_tgsigqueueinfo, getpid(), (pid_t)syscall(SYS_gettid),
				   SIGBUS, &info), errno);
}

/* A huge page that was punched out and cannot be had again, or swap that cannot be read */
static void lost_in_whole_file(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	char *ours, *theirs;

	signal_begin(state);
	shmem = shmem_new(2, 0);
	loan = borrow(shmem, UNPLUG_LOAN_ZEROES);
	ours = unplug_shmem_addr(shmem);
	theirs = unplug_loan_addr(loan);

	lose_page(theirs + PAGE);
	assert_int_equal(theirs[0], 0);
	assert_true(unplug_loan_lost(loan));
	assert_int_equal(ours[0], PATTERN);
	assert_false(unplug_shmem_lost(shmem));

	lose_page(ours);
	assert_int_equal(ours[PAGE], 0);
	assert_true(unplug_shmem_lost(shmem));
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
}

/* The descriptor that was on its way when it was revoked */
static void borrow_revoked(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;

	signal_begin(state);
	shmem = shmem_new(1, 0);
	assert_int_equal(unplug_shmem_lend(shmem, pair[0]), 0);
	assert_int_equal(unplug_shmem_revoke(shmem, -1, NULL), 0);
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -ENODEV);
	unplug_shmem_free(shmem);
}

static void read_only(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	int status;
	char *ours;

	signal_begin(state);
	shmem = shmem_new(1, UNPLUG_SHMEM_READ_ONLY);
	loan = borrow(shmem, UNPLUG_LOAN_ZEROES);
	ours = unplug_shmem_addr(shmem);
	ours[5] = 5;
	assert_true(unplug_loan_read_only(loan));
	assert_int_equal(((char *)unplug_loan_addr(loan))[5], 5);
	assert_int_equal(mprotect(unplug_loan_addr(loan), PAGE, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(unplug_shmem_revoke(shmem, 30000, NULL), 0);
	assert_int_equal(((char *)unplug_loan_addr(loan))[5], 0);
	status = in_child(load, unplug_loan_addr(loan));
	assert_exit(status, 0);
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
}

static void huge(void **state)
{
	struct unplug_shmem *shmem;
	struct unplug_loan *loan;
	int r;

	signal_begin(state);
	r = unplug_shmem_create(&shmem, "huge", 1, UNPLUG_SHMEM_HUGE);
	if (r) {
		/* As documented; that none are reserved is no failure. */
		print_message("# skipped huge: no huge pages here\n");
		assert_int_equal(r, -ENOMEM);
		return;
	}
	loan = borrow(shmem, UNPLUG_LOAN_ZEROES);
	*(char *)unplug_loan_addr(loan) = 1;
	assert_int_equal(*(char *)unplug_shmem_addr(shmem), 1);
	assert_int_equal(unplug_shmem_revoke(shmem, 30000, NULL), 0);
	assert_int_equal(*(char *)unplug_loan_addr(loan), 0);
	assert_int_equal(*(char *)unplug_shmem_addr(shmem), 0);
	unplug_loan_free(loan);
	unplug_shmem_free(shmem);
}

/* Two clients with one each: what becomes of one is nothing to the other. */
static void one_each(void **state)
{
	struct unplug_shmem *shmem[2];
	struct unplug_loan *loan[2];
	int i;

	signal_begin(state);
	for (i = 0; i < 2; i++) {
		shmem[i] = shmem_new(1, 0);
		loan[i] = borrow(shmem[i], UNPLUG_LOAN_ZEROES);
	}
	assert_int_equal(unplug_shmem_revoke(shmem[0], -1, NULL), 0);
	assert_int_equal(*(char *)unplug_loan_addr(loan[0]), 0);
	assert_int_equal(*(char *)unplug_loan_addr(loan[1]), PATTERN);
	for (i = 0; i < 2; i++) {
		unplug_loan_free(loan[i]);
		unplug_shmem_free(shmem[i]);
	}
}

/* With @fd @n times, up to two */
static void send_raw(const void *buf, size_t len, int fd, unsigned int n)
{
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(2 * sizeof(int))];
	} control = { .buf = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[2] = { fd, fd };

	if (n) {
		msg.msg_control = control.buf;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(fd));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(n * sizeof(fd));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, n * sizeof(fd));
	}
	assert_int_equal(sendmsg(pair[0], &msg, 0), len);
}

static int count_fds(void)
{
	int n = 0, fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* From a server that lies: nothing is believed, and no descriptor stays. */
static void borrow_lies(void **state)
{
	struct shmem_offer offer = { .magic = SHMEM_MAGIC, .size = PAGE };
	struct unplug_loan *loan;
	int n, file;

	signal_begin(state);
	n = count_fds();
	file = open("/dev/zero", O_RDWR | O_CLOEXEC);
	assert_true(file >= 0);

	send_raw(&offer, sizeof(offer), -1, 0);	/* nothing comes with it */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	send_raw(&offer, sizeof(offer), file, 2);	/* two */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	send_raw(&offer, sizeof(offer) - 1, file, 1);	/* a part */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	assert_int_equal(shmem_offer_send(pair[0], &offer, file), 0);	/* no memfd */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	close(file);

	file = memfd_create("lie", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_return_code(ftruncate(file, (off_t)PAGE), errno);
	assert_int_equal(shmem_offer_send(pair[0], &offer, file), 0);	/* no seals */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	assert_return_code(fcntl(file, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL), errno);
	offer.size = 2 * PAGE;
	assert_int_equal(shmem_offer_send(pair[0], &offer, file), 0);	/* another size */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	offer.size = PAGE;
	offer.flags = 4;
	assert_int_equal(shmem_offer_send(pair[0], &offer, file), 0);
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -EBADMSG);
	offer.flags = 0;
	/* The sender's pidfd comes with it, if the kernel can, and his name. */
	setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int));
	setsockopt(pair[1], SOL_SOCKET, SO_PASSPIDFD, &(int){ 1 }, sizeof(int));
	assert_int_equal(shmem_offer_send(pair[0], &offer, file), 0);	/* the truth */
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), 0);
	unplug_loan_free(loan);
	close(file);
	assert_int_equal(count_fds(), n);
}

static void borrow_closed(void **state)
{
	struct unplug_loan *loan;

	signal_begin(state);
	close(pair[0]);
	pair[0] = -1;
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 0), -ECONNRESET);
	assert_int_equal(unplug_loan_borrow(&loan, pair[1], 8), -EINVAL);
	assert_int_equal(unplug_loan_borrow(&loan, -1, 0), -EBADF);
	unplug_loan_free(NULL);
}

static void create_invalid(void **state)
{
	struct unplug_shmem *shmem;

	signal_begin(state);
	assert_int_equal(unplug_shmem_create(&shmem, "test", 0, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, NULL, 1, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(NULL, "test", 1, 0), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, "test", 1, 4), -EINVAL);
	assert_int_equal(unplug_shmem_create(&shmem, "test", SIZE_MAX, 0), -EINVAL);
	unplug_shmem_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lent),
		TEST(revoked_sigbus),
		TEST(revoked_zeroes),
		TEST(lost_in_whole_file),
		TEST(borrow_revoked),
		TEST(read_only),
		TEST(huge),
		TEST(one_each),
		TEST(borrow_lies),
		TEST(borrow_closed),
		TEST(create_invalid),
	};

	signal_install();
	return cmocka_run_group_tests_name("shmem", tests, NULL, NULL);
}
