/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ranges of one service: a treap (binary tree in range order, heap by random priority)
 * where each node knows the largest upper bound below it, so a subtree that ends before
 * the instance asked for is skipped.
 *
 * Range order: lower ascending, newest first among equals (04-name-table.md, 2). It is kept
 * by inserting before all equals; rotations do not change the order.
 */
#include "names_priv.h"

static void
range_update(struct names_range *range)
{
	uint32_t max = range->upper;

	if (range->left != NULL && range->left->max_upper > max)
		max = range->left->max_upper;
	if (range->right != NULL && range->right->max_upper > max)
		max = range->right->max_upper;
	range->max_upper = max;
}

/* Put what hangs below parent at old's place there: new (may be NULL). */
static void
child_replace(struct names_service *service, struct names_range *parent, struct names_range *old,
	      struct names_range *new)
{
	if (parent == NULL)
		service->root = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
	if (new != NULL)
		new->parent = parent;
}

/*
 *        parent            range
 *        /    \            /   \
 *     range    C   -->    A   parent      and the mirror image
 *     /   \                   /    \
 *    A     B                 B      C
 */
static void
rotate_up(struct names_service *service, struct names_range *range)
{
	struct names_range *parent = range->parent;
	struct names_range *inner;

	child_replace(service, parent->parent, parent, range);
	if (parent->left == range) {
		inner = range->right;
		range->right = parent;
		parent->left = inner;
	} else {
		inner = range->left;
		range->left = parent;
		parent->right = inner;
	}
	if (inner != NULL)
		inner->parent = parent;
	parent->parent = range;
	range_update(parent);
	range_update(range);
}

void
names_tree_insert(struct names_service *service, struct names_range *range)
{
	struct names_range **link = &service->root;
	struct names_range *parent = NULL;

	while (*link != NULL) {
		parent = *link;
		if (range->upper > parent->max_upper)
			parent->max_upper = range->upper;
		link = range->lower <= parent->lower ? &parent->left : &parent->right;
	}
	*link = range;
	range->parent = parent;
	range->left = NULL;
	range->right = NULL;
	range->max_upper = range->upper;
	while (range->parent != NULL && range->parent->prio < range->prio)
		rotate_up(service, range);
}

void
names_tree_remove(struct names_service *service, struct names_range *range)
{
	struct names_range *parent;

	while (range->left != NULL || range->right != NULL) {
		struct names_range *child = range->left;

		if (child == NULL ||
		    (range->right != NULL && range->right->prio > range->left->prio))
			child = range->right;
		rotate_up(service, child);
	}
	parent = range->parent;
	child_replace(service, parent, range, NULL);
	for (; parent != NULL; parent = parent->parent)
		range_update(parent);
}

static struct names_range *
subtree_first(struct names_range *range, uint32_t lower, uint32_t upper)
{
	while (range != NULL) {
		/*
		 * If the left subtree reaches up to lower, the first match is there or nowhere:
		 * were it to begin after upper, so would all to the right.
		 */
		if (range->left != NULL && range->left->max_upper >= lower) {
			range = range->left;
			continue;
		}
		if (range->lower > upper)
			return NULL;
		if (range->upper >= lower)
			return range;
		range = range->right;
		if (range != NULL && range->max_upper < lower)
			return NULL;
	}
	return NULL;
}

struct names_range *
names_tree_first(const struct names_service *service, uint32_t lower, uint32_t upper)
{
	return subtree_first(service->root, lower, upper);
}

struct names_range *
names_tree_next(const struct names_range *range, uint32_t lower, uint32_t upper)
{
	const struct names_range *child;

	if (range->right != NULL && range->right->max_upper >= lower) {
		struct names_range *found = subtree_first(range->right, lower, upper);

		/* Nothing there: it all begins after upper, as does what follows it. */
		return found;
	}
	for (;;) {
		child = range;
		range = range->parent;
		if (range == NULL)
			return NULL;
		if (range->right == child)
			continue;
		if (range->lower > upper)
			return NULL;
		if (range->upper >= lower)
			return (struct names_range *)range;
		if (range->right != NULL && range->right->max_upper >= lower)
			return subtree_first(range->right, lower, upper);
	}
}
