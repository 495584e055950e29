/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets and addresses for the cases. What is not the subject of a case must work. */
#include "conform.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* over_dptipc.h has more to do. */
#ifndef CONFORM_SETTLE
#define CONFORM_SETTLE()
#endif
#define ADDRS 24
/* Looks a millisecond apart: a bound, should what is waited for not come. */
#define LOOKS_MAX 3000

uint8_t big[1 << 20];

int
must(const char *what, long value)
{
	if (value == -1) {
		say("cannot go on: %s: %s", what, errno_name(errno));
		_exit(0);
	}
	return (int)value;
}

struct sockaddr_tipc *
new_addr(int addrtype)
{
	static _Thread_local struct sockaddr_tipc addrs[ADDRS];
	static _Thread_local unsigned int next;
	struct sockaddr_tipc *a = &addrs[next++ % ADDRS];

	memset(a, 0, sizeof(*a));
	a->family = AF_TIPC;
	a->addrtype = (unsigned char)addrtype;
	return a;
}

const struct sockaddr *
svc_at(uint32_t type, uint32_t instance, uint32_t domain)
{
	struct sockaddr_tipc *a = new_addr(TIPC_SERVICE_ADDR);

	a->addr.name.name.type = type;
	a->addr.name.name.instance = instance;
	a->addr.name.domain = domain;
	return (struct sockaddr *)a;
}

const struct sockaddr *
svc(uint32_t type, uint32_t instance)
{
	return svc_at(type, instance, 0);
}

const struct sockaddr *
svc_scope(uint32_t type, uint32_t instance, int scope)
{
	struct sockaddr_tipc *a = new_addr(TIPC_SERVICE_ADDR);

	a->addr.name.name.type = type;
	a->addr.name.name.instance = instance;
	a->scope = (signed char)scope;
	return (struct sockaddr *)a;
}

const struct sockaddr *
rng_scope(uint32_t type, uint32_t lower, uint32_t upper, int scope)
{
	struct sockaddr_tipc *a = new_addr(TIPC_SERVICE_RANGE);

	a->addr.nameseq.type = type;
	a->addr.nameseq.lower = lower;
	a->addr.nameseq.upper = upper;
	a->scope = (signed char)scope;
	return (struct sockaddr *)a;
}

const struct sockaddr *
rng(uint32_t type, uint32_t lower, uint32_t upper)
{
	return rng_scope(type, lower, upper, TIPC_CLUSTER_SCOPE);
}

const struct sockaddr *
at(uint32_t ref, uint32_t node)
{
	struct sockaddr_tipc *a = new_addr(TIPC_SOCKET_ADDR);

	a->addr.id.ref = ref;
	a->addr.id.node = node;
	return (struct sockaddr *)a;
}

static struct sockaddr_tipc
address_of(int fd)
{
	struct sockaddr_tipc a = {0};
	socklen_t len = sizeof(a);

	MUST(getsockname(fd, (struct sockaddr *)&a, &len));
	return a;
}

uint32_t
ref_of(int fd)
{
	return address_of(fd).addr.id.ref;
}

uint32_t
own_node(void)
{
	static uint32_t node;
	int fd;

	if (node == 0) {
		fd = sk(SOCK_RDM);
		node = address_of(fd).addr.id.node;
		close(fd);
	}
	return node;
}

const struct sockaddr *
at_fd(int fd)
{
	return at(ref_of(fd), own_node());
}

int
sk(int type)
{
	return MUST(socket(AF_TIPC, type, 0));
}

int
bound(int type, uint32_t instance)
{
	int fd = sk(type);

	MUST(bind(fd, rng(T, instance, instance), ALEN));
	return fd;
}

int
listener(int type, uint32_t instance)
{
	int fd = bound(type, instance);

	MUST(listen(fd, 5));
	return fd;
}

