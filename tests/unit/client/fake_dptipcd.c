/* SPDX-License-Identifier: BSD-3-Clause */

#include "fake_dptipcd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKS_CNT 16
#define SENDS_MAX 65536
#define LOG_BYTES DPT_SHM_LOG_BYTES_MIN

struct fake_sock_state {
	int fd; /* our end; -1: closed */
	bool was_closed, is_shut, wants_room;
	struct dpt_log log;
	uint32_t msgs_cnt; /* delivered */
};

struct fake {
	pthread_mutex_t lock; /* the thread holds it but in poll(2) */
	pthread_t thread;
	struct fake_cfg cfg;
	int listener, conn, doorbell, kick;
	bool is_stopping, is_held, is_echo, has_stale;
	void *region;
	struct dpt_shm_layout layout;
	struct dpt_log channels[DPT_SHM_CHANNELS];
	struct fake_sock_state socks[SOCKS_CNT];
	int result, answer;
	uint32_t sends_cnt, signals_cnt;
	struct fake_send *sends;
	struct dpt_attach_msg request;
};

static void
must(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	perror(what);
	abort();
}

static struct dpt_shm_hdr *
hdr_of(struct fake *fake)
{
	return fake->region;
}

static void
send_fds(int sock, const void *data, size_t bytes, const int *fds, size_t fds_cnt)
{
	char control[CMSG_SPACE(2 * sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {(void *)(uintptr_t)data, bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;

	if (fds_cnt) {
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(fds_cnt * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(fds_cnt * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, fds_cnt * sizeof(int));
	}
	(void)!sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* A region for the process that says hello. */
static int
region_make(struct fake *fake)
{
	int memfd = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint32_t i;

	must(dpt_shm_layout_init(&fake->layout, SOCKS_CNT, LOG_BYTES, LOG_BYTES) == 0, "layout");
	must(memfd >= 0 && ftruncate(memfd, (off_t)fake->layout.region_bytes) == 0, "memfd");
	if (!fake->cfg.is_unsealed)
		must(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0, "seals");
	fake->region =
		mmap(NULL, fake->layout.region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	must(fake->region != MAP_FAILED, "mmap");
	dpt_shm_region_init(fake->region, &fake->layout);
	if (fake->cfg.has_bad_region)
		hdr_of(fake)->magic++;
	for (i = 0; i < DPT_SHM_CHANNELS; i++)
		dpt_log_init(&fake->channels[i],
			     dpt_shm_channel_log_at(fake->region, &fake->layout, i), LOG_BYTES,
			     &dpt_shm_channel_at(fake->region, &fake->layout, i)->consumed);
	return memfd;
}

static void
hello(struct fake *fake, struct dpt_attach_msg *msg)
{
	int fds[2], refused = fake->cfg.hello_result;

	msg->arg[0] = fake->cfg.abi_version ? fake->cfg.abi_version : DPT_SHM_ABI_VERSION;
	msg->result = refused;
	if (refused || fake->cfg.abi_version) {
		send_fds(fake->conn, msg, sizeof(*msg), NULL, 0);
		return;
	}
	fds[0] = region_make(fake);
	fds[1] = fake->doorbell;
	msg->arg[1] = (uint32_t)fake->layout.region_bytes;
	send_fds(fake->conn, msg, sizeof(*msg), fds, 2);
	close(fds[0]);
}

static void
sock_open(struct fake *fake, struct dpt_attach_msg *msg)
{
	struct dpt_shm_sock *shm;
	int pair[2];
	uint32_t i;

	for (i = 0; i < SOCKS_CNT && fake->socks[i].fd >= 0; i++)
		;
	if (i == SOCKS_CNT) {
		msg->result = ENFILE;
		send_fds(fake->conn, msg, sizeof(*msg), NULL, 0);
		return;
	}
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	shm = fake_sock(fake, i);
	memset((void *)shm, 0, sizeof(*shm));
	shm->port = 0x1000 + i;
	shm->type = msg->arg[0];
	dpt_log_init(&fake->socks[i].log, dpt_shm_rx_log_at(fake->region, &fake->layout, i),
		     LOG_BYTES, &shm->rx_consumed);
	dpt_log_reset(&fake->socks[i].log);
	fake->socks[i].msgs_cnt = 0;
	fake->socks[i].fd = pair[0];
	fake->socks[i].was_closed = fake->socks[i].is_shut = fake->socks[i].wants_room = false;
	msg->arg[0] = i;
	msg->arg[1] = shm->port;
	send_fds(fake->conn, msg, sizeof(*msg), &pair[1], 1);
	close(pair[1]);
}

static void
info(struct fake *fake, struct dpt_attach_msg *msg)
{
	struct {
		struct dpt_attach_msg msg;
		char text[DPT_ATTACH_TEXT_BYTES];
	} answer = {.msg = *msg};
	int i;

	for (i = 0; i < 3; i++) {
		answer.msg.arg[0] = (uint32_t)snprintf(answer.text, sizeof(answer.text),
						       "info %u line %d\n", msg->arg[0], i);
		send_fds(fake->conn, &answer, sizeof(answer.msg) + answer.msg.arg[0], NULL, 0);
	}
	msg->arg[0] = 0;
	send_fds(fake->conn, msg, sizeof(*msg), NULL, 0);
}

static void
stale_send(struct fake *fake, const struct dpt_attach_msg *msg)
{
	struct dpt_attach_msg stale = *msg;
	int fds[2];

	stale.cookie--;
	stale.result = EXDEV;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0, "socketpair");
	send_fds(fake->conn, &stale, sizeof(stale), fds, 1);
	close(fds[0]);
	close(fds[1]);
}

static void
sock_shutdown(struct fake *fake, struct dpt_attach_msg *msg)
{
	struct fake_sock_state *sock = &fake->socks[msg->arg[0]];

	shutdown(sock->fd, SHUT_RDWR);
	sock->is_shut = true;
	msg->arg[1] = (uint32_t)sock->log.pos;
	msg->arg[2] = (uint32_t)(sock->log.pos >> 32);
}

/* What was delivered and is not receipted; charged with a number that a test can know. */
static void
recv_queue(struct fake *fake, struct dpt_attach_msg *msg)
{
	uint32_t idx = msg->arg[0];

	msg->arg[0] =
		fake->socks[idx].msgs_cnt - (uint32_t)atomic_load(&fake_sock(fake, idx)->rx_msgs);
	msg->arg[1] = msg->arg[0] * FAKE_CHARGE_BYTES;
}

static void
conn_serve(struct fake *fake)
{
	struct dpt_attach_msg msg;
	ssize_t got = recv(fake->conn, &msg, sizeof(msg), MSG_DONTWAIT);

	if (got < 0)
		return;
	if (got == 0 || fake->cfg.is_mute) {
		close(fake->conn);
		fake->conn = -1;
		return;
	}
	fake->request = msg;
	if (fake->has_stale && msg.op != DPT_ATTACH_HELLO)
		stale_send(fake, &msg);
	if (msg.op == DPT_ATTACH_HELLO) {
		hello(fake, &msg);
	} else if (msg.op == DPT_ATTACH_SOCKET && !fake->answer) {
		sock_open(fake, &msg);
	} else if (msg.op == DPT_ATTACH_INFO) {
		info(fake, &msg);
	} else {
		msg.result = fake->answer;
		if (msg.op == DPT_ATTACH_SHUTDOWN)
			sock_shutdown(fake, &msg);
		if (msg.op == DPT_ATTACH_RECVQ)
			recv_queue(fake, &msg);
		send_fds(fake->conn, &msg, sizeof(msg), NULL, 0);
	}
}

static bool
deliver(struct fake *fake, uint32_t idx, const struct fake_msg *msg)
{
	uint32_t head = msg->has_name ? DPT_REC_DATA_NAME_BYTES : DPT_REC_DATA_BYTES;
	struct fake_sock_state *sock = &fake->socks[idx];
	struct dpt_rec_data *rec = dpt_log_reserve(&sock->log, head + msg->bytes);

	if (!rec)
		return false;
	rec->hdr.importance = rec->hdr.flags = 0;
	rec->hdr.errcode = msg->errcode;
	rec->hdr.sock_idx = idx;
	rec->orig_port = msg->port;
	rec->orig_node = msg->node;
	rec->msg_type = msg->type | (msg->has_name ? DPT_REC_DATA_HAS_NAME : 0);
	if (msg->has_name)
		memcpy(rec->name, msg->name, sizeof(rec->name));
	if (msg->bytes)
		memcpy((uint8_t *)rec + head, msg->payload, msg->bytes);
	dpt_log_commit(&sock->log, rec, DPT_REC_DATA, head + msg->bytes);
	sock->msgs_cnt++;
	return true;
}

/* S1 to S3 of dpt_shm.h. */
static void
signal_sock(struct fake *fake, uint32_t idx)
{
	struct dpt_shm_sock *shm = fake_sock(fake, idx);

	if (atomic_load(&shm->is_signalled))
		return;
	atomic_store(&shm->is_signalled, 1);
	dpt_shm_fence();
	if (atomic_load(&shm->rx_consumed) == fake->socks[idx].log.pos)
		atomic_store(&shm->is_signalled, 0);
	else
		(void)!send(fake->socks[idx].fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
wake(struct dpt_shm_sock *shm)
{
	dpt_shm_fence();
	if (!atomic_load(&shm->tx_waiting))
		return;
	syscall(SYS_futex, &shm->tx_done, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	syscall(SYS_futex, &shm->is_congested, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void
send_seen(struct fake *fake, const struct dpt_rec_send *rec, uint32_t bytes)
{
	struct dpt_shm_sock *shm = fake_sock(fake, rec->hdr.sock_idx);
	struct fake_send *send = &fake->sends[fake->sends_cnt % SENDS_MAX];
	uint32_t payload_bytes = bytes - (uint32_t)sizeof(*rec), i;
	struct fake_msg echo = {.port = shm->port,
				.node = 1,
				.type = 3,
				.payload = rec->payload,
				.bytes = payload_bytes};

	memset(send, 0, sizeof(*send));
	send->idx = rec->hdr.sock_idx;
	send->addrtype = rec->addrtype;
	send->importance = rec->hdr.importance;
	send->flags = rec->hdr.flags;
	memcpy(send->addr, rec->addr, sizeof(send->addr));
	send->seq = rec->tx_seq;
	send->conn_timeout_ms = rec->conn_timeout_ms;
	send->bytes = payload_bytes;
	for (i = 0; i < payload_bytes; i++)
		send->sum += rec->payload[i];
	memcpy(send->head, rec->payload, payload_bytes < 32 ? payload_bytes : 32);
	fake->sends_cnt++;
	if (fake->is_echo && deliver(fake, rec->hdr.sock_idx, &echo))
		signal_sock(fake, rec->hdr.sock_idx);
	if (!(rec->hdr.flags & DPT_REC_F_WANT_RESULT))
		return;
	if (fake->result == EAGAIN)
		atomic_store(&shm->is_congested, 1);
	atomic_store(&shm->tx_result, fake->result);
	atomic_store_explicit(&shm->tx_done, rec->tx_seq, memory_order_release);
	wake(shm);
}

/* ROOM of a connectionless socket; of a connection it is the test that plays the worker. */
static void
room_make(struct fake *fake, uint32_t idx)
{
	struct fake_sock_state *sock = &fake->socks[idx];
	struct dpt_shm_sock *shm = fake_sock(fake, idx);
	char byte;

	if (!sock->wants_room || (shm->type & 1) || atomic_load(&shm->is_congested))
		return;
	sock->wants_room = false;
	atomic_store(&shm->is_filled, 0);
	while (recv(sock->fd, &byte, 1, MSG_DONTWAIT) > 0)
		;
}

/* All submission logs. Returns whether there was anything. */
static bool
channels_serve(struct fake *fake)
{
	bool any = false;
	uint32_t i, bytes;
	int error;

	for (i = 0; i < DPT_SHM_CHANNELS; i++) {
		const struct dpt_rec_hdr *rec;

		while ((rec = dpt_log_peek(&fake->channels[i], sizeof(*rec), &bytes, &error))) {
			if (rec->kind == DPT_REC_SEND)
				send_seen(fake, (const struct dpt_rec_send *)rec, bytes);
			if (rec->kind == DPT_REC_SIGNAL) {
				fake->signals_cnt++;
				signal_sock(fake, rec->sock_idx);
			}
			if (rec->kind == DPT_REC_ROOM) {
				fake->socks[rec->sock_idx].wants_room = true;
				room_make(fake, rec->sock_idx);
			}
			dpt_log_advance(&fake->channels[i], bytes);
			any = true;
		}
		must(error == 0, "submission log");
		dpt_log_publish(&fake->channels[i]);
	}
	return any;
}

static void
socks_serve(struct fake *fake)
{
	uint32_t i;

	for (i = 0; i < SOCKS_CNT; i++) {
		struct pollfd pfd = {.fd = fake->socks[i].fd};

		/* An end that was shut down is hung up as well. */
		if (pfd.fd < 0 || fake->socks[i].is_shut || poll(&pfd, 1, 0) != 1 ||
		    !(pfd.revents & POLLHUP))
			continue;
		close(fake->socks[i].fd);
		fake->socks[i].fd = -1;
		fake->socks[i].was_closed = true;
	}
}

static void
fake_sleep(struct fake *fake)
{
	struct pollfd pfds[4 + SOCKS_CNT] = {{.fd = fake->listener, .events = POLLIN},
					     {.fd = fake->conn, .events = POLLIN},
					     {.fd = fake->doorbell, .events = POLLIN},
					     {.fd = fake->kick, .events = POLLIN}};
	uint64_t count;
	uint32_t i;

	for (i = 0; i < SOCKS_CNT; i++)
		pfds[4 + i].fd = fake->socks[i].is_shut ? -1 : fake->socks[i].fd;
	pthread_mutex_unlock(&fake->lock);
	poll(pfds, 4 + SOCKS_CNT, -1);
	pthread_mutex_lock(&fake->lock);
	(void)!read(fake->doorbell, &count, sizeof(count));
	(void)!read(fake->kick, &count, sizeof(count));
}

static void *
fake_run(void *arg)
{
	struct fake *fake = arg;

	pthread_mutex_lock(&fake->lock);
	while (!fake->is_stopping) {
		if (fake->region) {
			atomic_store(&hdr_of(fake)->worker_sleeps, 1);
			dpt_shm_fence();
			if (!fake->is_held && channels_serve(fake))
				continue;
		}
		fake_sleep(fake);
		if (fake->conn < 0)
			fake->conn = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fake->conn >= 0)
			conn_serve(fake);
		if (fake->region)
			socks_serve(fake);
	}
	pthread_mutex_unlock(&fake->lock);
	return NULL;
}

struct fake *
fake_start(const char *name, const struct fake_cfg *cfg)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct fake *fake = calloc(1, sizeof(*fake));
	int len =
		snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "%s%s", DPT_ATTACH_PREFIX, name);
	uint32_t i;

	must(fake != NULL, "calloc");
	fake->sends = calloc(SENDS_MAX, sizeof(*fake->sends));
	must(fake->sends != NULL, "calloc");
	if (cfg)
		fake->cfg = *cfg;
	for (i = 0; i < SOCKS_CNT; i++)
		fake->socks[i].fd = -1;
	fake->conn = -1;
	fake->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fake->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	must(bind(fake->listener, (struct sockaddr *)&un,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len)) == 0,
	     "bind");
	must(listen(fake->listener, 4) == 0, "listen");
	pthread_mutex_init(&fake->lock, NULL);
	must(pthread_create(&fake->thread, NULL, fake_run, fake) == 0, "thread");
	return fake;
}

static void
lock(struct fake *fake)
{
	pthread_mutex_lock(&fake->lock);
}

/* Let the thread look at what has changed. */
static void
unlock_kick(struct fake *fake)
{
	const uint64_t one = 1;

	pthread_mutex_unlock(&fake->lock);
	(void)!write(fake->kick, &one, sizeof(one));
}

void
fake_stop(struct fake *fake)
{
	uint32_t i;

	lock(fake);
	fake->is_stopping = true;
	unlock_kick(fake);
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	if (fake->conn >= 0)
		close(fake->conn);
	close(fake->doorbell);
	close(fake->kick);
	for (i = 0; i < SOCKS_CNT; i++)
		if (fake->socks[i].fd >= 0)
			close(fake->socks[i].fd);
	if (fake->region)
		munmap(fake->region, fake->layout.region_bytes);
	pthread_mutex_destroy(&fake->lock);
	free(fake->sends);
	free(fake);
}

bool
fake_deliver_quietly(struct fake *fake, uint32_t idx, const struct fake_msg *msg)
{
	bool is_written;

	lock(fake);
	is_written = deliver(fake, idx, msg);
	pthread_mutex_unlock(&fake->lock);
	return is_written;
}

bool
fake_deliver(struct fake *fake, uint32_t idx, const struct fake_msg *msg)
{
	bool is_written;

	lock(fake);
	is_written = deliver(fake, idx, msg);
	signal_sock(fake, idx);
	pthread_mutex_unlock(&fake->lock);
	return is_written;
}

uint32_t
fake_sends_cnt(struct fake *fake)
{
	uint32_t cnt;

	lock(fake);
	if (fake->region && !fake->is_held)
		channels_serve(fake);
	cnt = fake->sends_cnt;
	pthread_mutex_unlock(&fake->lock);
	return cnt;
}

struct fake_send
fake_send_get(struct fake *fake, uint32_t i)
{
	struct fake_send send;

	lock(fake);
	send = fake->sends[i % SENDS_MAX];
	pthread_mutex_unlock(&fake->lock);
	return send;
}

uint32_t
fake_signals_cnt(struct fake *fake)
{
	uint32_t cnt;

	lock(fake);
	cnt = fake->signals_cnt;
	pthread_mutex_unlock(&fake->lock);
	return cnt;
}

void
fake_result_set(struct fake *fake, int result)
{
	lock(fake);
	fake->result = result;
	pthread_mutex_unlock(&fake->lock);
}

void
fake_hold(struct fake *fake, bool is_held)
{
	lock(fake);
	fake->is_held = is_held;
	unlock_kick(fake);
}

bool
fake_has_pending(struct fake *fake)
{
	bool has = false;
	uint32_t i;

	lock(fake);
	for (i = 0; i < DPT_SHM_CHANNELS; i++)
		has |= !dpt_log_is_empty(&fake->channels[i]);
	pthread_mutex_unlock(&fake->lock);
	return has;
}

void
fake_congested_set(struct fake *fake, uint32_t idx, bool is_congested)
{
	lock(fake);
	atomic_store(&fake_sock(fake, idx)->is_congested, is_congested);
	wake(fake_sock(fake, idx));
	room_make(fake, idx);
	pthread_mutex_unlock(&fake->lock);
}

void
fake_route_gen_bump(struct fake *fake)
{
	atomic_fetch_add(&hdr_of(fake)->route_gen, 1);
}

void
fake_own_node_set(struct fake *fake, uint32_t node)
{
	atomic_store(&hdr_of(fake)->own_node, node);
}

struct dpt_attach_msg
fake_request_last(struct fake *fake)
{
	struct dpt_attach_msg msg;

	lock(fake);
	msg = fake->request;
	pthread_mutex_unlock(&fake->lock);
	return msg;
}

void
fake_answer_set(struct fake *fake, int result)
{
	lock(fake);
	fake->answer = result;
	pthread_mutex_unlock(&fake->lock);
}

void
fake_stale_answers(struct fake *fake, bool is_on)
{
	lock(fake);
	fake->has_stale = is_on;
	pthread_mutex_unlock(&fake->lock);
}

void *
fake_region(struct fake *fake, struct dpt_shm_layout *layout)
{
	*layout = fake->layout;
	return fake->region;
}

struct dpt_shm_sock *
fake_sock(struct fake *fake, uint32_t idx)
{
	return dpt_shm_sock_at(fake->region, &fake->layout, idx);
}

bool
fake_is_closed(struct fake *fake, uint32_t idx)
{
	bool is_closed;

	lock(fake);
	socks_serve(fake);
	is_closed = fake->socks[idx].was_closed;
	pthread_mutex_unlock(&fake->lock);
	return is_closed;
}

void
fake_echo(struct fake *fake, bool is_on)
{
	lock(fake);
	fake->is_echo = is_on;
	pthread_mutex_unlock(&fake->lock);
}
