/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Captures of two kernel nodes, a and b, through the whole stack.
 *
 *   goal    in the place of one node ours finds the other, opens the link, keeps and loses
 *           it, and has the other's name table, as the kernel did, and says what it said
 *   method  replay.h: identity, addresses, network, random number and sessions of that node;
 *           the frames of the other, unchanged, at their times on the virtual clock;
 *           replay_compare.c: which octets are compared
 *
 * Checked for each: frames said, contacts and why they were lost, the name table after each
 * NAME_DISTRIBUTOR message, each loss of contact and in the end, all counters of drops and errors,
 * all buffers.
 *
 *   capture                    in the place of
 *   discovery-set-address      a, b
 *   discovery-trial            a, b
 *   discovery-trial-conflict   a (suggests an address), b (takes it)
 *   discovery-identity         a, b
 *   names-bulk-and-update      b; not a: ports and keys of its 263 names are the kernel's
 *   node-restart               a, b      after a contact made by the test (replay.h)
 *   link-loss-of-contact       a, b      the same
 *   link-one-way               a, b      the same
 *   link-properties            a, b      the same; a sets priority and tolerance
 *   keepalive-idle             a, b      the same; a sets the tolerance
 *   rejects, frames 0 to 15    b         the same, and one name bound; the rest goes to a
 *                                        socket of b, by a port number of the kernel's
 *
 * rdm-messages cannot be replayed without changing its frames, for that reason.
 */
#include "replay.h"

static void
check(const struct replay_cfg *cfg)
{
	struct replay *rp = replay_run(cfg);

	if (rp != NULL)
		replay_check(rp);
}

static void
set_addresses_as_a(void)
{
	static const struct replay_cfg cfg = {
		.file = "discovery-set-address.pcap", .place = 1, .has_addr = true, .ups = 1};

	check(&cfg);
}

static void
set_addresses_as_b(void)
{
	static const struct replay_cfg cfg = {
		.file = "discovery-set-address.pcap", .place = 2, .has_addr = true, .ups = 1};

	check(&cfg);
}

static void
trial_as_a(void)
{
	static const struct replay_cfg cfg = {.file = "discovery-trial.pcap", .place = 1, .ups = 1};

	check(&cfg);
}

static void
trial_as_b(void)
{
	/* Two REQ of a come while the trial lasts. */
	static const struct replay_cfg cfg = {.file = "discovery-trial.pcap",
					      .place = 2,
					      .ups = 1,
					      .drops = {{"discovery.drop_in_trial", 2}}};

	check(&cfg);
}

static void
trial_conflict_as_a_suggests_the_address(void)
{
	static const struct replay_cfg cfg = {.file = "discovery-trial-conflict.pcap",
					      .place = 1,
					      .id_text = "abcdEFGH",
					      .ups = 1};

	check(&cfg);
}

static void
trial_conflict_as_b_takes_the_suggestion(void)
{
	static const struct replay_cfg cfg = {.file = "discovery-trial-conflict.pcap",
					      .place = 2,
					      .id_text = "EFGHabcd",
					      .ups = 1,
					      .drops = {{"discovery.drop_in_trial", 1}}};

	check(&cfg);
}

static void
text_identity_as_a_with_a_stranger_on_the_wire(void)
{
	static const struct replay_cfg cfg = {.file = "discovery-identity.pcap",
					      .place = 1,
					      .id_text = "node-one",
					      .ups = 1,
					      .drops = {{"discovery.drop_net_id", 11}}};

	check(&cfg);
}

static void
text_identity_as_b_with_a_stranger_on_the_wire(void)
{
	static const struct replay_cfg cfg = {.file = "discovery-identity.pcap",
					      .place = 2,
					      .id_text = "node-two",
					      .ups = 1,
					      .drops = {{"discovery.drop_net_id", 11}}};

	check(&cfg);
}

static void
bulk_and_updates_as_b_give_a_s_table(void)
{
	static const struct replay_cfg cfg = {
		.file = "names-bulk-and-update.pcap", .place = 2, .has_addr = true, .ups = 1};

	check(&cfg);
}

static void
restart_of_the_peer_as_a(void)
{
	static const struct replay_cfg cfg = {
		.file = "node-restart.pcap",
		.place = 1,
		.has_addr = true,
		.is_linked = true,
		.ups = 3,
		.downs = {DPT_DOWN_PEER_STOPPING, DPT_DOWN_TOLERANCE}};

	check(&cfg);
}

static void
own_restart_as_b(void)
{
	/*
	 * Three frames of a come while the bearer is disabled, and its RESET while the new
	 * node has not found it yet. The power cut says nothing, so there is one NODE_DOWN.
	 */
	static const struct replay_cfg cfg = {
		.file = "node-restart.pcap",
		.place = 2,
		.has_addr = true,
		.is_linked = true,
		.steps = {{2, REPLAY_BEARER_DOWN},
			  {6, REPLAY_BEARER_UP},
			  {24, REPLAY_STOP},
			  {30, REPLAY_START}},
		.ups = 3,
		.downs = {DPT_DOWN_BEARER},
		.drops = {{"stack.drop_bearer_down", 3}, {"stack.drop_unknown_node", 1}}};

	check(&cfg);
}

