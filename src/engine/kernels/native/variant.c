// All kernels as one translation unit. Compiled once for each instruction set, with its flags, LANES, and VARIANT: the name
// of the one symbol that can be seen from outside.
#define KERNEL static
#define ENTRY static
#include "../program.c"

#include "../activation.c"
#include "../batch-normalisation.c"
#include "../codecs.c"
#include "../convolution-backward.c"
#include "../convolution-weights.c"
#include "../convolution.c"
#include "../dense.c"
#include "../depthwise.c"
#include "../elements.c"
#include "../embedding.c"
#include "../layer-normalisation.c"
#include "../layout.c"
#include "../loss.c"
#include "../pooling.c"
#include "../softmax.c"
#include "../update-loops.c"
#include "variant.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define NAME_OF(x) variant_##x
#define NAME(x) NAME_OF(x)

const variant NAME(VARIANT) = {TEXT(VARIANT), run_program, run_loop, add, code, lane_count};
