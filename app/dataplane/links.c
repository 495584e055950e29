/* SPDX-License-Identifier: BSD-3-Clause */
/* Walk over the links of all workers. Contract: links.h. */
#include "links.h"

static void links_ask(struct links_walk *walk);

static void
links_answer(struct request *req)
{
	struct links_walk *walk = req->owner;

	for (uint32_t i = 0; i < walk->chunk.cnt; i++)
		walk->each(walk, &walk->chunk.links[i]);
	if (walk->chunk.cursor != UINT32_MAX) {
		links_ask(walk);
	} else if (walk->worker + 1 < walk->control->workers_cnt) {
		walk->worker++;
		walk->chunk.cursor = 0;
		links_ask(walk);
	} else {
		walk->done(walk);
	}
}

static void
links_ask(struct links_walk *walk)
{
	walk->req = (struct request){
		.op = REQUEST_DUMP, .chunk = &walk->chunk, .done = links_answer, .owner = walk};
	control_ask(walk->control, walk->worker, &walk->req);
}

void
links_walk(struct links_walk *walk)
{
	walk->worker = 0;
	walk->chunk.kind = CHUNK_LINKS;
	walk->chunk.cursor = 0;
	links_ask(walk);
}
