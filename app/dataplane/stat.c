/* SPDX-License-Identifier: BSD-3-Clause */
/* The stat file: place, layout, name, end. Contract: stat_file.h. */
#include "stat_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bearer_counters.h"
#include "control.h"
#include "dpt_stack.h"

/* As kernel TIPC: whoever is on the machine may look at the statistics. Decision 0013. */
#define STAT_MODE     0644
#define STAT_DIR_MODE 0755
/* Files of crashes that are kept, and age of a nameless file, s. Our choice. */
#define STAT_DEAD_MAX 8
#define STAT_NEW_S    60

void *
stat_at(const struct dpt_stat_hdr *hdr, enum dpt_stat_part_id part, uint32_t idx)
{
	const struct dpt_stat_part *p = &hdr->parts[part];

	return (uint8_t *)(uintptr_t)hdr + p->offset + (uint64_t)idx * p->stride;
}

void
stat_text(char *to, size_t to_bytes, const char *text)
{
	size_t bytes = strnlen(text, to_bytes - 1);

	memcpy(to, text, bytes);
	memset(to + bytes, 0, to_bytes - bytes);
}

/* ---- where ---- */

/* A directory of ours, made if need be: nobody else may put a file there. */
static int
dir_make(const char *path)
{
	struct stat st;

	if (mkdir(path, STAT_DIR_MODE) != 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return -EPERM;
	return 0;
}

/* The first of the places of doc/decisions/0013 that can be had. Returns 0 or -errno. */
static int
dir_find(char *dir, size_t dir_bytes)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int rc;

	if (geteuid() == 0) {
		snprintf(dir, dir_bytes, "/run/dptipc");
		rc = dir_make(dir);
		if (rc == 0)
			return 0;
	} else if (runtime != NULL && runtime[0] == '/' && strlen(runtime) + 8 < dir_bytes) {
		snprintf(dir, dir_bytes, "%s/dptipc", runtime);
		rc = dir_make(dir);
		if (rc == 0)
			return 0;
	}
	snprintf(dir, dir_bytes, "/tmp/dptipc-%u", (unsigned int)geteuid());
	return dir_make(dir);
}

/* Another dptipcd holds the lock of this file: it lives in another network namespace. */
static bool
is_in_use(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool in_use;

	if (fd < 0)
		return false;
	in_use = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return in_use;
}

/* A file that no dptipcd holds: what a crash left. *mtime: when it last changed. */
static bool
is_dead(int dir, const char *name, time_t *mtime)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	bool dead;

	if (fd < 0)
		return false;
	dead = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && flock(fd, LOCK_SH | LOCK_NB) == 0;
	*mtime = dead ? st.st_mtime : 0;
	close(fd);
	return dead;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t name_bytes = strlen(name), end_bytes = strlen(end);

	return name_bytes > end_bytes && strcmp(name + name_bytes - end_bytes, end) == 0;
}

/*
 * Files lie in memory: of those that crashes left, the newest STAT_DEAD_MAX stay, and none
 * that never got its name (unless it is just being made).
 */
static void
dir_sweep(const char *path)
{
	char oldest[NAME_MAX + 1];
	DIR *dir = opendir(path);
	struct dirent *entry;
	time_t mtime, oldest_time;
	uint32_t dead_cnt;

	if (dir == NULL)
		return;
	do {
		dead_cnt = 0;
		oldest_time = 0;
		rewinddir(dir);
		while ((entry = readdir(dir)) != NULL) {
			bool is_new = ends_in(entry->d_name, ".new");

			if ((!is_new && !ends_in(entry->d_name, ".stat")) ||
			    !is_dead(dirfd(dir), entry->d_name, &mtime))
				continue;
			if (is_new && time(NULL) - mtime > STAT_NEW_S)
				unlinkat(dirfd(dir), entry->d_name, 0);
			if (is_new)
				continue;
			dead_cnt++;
			if (oldest_time == 0 || mtime < oldest_time) {
				oldest_time = mtime;
				snprintf(oldest, sizeof(oldest), "%s", entry->d_name);
			}
		}
	} while (dead_cnt > STAT_DEAD_MAX && unlinkat(dirfd(dir), oldest, 0) == 0);
	closedir(dir);
}

