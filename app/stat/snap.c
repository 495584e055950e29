/* SPDX-License-Identifier: BSD-3-Clause */
/* Copies of a stat file. Contract: snap.h. */
#include "snap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Different counters, and values of all writers: bounds for files that lie. Our choice: ten
 * times what 16 workers have. */
#define SNAP_COUNTERS_MAX 4096
#define SNAP_STEPS_MAX	  65536

static bool
read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
	uint8_t *at = to;

	while (bytes > 0) {
		ssize_t got = pread(fd, at, bytes, (off_t)offset);

		if (got <= 0)
			return false;
		at += got;
		bytes -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

static int
snap_read(struct snap *snap, char error[SNAP_ERROR_BYTES], const char *path)
{
	const char *what = "no stat file of dptipcd";
	struct stat st;
	int rc;

	if (fstat(snap->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 0 ||
	    !read_at(snap->fd, &snap->hdr, sizeof(snap->hdr), 0)) {
		snprintf(error, SNAP_ERROR_BYTES, "%.160s: %s", path, what);
		return -1;
	}
	rc = dpt_stat_check(&snap->hdr, (uint64_t)st.st_size);
	if (rc == -EPROTONOSUPPORT)
		what = "of another version of dptipcd: use its dptipc-stat";
	else if (rc == -EINVAL)
		what = "damaged";
	if (rc == 0 && snap->hdr.total_bytes > SNAP_BYTES_MAX) {
		what = "too large";
		rc = -EINVAL;
	}
	if (rc == 0) {
		snap->data = malloc(snap->hdr.total_bytes);
		if (snap->data != NULL && read_at(snap->fd, snap->data, snap->hdr.total_bytes, 0))
			return 0;
		what = snap->data == NULL ? "too large for memory" : "damaged";
	}
	snprintf(error, SNAP_ERROR_BYTES, "%.160s: %s", path, what);
	return -1;
}

int
snap_take(struct snap *snap, const char *path, char error[SNAP_ERROR_BYTES])
{
	struct timespec now;

	memset(snap, 0, sizeof(*snap));
	snap->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (snap->fd < 0) {
		snprintf(error, SNAP_ERROR_BYTES, "%.160s: %s", path, strerror(errno));
		return -1;
	}
	if (snap_read(snap, error, path) != 0)
		return -1;
	/* Its end releases the lock, whatever end that is. */
	snap->is_alive = flock(snap->fd, LOCK_SH | LOCK_NB) != 0;
	if (!snap->is_alive)
		flock(snap->fd, LOCK_UN);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snap->mono_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return 0;
}

void
snap_free(struct snap *snap)
{
	free(snap->data);
	snap->data = NULL;
	if (snap->fd >= 0)
		close(snap->fd);
	snap->fd = -1;
}

uint32_t
snap_cnt(const struct snap *snap, enum dpt_stat_part_id part)
{
	return snap->hdr.parts[part].cnt;
}

bool
snap_get(const struct snap *snap, enum dpt_stat_part_id part, uint32_t idx, void *to)
{
	const struct dpt_stat_part *p = &snap->hdr.parts[part];
	uint32_t bytes = dpt_stat_entry_bytes(part);

	/* The header was checked, so an entry that exists lies inside. */
	if (idx >= p->cnt) {
		memset(to, 0, bytes);
		return false;
	}
	memcpy(to, snap->data + p->offset + (uint64_t)idx * p->stride, bytes);
	return true;
}

const char *
snap_text(char *text, size_t bytes)
{
	text[bytes - 1] = '\0';
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
	return text;
}

const char *
snap_name(const struct snap *snap, enum dpt_stat_list list, uint32_t value)
{
	const struct dpt_stat_part *p = &snap->hdr.parts[DPT_STAT_NAMES];

	for (uint32_t i = 0; i < p->cnt; i++) {
		struct dpt_stat_text *at =
			(void *)(snap->data + p->offset + (uint64_t)i * p->stride);

		/* In place: the copy is ours. */
		if (at->list == (uint16_t)list && at->value == value)
			return snap_text(at->text, sizeof(at->text));
	}
	return "";
}

bool
snap_flight(const struct snap *snap, uint32_t slot, struct dpt_flight *flight, uint32_t *first)
{
	const struct dpt_stat_part *p = &snap->hdr.parts[DPT_STAT_FLIGHTS];
	uint64_t offset = p->offset + (uint64_t)slot * p->stride;
	uint32_t before, after;

	if (slot >= p->cnt)
		return false;
	if (!read_at(snap->fd, flight, sizeof(*flight), offset) ||
	    !read_at(snap->fd, &after, sizeof(after), offset + offsetof(struct dpt_flight, next))) {
		if (!snap_get(snap, DPT_STAT_FLIGHTS, slot, flight))
			return false;
		after = flight->next;
	}
	before = flight->next;
	/* The record that `after` will write may be half written: it is in the oldest's place. */
	*first = after - DPT_FLIGHT_RECS + 1;
	if (after < DPT_FLIGHT_RECS - 1)
		*first = 0;
	if (before - *first > DPT_FLIGHT_RECS)
		*first = before;
	snap_text(flight->name, sizeof(flight->name));
	return true;
}

void
snap_owner(const struct snap *snap, uint32_t slot, struct dpt_stat_worker *worker,
	   uint32_t *worker_idx)
{
	for (uint32_t i = 0; i < snap_cnt(snap, DPT_STAT_WORKERS); i++) {
		snap_get(snap, DPT_STAT_WORKERS, i, worker);
		if (slot - worker->links_first >= worker->links_cnt)
			continue;
		*worker_idx = i;
		return;
	}
	memset(worker, 0, sizeof(*worker));
	*worker_idx = 0;
}

/* ---- counters ---- */

static uint64_t
value_get(const struct snap *snap, uint32_t idx)
{
	uint64_t value;

	snap_get(snap, DPT_STAT_VALUES, idx, &value);
	return value;
}

static bool
desc_get(const struct snap *snap, uint32_t idx, struct dpt_stat_desc *desc)
{
	if (!snap_get(snap, DPT_STAT_DESCS, idx, desc))
		return false;
	snap_text(desc->library, sizeof(desc->library));
	snap_text(desc->name, sizeof(desc->name));
	snap_text(desc->text, sizeof(desc->text));
	return true;
}

static void
counter_make(struct snap_counter *counter, const char *group, const struct dpt_stat_desc *desc)
{
	snprintf(counter->name, sizeof(counter->name), "%.24s.%s", group, desc->name);
	memcpy(counter->text, desc->text, sizeof(counter->text));
	counter->kind = desc->kind;
	counter->value = 0;
}

/* Where a counter of that name is in the list, else the end. */
static uint32_t
counter_find(const struct snap_counter *list, uint32_t cnt, const char *name)
{
	uint32_t i = 0;

	while (i < cnt && strcmp(list[i].name, name) != 0)
		i++;
	return i;
}

struct snap_counter *
snap_counters(const struct snap *snap, uint32_t *cnt)
{
	uint32_t sets = snap_cnt(snap, DPT_STAT_SETS), steps = 0;
	const uint32_t max = SNAP_COUNTERS_MAX;
	struct snap_counter *list;

	*cnt = 0;
	list = calloc(max, sizeof(*list));
	for (uint32_t i = 0; list != NULL && i < sets; i++) {
		struct dpt_stat_set set;

		snap_get(snap, DPT_STAT_SETS, i, &set);
		snap_text(set.name, sizeof(set.name));
		for (uint32_t j = 0; j < set.descs_cnt && steps < SNAP_STEPS_MAX; j++, steps++) {
			struct snap_counter counter;
			struct dpt_stat_desc desc;
			uint32_t at;

			if (!desc_get(snap, set.descs_first + j, &desc))
				break;
			counter_make(&counter, set.name[0] != '\0' ? set.name : desc.library,
				     &desc);
			at = counter_find(list, *cnt, counter.name);
			if (at == max)
				break;
			if (at == *cnt)
				list[(*cnt)++] = counter;
			list[at].value += value_get(snap, set.values_first + j);
		}
	}
	return list;
}

bool
snap_link_counter(const struct snap *snap, const struct dpt_stat_link *link, uint32_t idx,
		  struct snap_counter *counter)
{
	struct dpt_stat_desc desc;

	if (idx >= link->values_cnt || !desc_get(snap, link->descs_first + idx, &desc))
		return false;
	counter_make(counter, desc.library, &desc);
	counter->value = value_get(snap, link->values_first + idx);
	return true;
}