int
set_u32(int fd, int level, int name, uint32_t value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

int
set_time(int fd, int name, int ms)
{
	struct timeval tv = {ms / 1000, (ms % 1000) * 1000};

	return setsockopt(fd, SOL_SOCKET, name, &tv, sizeof(tv));
}

void
nonblock(int fd, bool is_on)
{
	int flags = MUST(fcntl(fd, F_GETFL));

	MUST(fcntl(fd, F_SETFL, is_on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int
returning(int type)
{
	int fd = sk(type);

	MUST(set_u32(fd, SOL_TIPC, TIPC_DEST_DROPPABLE, 0));
	return fd;
}

int
start_connect(int type, const struct sockaddr *to)
{
	int fd = sk(type);

	nonblock(fd, true);
	if (connect(fd, to, ALEN) != -1 || errno != EINPROGRESS)
		must("connect in progress", -1);
	nonblock(fd, false);
	return fd;
}

struct trio
connected_types(int listener_type, int client_type, bool is_by_name)
{
	struct trio t;

	t.l = listener(listener_type, 1);
	know(t.l, "l");
	t.c = start_connect(client_type, is_by_name ? svc(T, 1) : at_fd(t.l));
	know(t.c, "c");
	t.s = MUST(accept(t.l, NULL, NULL));
	know(t.s, "s");
	await(t.c, POLLOUT);
	/* Small-message aggregation is a difference that is wanted; the cases of section 12
	 * switch it on. */
	MUST(set_u32(t.c, SOL_TIPC, TIPC_NODELAY, 1));
	MUST(set_u32(t.s, SOL_TIPC, TIPC_NODELAY, 1));
	return t;
}

struct trio
connected(int type)
{
	return connected_types(type, type, true);
}

void
nap(int ms)
{
	struct timespec ts = {ms / 1000, (ms % 1000) * 1000000L};

	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		;
}

void
settle(void)
{
	int keep = errno;

	CONFORM_SETTLE();
	/* The other node's part: of that no call tells. */
	if (role >= 0)
		nap(30);
	errno = keep;
}

void
quiet(void)
{
	nap(30);
	settle();
}

void
drain(int fd)
{
	settle();
	while (recv(fd, big, sizeof(big), MSG_DONTWAIT) > 0)
		;
	settle();
}

void
fill(void *data, size_t len, uint32_t seed)
{
	uint8_t *d = data;
	uint32_t x = seed * 2654435761u + 12345;

	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		d[i] = (uint8_t)(x >> 24);
	}
}

uint32_t
sum_of(const void *data, size_t len)
{
	const uint8_t *d = data;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ d[i]) * 16777619u;
	return h;
}

int
fill_up_to(int fd, size_t len, const struct sockaddr *to, int most)
{
	int cnt = 0;

	while (cnt < most &&
	       sendto(fd, big, len, MSG_DONTWAIT, to, to != NULL ? ALEN : 0) == (ssize_t)len)
		cnt++;
	return cnt;
}

int
fill_up(int fd, size_t len)
{
	return fill_up_to(fd, len, NULL, 100000);
}

pthread_t
begin(void *(*function)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, function, arg) != 0)
		must("pthread_create", -1);
	return t;
}

static _Atomic unsigned int signals_cnt;

static void
on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals_cnt, 1);
}

void
alarms(int flags)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};
	struct itimerval it = {{0, 50000}, {0, 50000}};

	atomic_store(&signals_cnt, 0);
	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &it, NULL));
}

void
calm(void)
{
	struct itimerval it = {{0, 0}, {0, 0}};

	MUST(setitimer(ITIMER_REAL, &it, NULL));
}

void
until_signalled(void)
{
	for (int i = 0; i < LOOKS_MAX && atomic_load(&signals_cnt) == 0; i++)
		nap(1);
}

/* The state letter of a task, behind the name in brackets. */
static char
task_state(const char *tid)
{
	char path[64], text[256] = "";
	const char *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 'S'; /* it has ended */
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	at = strrchr(text, ')');
	return at != NULL && at[1] == ' ' ? at[2] : '?';
}

static bool
do_others_sleep(void)
{
	DIR *tasks = opendir("/proc/self/task");
	long own = syscall(SYS_gettid);
	bool is_asleep = true;
	struct dirent *task;

	if (tasks == NULL)
		return false;
	while ((task = readdir(tasks)) != NULL)
		if (task->d_name[0] != '.' && atol(task->d_name) != own)
			is_asleep &= task_state(task->d_name) == 'S';
	closedir(tasks);
	return is_asleep;
}

void
until_others_sleep(void)
{
	/* Some looks in a row: a thread on its way may sleep for a lock. */
	for (int i = 0, in_a_row = 0; i < LOOKS_MAX && in_a_row < 5; i++) {
		in_a_row = do_others_sleep() ? in_a_row + 1 : 0;
		nap(1);
	}
}

void
finish(pthread_t thread)
{
	pthread_join(thread, NULL);
}

struct tipc_subscr
subscription(uint32_t type, uint32_t lower, uint32_t upper, uint32_t timeout, uint32_t filter)
{
	struct tipc_subscr s = {.seq = {type, lower, upper}, .timeout = timeout, .filter = filter};

	memcpy(s.usr_handle, "handle__", 8);
	return s;
}

int
topology(int type)
{
	int fd = sk(type);

	MUST(connect(fd, svc(TIPC_TOP_SRV, TIPC_TOP_SRV), ALEN));
	return fd;
}

void
subscribe(int fd, uint32_t type, uint32_t lower, uint32_t upper, uint32_t filter)
{
	struct tipc_subscr s =
		subscription(type, lower, upper, (uint32_t)TIPC_WAIT_FOREVER, filter);

	MUST(send(fd, &s, sizeof(s), 0));
}