/* Choose the name; returns 0 or -errno. */
static int
path_choose(struct stat_file *file, const struct args *args)
{
	char dir[96];
	int rc, len;

	if (args->stat_file[0] != '\0') {
		stat_text(file->path, sizeof(file->path), args->stat_file);
	} else {
		rc = dir_find(dir, sizeof(dir));
		if (rc != 0)
			return rc;
		dir_sweep(dir);
		if (strchr(args->name, '/') != NULL)
			return -EINVAL;
		len = snprintf(file->path, sizeof(file->path), "%s/%s.stat", dir, args->name);
		if (is_in_use(file->path))
			len = snprintf(file->path, sizeof(file->path), "%s/%s-%d.stat", dir,
				       args->name, (int)getpid());
		if (len >= (int)sizeof(file->path))
			return -ENAMETOOLONG;
	}
	snprintf(file->tmp_path, sizeof(file->tmp_path), "%s.%d.new", file->path, (int)getpid());
	return 0;
}

/* An empty, locked file of that size with its octets reserved, so that no store can fail. */
static int
file_make(struct stat_file *file, uint64_t bytes)
{
	int rc;

	unlink(file->tmp_path);
	file->fd =
		open(file->tmp_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, STAT_MODE);
	if (file->fd < 0)
		return -errno;
	/* The mode is meant, whatever the umask. */
	rc = fchmod(file->fd, STAT_MODE) != 0 || flock(file->fd, LOCK_EX | LOCK_NB) != 0
		     ? -errno
		     : -posix_fallocate(file->fd, 0, (off_t)bytes);
	if (rc == 0)
		return 0;
	close(file->fd);
	unlink(file->tmp_path);
	file->fd = -1;
	return rc;
}

/* ---- what ---- */

static uint32_t
slots_of_worker(const struct args *args)
{
	uint64_t links = args->nodes * DPT_LINKS_PER_NODE_MAX;

	return (uint32_t)RTE_MIN(links, args->recorders);
}

#define STACK_VALUES_CNT (sizeof(struct dpt_stack_counters_all) / sizeof(uint64_t))
#define LINK_VALUES_CNT	 (sizeof(struct dpt_link_counters) / sizeof(uint64_t))

static void
layout(struct dpt_stat_hdr *hdr, const struct control *control)
{
	uint32_t workers = control->workers_cnt;
	uint32_t slots = workers * slots_of_worker(control->args);

	hdr->parts[DPT_STAT_NODE].cnt = 1;
	hdr->parts[DPT_STAT_WORKERS].cnt = workers;
	hdr->parts[DPT_STAT_BEARERS].cnt = DPT_BEARERS_MAX;
	hdr->parts[DPT_STAT_DESCS].cnt = stat_descs_fill(NULL);
	hdr->parts[DPT_STAT_SETS].cnt = 2 * workers + DPT_BEARERS_MAX + 1;
	hdr->parts[DPT_STAT_VALUES].cnt =
		(uint32_t)(workers * (WORKER_COUNTERS_CNT + STACK_VALUES_CNT) +
			   slots * LINK_VALUES_CNT + DPT_BEARERS_MAX * DPT_BEARER_COUNTERS_CNT +
			   CONTROL_VALUES_CNT);
	hdr->parts[DPT_STAT_NAMES].cnt = stat_names_fill(NULL);
	hdr->parts[DPT_STAT_LINKS].cnt = slots;
	hdr->parts[DPT_STAT_FLIGHTS].cnt = slots;
	hdr->parts[DPT_STAT_CHANGES].cnt = workers;
	hdr->parts[DPT_STAT_LOG].cnt = DPT_STAT_LOG_LINES;
	dpt_stat_layout(hdr);
}

/* cnt: descriptions from library's first on; more than that library's where several stand
 * one behind the other, as their values do. */
static void
set_make(struct stat_file *file, uint32_t idx, const char *library, const char *name, uint32_t cnt)
{
	struct dpt_stat_set *set = stat_at(file->hdr, DPT_STAT_SETS, idx);
	uint32_t all;

	stat_text(set->name, sizeof(set->name), name);
	set->descs_first = stat_descs_find(file->hdr, library, &all);
	set->descs_cnt = cnt;
	set->values_first = (uint32_t)file->values_used;
	file->values_used += cnt;
}