static void
loss_of_contact_as_a(void)
{
	static const struct replay_cfg cfg = {.file = "link-loss-of-contact.pcap",
					      .place = 1,
					      .has_addr = true,
					      .is_linked = true,
					      .ups = 2,
					      .downs = {DPT_DOWN_TOLERANCE}};

	check(&cfg);
}

static void
loss_of_contact_as_b(void)
{
	/* The capture is at a's side of the relay that lost all frames for 4 s. */
	static const struct replay_cfg cfg = {.file = "link-loss-of-contact.pcap",
					      .place = 2,
					      .has_addr = true,
					      .is_linked = true,
					      .lost_from = 4,
					      .lost_to = 20,
					      .own_lost_from = 3,
					      .own_lost_to = 20,
					      .ups = 2,
					      .downs = {DPT_DOWN_TOLERANCE}};

	check(&cfg);
}

static void
one_way_link_as_a_that_hears_nothing(void)
{
	static const struct replay_cfg cfg = {.file = "link-one-way.pcap",
					      .place = 1,
					      .has_addr = true,
					      .is_linked = true,
					      .ups = 2,
					      .downs = {DPT_DOWN_TOLERANCE}};

	check(&cfg);
}

static void
one_way_link_as_b_that_is_not_heard(void)
{
	/* a, which misses our ACTIVATE, repeats a RESET of the same session twice. */
	static const struct replay_cfg cfg = {.file = "link-one-way.pcap",
					      .place = 2,
					      .has_addr = true,
					      .is_linked = true,
					      .own_lost_from = 3,
					      .own_lost_to = 17,
					      .ups = 2,
					      .downs = {DPT_DOWN_PEER_STOPPING},
					      .drops = {{"node.drop_session", 2}}};

	check(&cfg);
}

static void
new_priority_and_tolerance_as_b(void)
{
	/*
	 * The STATE with the new priority takes the link down: its report on our broadcasts
	 * finds nobody. Then a says that it goes down as well: a message of the old contact.
	 */
	static const struct replay_cfg cfg = {
		.file = "link-properties.pcap",
		.place = 2,
		.has_addr = true,
		.is_linked = true,
		.ups = 2,
		.downs = {DPT_DOWN_PRIORITY},
		.drops = {{"bcast.drop_report_peer", 1}, {"node.drop_down_leaving", 1}}};

	check(&cfg);
}

/* b resets the link: what a has sent on it since it came up was never acknowledged. */
static void
new_priority_and_tolerance_as_a(void)
{
	static const struct replay_cfg cfg = {.file = "link-properties.pcap",
					      .place = 1,
					      .has_addr = true,
					      .is_linked = true,
					      .steps = {{0, REPLAY_SET, {.priority = 25}},
							{29, REPLAY_SET, {.tolerance_ms = 3000}}},
					      .timer_frame = 3,
					      .ups = 2,
					      .downs = {DPT_DOWN_PEER_STOPPING},
					      .drops = {{"link.drop_link_down", 2}}};

	check(&cfg);
}

static void
idle_link_as_a(void)
{
	static const struct replay_cfg cfg = {.file = "keepalive-idle.pcap",
					      .place = 1,
					      .has_addr = true,
					      .is_linked = true,
					      .steps = {{48, REPLAY_SET, {.tolerance_ms = 400}}},
					      .ups = 1};

	check(&cfg);
}

static void
idle_link_as_b(void)
{
	static const struct replay_cfg cfg = {.file = "keepalive-idle.pcap",
					      .place = 2,
					      .has_addr = true,
					      .is_linked = true,
					      .ups = 1};

	check(&cfg);
}

static void
messages_to_no_port_and_no_name_as_b(void)
{
	static const struct replay_cfg cfg = {.file = "rejects.pcap",
					      .place = 2,
					      .has_addr = true,
					      .is_linked = true,
					      .frames_max = 16,
					      .binds_cnt = 1,
					      .ups = 1};

	check(&cfg);
}

static const struct cu_test tests[] = {
	CU_TEST(set_addresses_as_a),
	CU_TEST(set_addresses_as_b),
	CU_TEST(trial_as_a),
	CU_TEST(trial_as_b),
	CU_TEST(trial_conflict_as_a_suggests_the_address),
	CU_TEST(trial_conflict_as_b_takes_the_suggestion),
	CU_TEST(text_identity_as_a_with_a_stranger_on_the_wire),
	CU_TEST(text_identity_as_b_with_a_stranger_on_the_wire),
	CU_TEST(bulk_and_updates_as_b_give_a_s_table),
	CU_TEST(restart_of_the_peer_as_a),
	CU_TEST(own_restart_as_b),
	CU_TEST(loss_of_contact_as_a),
	CU_TEST(loss_of_contact_as_b),
	CU_TEST(one_way_link_as_a_that_hears_nothing),
	CU_TEST(one_way_link_as_b_that_is_not_heard),
	CU_TEST(new_priority_and_tolerance_as_b),
	CU_TEST(new_priority_and_tolerance_as_a),
	CU_TEST(idle_link_as_a),
	CU_TEST(idle_link_as_b),
	CU_TEST(messages_to_no_port_and_no_name_as_b),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "replay", tests, CU_CNT(tests));
}
