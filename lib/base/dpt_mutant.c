/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of planted bugs. Contract: dpt_mutant.h. */
#include "dpt_mutant.h"

#define DPT_MUTANT_NAME_(name, text) #name,
#define DPT_MUTANT_TEXT_(name, text) text,

const char *const dpt_mutant_names[DPT_MUTANT_CNT] = {"none", DPT_MUTANTS_LIST(DPT_MUTANT_NAME_)};
const char *const dpt_mutant_texts[DPT_MUTANT_CNT] = {"", DPT_MUTANTS_LIST(DPT_MUTANT_TEXT_)};

#ifdef DPT_MUTANTS
enum dpt_mutant dpt_mutant_on = DPT_MUTANT_none;
#endif