/* Sets of the workers first: 2 i the worker's, 2 i + 1 its stack's; bearers; control. */
static void
sets_fill(struct control *control)
{
	struct stat_file *file = &control->stat;
	uint32_t idx = 0;
	char name[16];

	for (uint32_t i = 0; i < control->workers_cnt; i++) {
		snprintf(name, sizeof(name), "worker%u", i);
		set_make(file, idx++, "worker", name, WORKER_COUNTERS_CNT);
		set_make(file, idx++, "stack", "", STACK_VALUES_CNT);
	}
	for (uint32_t i = 0; i < DPT_BEARERS_MAX; i++) {
		snprintf(name, sizeof(name), "bearer%u", i);
		set_make(file, idx++, "bearer", name, DPT_BEARER_COUNTERS_CNT);
	}
	set_make(file, idx, "control", "", CONTROL_VALUES_CNT);
}

static void
header_fill(struct control *control, const struct dpt_stat_hdr *plan)
{
	struct dpt_stat_hdr *hdr = control->stat.hdr;
	struct timespec now;

	*hdr = *plan;
	hdr->version = DPT_STAT_VERSION;
	hdr->pid = (uint32_t)getpid();
	clock_gettime(CLOCK_REALTIME, &now);
	hdr->start_real_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	clock_gettime(CLOCK_MONOTONIC, &now);
	hdr->start_mono_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	stat_text(hdr->name, sizeof(hdr->name), control->args->name);
	stat_text(hdr->version_text, sizeof(hdr->version_text), DPTIPC_VERSION);
	stat_descs_fill(hdr);
	stat_names_fill(hdr);
	sets_fill(control);
	((struct dpt_stat_node *)stat_at(hdr, DPT_STAT_NODE, 0))->net_id =
		(uint32_t)control->args->net_id;
	/* Last: from now on the file is one. */
	__atomic_store_n(&hdr->magic, DPT_STAT_MAGIC, __ATOMIC_RELEASE);
}

int
stat_open(struct control *control, char *why, size_t why_bytes)
{
	struct stat_file *file = &control->stat;
	struct dpt_stat_hdr plan = {0};
	int rc = -ECANCELED;
	void *map;

	*file = (struct stat_file){.fd = -1};
	why[0] = '\0';
	layout(&plan, control);
	if (strcmp(control->args->stat_file, "none") != 0) {
		rc = path_choose(file, control->args);
		if (rc == 0)
			rc = file_make(file, plan.total_bytes);
		if (rc != 0)
			snprintf(why, why_bytes,
				 "no stat file%s%s: %s (dptipc-stat will see nothing)",
				 file->path[0] != '\0' ? " " : "", file->path, strerror(-rc));
	}
	if (rc != 0)
		file->path[0] = '\0';
	/* Touched now: a worker takes no page fault later. */
	map = mmap(NULL, plan.total_bytes, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE | (file->fd < 0 ? MAP_ANONYMOUS : 0), file->fd, 0);
	if (map == MAP_FAILED) {
		stat_close(control);
		return -1;
	}
	file->hdr = map;
	header_fill(control, &plan);
	for (uint32_t i = 0; i < control->workers_cnt; i++)
		stat_worker_init(control, &control->workers[i]);
	return 0;
}

void
stat_publish(struct control *control)
{
	struct stat_file *file = &control->stat;

	stat_control(control);
	if (file->fd < 0 || rename(file->tmp_path, file->path) == 0) {
		file->tmp_path[0] = '\0';
		return;
	}
	stat_log(control, "no stat file %s: %s", file->path, strerror(errno));
	unlink(file->tmp_path);
	file->path[0] = '\0';
}

void
stat_close(struct control *control)
{
	struct stat_file *file = &control->stat;
	struct stat ours, there;

	if (file->fd >= 0) {
		if (file->tmp_path[0] != '\0')
			unlink(file->tmp_path);
		/* It may be another dptipcd's by now. */
		else if (fstat(file->fd, &ours) == 0 && stat(file->path, &there) == 0 &&
			 ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
			unlink(file->path);
		close(file->fd);
		file->fd = -1;
	}
	if (file->hdr != NULL)
		munmap(file->hdr, file->hdr->total_bytes);
	file->hdr = NULL;
}
