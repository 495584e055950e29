/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dptipc-stat's reader. Goal: a stat file is shown as it is; whatever else a file is, every
 * command ends with an output or an error, and touches nothing outside its copy (the
 * sanitizer build sees that). And: all drops and reasons have a text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bearer_counters.h"
#include "cmd.h"
#include "cu.h"
#include "dpt_rng.h"
#include "dpt_stack.h"

static uint8_t *image;
static uint64_t image_bytes;

static void *
at(enum dpt_stat_part_id part, uint32_t idx)
{
	struct dpt_stat_hdr *hdr = (void *)image;

	return image + hdr->parts[part].offset + (uint64_t)idx * hdr->parts[part].stride;
}

/* A small file: one worker, one link that was up and went down, one counter. */
static void
image_make(void)
{
	static const uint32_t cnts[DPT_STAT_PARTS_CNT] = {1, 1, 1, 2, 1, 4, 4, 2, 2, 1, 4};
	struct dpt_stat_hdr plan = {.magic = DPT_STAT_MAGIC, .version = DPT_STAT_VERSION};
	struct dpt_flights flights = {.slots_cnt = 2};
	struct dpt_flight *flight;

	for (int i = 0; i < DPT_STAT_PARTS_CNT; i++)
		plan.parts[i].cnt = cnts[i];
	dpt_stat_layout(&plan);
	free(image);
	image_bytes = plan.total_bytes;
	image = aligned_alloc(64, image_bytes);
	CU_NOT_NULL_FATAL(image);
	memset(image, 0, image_bytes);
	memcpy(image, &plan, sizeof(plan));
	*(struct dpt_stat_worker *)at(DPT_STAT_WORKERS, 0) =
		(struct dpt_stat_worker){.mono_ns = 1, .clock_ns = 9000000000, .links_cnt = 2};
	*(struct dpt_stat_desc *)at(DPT_STAT_DESCS, 0) = (struct dpt_stat_desc){
		.library = "link", .name = "drop_x", .text = "a reason", .kind = DPT_COUNTER_DROP};
	*(struct dpt_stat_set *)at(DPT_STAT_SETS, 0) = (struct dpt_stat_set){.descs_cnt = 1};
	*(uint64_t *)at(DPT_STAT_VALUES, 0) = 42;
	*(struct dpt_stat_text *)at(DPT_STAT_NAMES, 0) = (struct dpt_stat_text){
		.list = DPT_STAT_L_REASON, .value = 1, .text = "peer silent"};
	*(struct dpt_stat_text *)at(DPT_STAT_NAMES, 1) = (struct dpt_stat_text){
		.list = DPT_STAT_L_KIND, .value = DPT_FLIGHT_DOWN, .text = "down"};
	*(struct dpt_stat_text *)at(DPT_STAT_NAMES, 2) = (struct dpt_stat_text){
		.list = DPT_STAT_L_KIND_TEXT, .value = DPT_FLIGHT_DOWN, .text = "{c:reason}; {0}"};
	flights.slots = at(DPT_STAT_FLIGHTS, 0);
	flights.log = at(DPT_STAT_CHANGES, 0);
	flight = dpt_flights_take(&flights, dpt_node_addr(0x123), 0, 1000);
	dpt_flight_name_set(flight, "a:b-c:d");
	dpt_flight_up(&flights, flight, 2000);
	dpt_flight_add(flight, 3000,
		       (struct dpt_flight_rec){.kind = DPT_FLIGHT_DOWN, .code = 1, .arg = {77}});
	dpt_flight_down(&flights, flight, 1, 4000);
}

typedef int (*command)(const struct snap *, const struct cmd_args *, struct out *, char *);
static const command commands[] = {cmd_show, cmd_links, cmd_counters, cmd_drops, cmd_flight};

