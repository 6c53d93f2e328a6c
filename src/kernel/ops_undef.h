/*
** ops_undef.h - takes back the names of ops.h, and what the includer defined for it.
** No include guard: one inclusion for each of ops.h.
*/
#undef M
#undef SQRT
#undef ADD
#undef SUB
#undef MUL
#undef NEG
#undef ABS
#undef FLOORDIV
#undef MOD
#undef POW
#undef MAX
#undef MIN
#undef BNOT
#undef LOWEST
#undef HIGHEST
#undef T
#undef U
#undef LRN_K_FLOAT
#undef LRN_K_DOUBLE
#undef LRN_K_INT
#undef LRN_K_BOOL