/* The output of one command on a file of these octets; NULL: the file was refused. */
static char *
output(const uint8_t *octets, uint64_t bytes, command run, const struct cmd_args *args,
       bool is_json)
{
	int fd = memfd_create("stat", MFD_CLOEXEC);
	char path[64], error[SNAP_ERROR_BYTES] = "", *text = NULL;
	size_t text_bytes;
	struct snap snap;
	struct out out;
	FILE *to;

	CU_TRUE_FATAL(fd >= 0 && write(fd, octets, bytes) == (ssize_t)bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (snap_take(&snap, path, error) == 0) {
		to = open_memstream(&text, &text_bytes);
		out_begin(&out, to, is_json);
		run(&snap, args, &out, error);
		out_end(&out);
		fclose(to);
	} else {
		CU_TRUE(error[0] != '\0');
	}
	snap_free(&snap);
	close(fd);
	return text;
}

static void
all_commands(const uint8_t *octets, uint64_t bytes)
{
	for (size_t i = 0; i < CU_CNT(commands); i++) {
		struct cmd_args args = {.what = commands[i] == cmd_flight ? "all" : "",
					.is_downs = (bytes + i) % 2};

		free(output(octets, bytes, commands[i], &args, bytes % 2));
	}
}

static void
has(command run, const struct cmd_args *args, const char *wanted)
{
	char *text = output(image, image_bytes, run, args, false);

	cu_context("%s in:\n%s", wanted, text);
	CU_NOT_NULL_FATAL(text);
	CU_TRUE(strstr(text, wanted) != NULL);
	cu_context("%s", "");
	free(text);
}

static void
a_file_is_shown_as_it_is(void)
{
	struct cmd_args args = {0}, last = {.what = "a:b", .is_last_down = true};

	image_make();
	has(cmd_show, &args, "DEAD");
	has(cmd_show, &args, "peer silent");
	has(cmd_links, &args, "a:b-c:d");
	has(cmd_counters, &args, "link.drop_x");
	has(cmd_drops, &args, "42");
	has(cmd_flight, &last, "peer silent; 77");
}

static void
cut_files_are_refused(void)
{
	struct dpt_rng rng;

	image_make();
	dpt_rng_seed(&rng, cu_seed());
	for (uint64_t bytes = 0; bytes <= sizeof(struct dpt_stat_hdr) + 8; bytes++)
		CU_IS_NULL(output(image, bytes, cmd_show, &(struct cmd_args){0}, false));
	for (int i = 0; i < 100; i++)
		CU_IS_NULL(output(image, dpt_rng_u32(&rng) % image_bytes, cmd_show,
				  &(struct cmd_args){0}, false));
	((struct dpt_stat_hdr *)(void *)image)->version++;
	CU_IS_NULL(output(image, image_bytes, cmd_show, &(struct cmd_args){0}, false));
}

/* Octets anywhere, the header's numbers more often, the magic stays. */
static void
random_octets_never_crash_it(void)
{
	struct dpt_rng rng;

	dpt_rng_seed(&rng, cu_seed());
	for (int round = 0; round < 300; round++) {
		image_make();
		cu_context("round %d", round);
		for (uint32_t n = dpt_rng_u32(&rng) % 200; n > 0; n--) {
			uint64_t range = round % 3 == 0	  ? sizeof(struct dpt_stat_hdr) + 4096
					 : round % 3 == 1 ? 16384
							  : image_bytes;
			uint64_t where = 16 + dpt_rng_u32(&rng) % (range - 16);

			/* The header is refused nearly always: leave it whole in most rounds. */
			if (where < sizeof(struct dpt_stat_hdr) && n > 1)
				continue;
			image[where] = (uint8_t)dpt_rng_u32(&rng);
		}
		all_commands(image, image_bytes);
	}
	cu_context("%s", "");
}

static void
extreme_numbers_never_crash_it(void)
{
	image_make();
	for (enum dpt_stat_part_id part = DPT_STAT_NODE; part < DPT_STAT_PARTS_CNT; part++) {
		uint32_t bytes = dpt_stat_entry_bytes(part);

		image_make();
		memset(at(part, 0), 0xff, bytes < 4096 ? bytes : 4096);
		all_commands(image, image_bytes);
	}
}

static void
every_counter_and_reason_has_a_text(void)
{
	struct dpt_counter_value value;

	for (uint32_t i = 0; dpt_stack_counter(NULL, i, &value); i++) {
		cu_context("%s.%s", value.library, value.desc->name);
		CU_TRUE(value.desc->text != NULL && value.desc->text[0] != '\0');
		CU_TRUE(strlen(value.desc->text) < DPT_STAT_TEXT_BYTES);
		CU_TRUE(strlen(value.desc->name) < 32);
		/* A drop is called one. */
		CU_EQ_U64(strncmp(value.desc->name, "drop_", 5) == 0,
			  value.desc->kind == DPT_COUNTER_DROP);
	}
	for (const struct dpt_counter_desc *d = dpt_bearer_counter_descs; d->name != NULL; d++)
		CU_TRUE(d->text != NULL && d->text[0] != '\0');
	for (uint32_t i = 0; i < DPT_DOWN_REASON_CNT; i++) {
		cu_context("reason %u", i);
		CU_NOT_NULL_FATAL(dpt_down_reason_name((enum dpt_down_reason)i));
		CU_TRUE(dpt_down_reason_name((enum dpt_down_reason)i)[0] != '\0');
		CU_TRUE(strcmp(dpt_down_reason_name((enum dpt_down_reason)i), "unknown") != 0);
	}
	cu_context("%s", "");
	CU_EQ_STR(dpt_down_reason_name((enum dpt_down_reason)DPT_DOWN_REASON_CNT), "unknown");
}

static const struct cu_test tests[] = {
	CU_TEST(a_file_is_shown_as_it_is),
	CU_TEST(cut_files_are_refused),
	CU_TEST(random_octets_never_crash_it),
	CU_TEST(extreme_numbers_never_crash_it),
	CU_TEST(every_counter_and_reason_has_a_text),
};

int
main(int argc, char **argv)
{
	int rc = cu_main(argc, argv, "stat", tests, CU_CNT(tests));

	free(image);
	return rc;
}
