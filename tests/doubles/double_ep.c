/* A plugin execution provider for ONNX Runtime which works, and misbehaves as told: a double for tests.
 *
 *     gcc -std=c11 -shared -fPIC -o libdouble_ep.so double_ep.c
 *
 * It claims float32 Add, Mul, Relu and Identity and really computes them. No ONNX Runtime header is used: the C API
 * only ever grows at its end, so the few functions needed are taken by their position. It asks for API 23 and runs on
 * ORT 1.23 to 1.32.
 *
 * Orders come in the environment (DOUBLE_EP="compile=abort,count=8"), then in the library's own file name
 * ("libdouble_ep--compile=abort--name=foo.so"), which wins, so that two copies in one process can behave differently.
 * They are read once, when the library is loaded.
 *
 *     STAGE=ACTION       STAGE: load factory devices create capability compile compute release explain
 *                        ACTION: abort segv exit hang slow error (load can't return an error)
 *     reasons=N          of OrtDeviceEpIncompatibilityReason, for every hardware asked about; `text` are the notes. This
 *                        and `explain` want ORT 1.24
 *     run_after=N        compute misbehaves only after N good computes of a session
 *     slow_ms=N          how long `slow` sleeps before it goes on as if nothing was (1000)
 *     text=T  code=N     text and OrtErrorCode of every `error` (1, ORT_FAIL; 11 is ORT_EP_FAIL)
 *     trace=1            tell every stage reached on stderr, "double: compile"
 *     api=N              want this API version, refuse politely where the host is older
 *     factories=0..4     factories offered (1)
 *     count=0..8         devices offered by each factory (1)
 *     type=T[+T...]      CPU, GPU or NPU, taken in turn by the devices (CPU). GPU and NPU want ORT 1.24
 *     virtual=1          mark GPU and NPU devices as virtual
 *     name=T             EP name (the registration name)
 *     vendor=T vendor_id=N version=T     of the EP (Double, 0xD0B1, 1.0.0); ORT refuses a version without three numbers
 *     device_vendor=T    of the GPU and NPU hardware
 *     meta.KEY=VALUE     a line of EP metadata; up to 16 of them
 *     option.KEY=VALUE   a default provider option; up to 16 of them
 *     claim=T[+T...]     all, none, or these op types (all)
 *     claim_first=N      of the nodes so chosen only the first N of the graph (all)
 *     say=T              log T as a warning, by ORT's logger, when asked which nodes it claims
 *     factor=F           multiply every output by F: wrong results
 *     nan=1              the first element of every output is NaN
 *     wrong_from=N       `factor` and `nan` begin with compute number N of a session, counted from 0 (0)
 *     delay_us=N         each compute takes N microseconds at least, busy all the time. What follows comes on top, busy
 *                        too, and adds up:
 *     jitter_us=N        0 to N microseconds (4 s at most), pseudo-random by the compute's number: the same for every session
 *     slow_every=N slow_by_us=M          M microseconds for every N-th compute: numbers N - 1, 2 N - 1, ...
 *     drift_ns=N         k N nanoseconds for compute number k
 *     stderr=T stdout=T  print this line when the devices are listed
 *     lines=N            print it N times (1)
 */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef DEFAULT_VERSION
#define DEFAULT_VERSION "1.0.0"
#endif

#define API_VERSION 23
#define MAX_FACTORIES 4 /* ORT has room for this many from one library */
#define MAX_DEVICES 8   /* and for this many from one factory; beyond it ORT aborts */
#define MAX_PAIRS 16
#define MAX_RANK 8

/* ---- The C API of ONNX Runtime, by position ---------------------------------------------------------------------- */

typedef struct OrtStatus OrtStatus;
typedef struct OrtKeyValuePairs OrtKeyValuePairs;
typedef struct OrtHardwareDevice OrtHardwareDevice;
typedef struct OrtEpDevice OrtEpDevice;
typedef struct OrtGraph OrtGraph;
typedef struct OrtNode OrtNode;
typedef struct OrtValueInfo OrtValueInfo;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorInfo OrtTensorInfo; /* OrtTensorTypeAndShapeInfo */
typedef struct OrtValue OrtValue;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtSupportInfo OrtSupportInfo; /* OrtEpGraphSupportInfo */
typedef struct OrtLogger OrtLogger;

typedef void (*Function)(void);

typedef struct {
    const Function *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
} ApiBase;

/* X(position in OrtApi, name, result, parameters) */
#define API_FUNCTIONS(X)                                                                                    \
    X(0, create_status, OrtStatus *, (int code, const char *text))                                          \
    X(51, tensor_data, OrtStatus *, (OrtValue *, void **))                                                  \
    X(55, tensor_info_of_type, OrtStatus *, (const OrtTypeInfo *, const OrtTensorInfo **))                  \
    X(60, element_type, OrtStatus *, (const OrtTensorInfo *, int *))                                        \
    X(61, rank, OrtStatus *, (const OrtTensorInfo *, size_t *))                                             \
    X(62, dimensions, OrtStatus *, (const OrtTensorInfo *, int64_t *, size_t))                              \
    X(65, tensor_info, OrtStatus *, (const OrtValue *, OrtTensorInfo **))                                   \
    X(90, input, OrtStatus *, (const OrtKernelContext *, size_t, const OrtValue **))                        \
    X(91, output, OrtStatus *, (OrtKernelContext *, size_t, const int64_t *, size_t, OrtValue **))          \
    X(93, release_status, void, (OrtStatus *))                                                              \
    X(99, release_tensor_info, void, (OrtTensorInfo *))                                                     \
    X(247, log_message, OrtStatus *,                                                                        \
      (const OrtLogger *, int severity, const char *text, const char *file, int line, const char *function)) \
    X(289, value_name, OrtStatus *, (const OrtValueInfo *, const char **))                                  \
    X(290, value_type, OrtStatus *, (const OrtValueInfo *, const OrtTypeInfo **))                           \
    X(295, create_pairs, void, (OrtKeyValuePairs **))                                                       \
    X(296, add_pair, void, (OrtKeyValuePairs *, const char *key, const char *value))                        \
    X(300, release_pairs, void, (OrtKeyValuePairs *))                                                       \
    X(307, hardware_type, int, (const OrtHardwareDevice *))                                                 \
    X(317, ep_api, const Function *, (void))                                                                \
    X(344, node_count, OrtStatus *, (const OrtGraph *, size_t *))                                           \
    X(345, nodes, OrtStatus *, (const OrtGraph *, const OrtNode **, size_t))                                \
    X(350, op_type, OrtStatus *, (const OrtNode *, const char **))                                          \
    X(351, domain, OrtStatus *, (const OrtNode *, const char **))                                           \
    X(353, input_count, OrtStatus *, (const OrtNode *, size_t *))                                           \
    X(354, inputs, OrtStatus *, (const OrtNode *, const OrtValueInfo **, size_t))                           \
    X(355, output_count, OrtStatus *, (const OrtNode *, size_t *))                                          \
    X(356, outputs, OrtStatus *, (const OrtNode *, const OrtValueInfo **, size_t))

/* X(position in OrtEpApi, ...). Those from 16 on are beyond the table's end before ORT 1.24. */
#define EP_FUNCTIONS(X)                                                                                     \
    X(0, create_device, OrtStatus *,                                                                        \
      (void *factory, const OrtHardwareDevice *, const OrtKeyValuePairs *metadata,                          \
       const OrtKeyValuePairs *options, OrtEpDevice **))                                                    \
    X(2, fuse, OrtStatus *, (OrtSupportInfo *, const OrtNode *const *, size_t, const void *options))        \
    X(16, create_hardware, OrtStatus *,                                                                     \
      (int type, uint32_t vendor_id, uint32_t device_id, const char *vendor, const OrtKeyValuePairs *,      \
       OrtHardwareDevice **))                                                                               \
    X(17, release_hardware, void, (OrtHardwareDevice *))                                                    \
    X(44, set_details, OrtStatus *, (void *details, uint32_t reasons, int32_t error_code, const char *notes))

#define MEMBER(position, name, result, parameters) result(*name) parameters;
static struct {
    API_FUNCTIONS(MEMBER)
} ort;
static struct {
    EP_FUNCTIONS(MEMBER)
} ort_ep;
static int host_minor; /* 30 for ORT 1.30.0 */
#define HARDWARE_MINOR 24 /* the first in which an EP can make up hardware */

/* memcpy, because every function in the table has a type of its own. */
#define TAKE_API(position, name, result, parameters) memcpy(&ort.name, &table[position], sizeof ort.name);
#define TAKE_EP(position, name, result, parameters)  \
    if (position < 16 || host_minor >= HARDWARE_MINOR) memcpy(&ort_ep.name, &table[position], sizeof ort_ep.name);
static void take_functions(const ApiBase *base) {
    sscanf(base->get_version(), "%*d.%d", &host_minor);
    const Function *table = base->get_api(API_VERSION); /* the first ORT that takes plugins from Python has this one */
    API_FUNCTIONS(TAKE_API)
    table = ort.ep_api();
    EP_FUNCTIONS(TAKE_EP)
}

enum { ORT_FAIL = 1, ORT_NOT_IMPLEMENTED = 9 };
enum { ELEMENT_FLOAT = 1 };
enum { LOG_WARNING = 2 };
enum { HARDWARE_CPU = 0 };

/* Memory full of zeros. Without memory there is nothing left to test. */
static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count == 0 ? 1 : count, size);
    if (memory == NULL) abort();
    return memory;
}

/* Return the status of a call that failed; the caller cleans up nothing. */
#define TRY(call)                        \
    do {                                 \
        OrtStatus *status_ = (call);     \
        if (status_ != NULL) return status_; \
    } while (0)

static OrtStatus *failure(int code, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ort.create_status(code, text);
}

/* ---- Orders ------------------------------------------------------------------------------------------------------ */

enum Stage { LOAD, FACTORY, DEVICES, CREATE, CAPABILITY, COMPILE, COMPUTE, RELEASE, EXPLAIN, STAGES };
static const char *const stage_names[STAGES] = {"load",       "factory", "devices", "create",
                                                "capability", "compile", "compute", "release", "explain"};

typedef OrtStatus *(*Act)(enum Stage stage);

typedef struct {
    const char *key, *value;
} Pair;

typedef struct {
    Pair pairs[MAX_PAIRS];
    size_t count;
} Pairs;

static struct {
    Act acts[STAGES];
    const char *name, *vendor, *version, *type, *device_vendor, *claim, *say, *text, *stderr_line, *stdout_line;
    long api, factories, count, virtual_device, reasons, vendor_id, code, run_after, slow_ms, lines, trace, claim_first;
    long delay_us, jitter_us, slow_every, slow_by_us, drift_ns, nan, wrong_from;
    double factor;
    Pairs metadata, options;
    char refused[256]; /* the first order not understood; told when ORT asks for factories */
} orders = {
    .vendor = "Double",
    .version = DEFAULT_VERSION,
    .type = "CPU",
    .device_vendor = "Double Hardware",
    .claim = "all",
    .claim_first = INT32_MAX,
    .api = API_VERSION,
    .factories = 1,
    .count = 1,
    .vendor_id = 0xD0B1,
    .code = ORT_FAIL,
    .slow_ms = 1000,
    .lines = 1,
    .factor = 1.0,
};

static OrtStatus *act_abort(enum Stage stage) {
    (void)stage;
    abort();
}

static OrtStatus *act_segv(enum Stage stage) {
    volatile int *volatile nowhere = NULL; /* or the compiler sees that nobody looks, and leaves it out */
    *nowhere = (int)stage;
    return NULL;
}

static OrtStatus *act_exit(enum Stage stage) {
    (void)stage;
    exit(3);
}

static OrtStatus *act_hang(enum Stage stage) {
    (void)stage;
    for (;;) pause(); /* a handled signal ends pause(), never this loop */
    return NULL;
}

static OrtStatus *act_slow(enum Stage stage) {
    (void)stage;
    struct timespec left = {orders.slow_ms / 1000, orders.slow_ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0) continue;
    return NULL;
}

static OrtStatus *act_error(enum Stage stage) {
    if (orders.text != NULL) return ort.create_status((int)orders.code, orders.text);
    return failure((int)orders.code, "double: %s refused as told", stage_names[stage]);
}

static const struct {
    const char *name;
    Act act;
} actions[] = {
    {"abort", act_abort}, {"segv", act_segv}, {"exit", act_exit},
    {"hang", act_hang},   {"slow", act_slow}, {"error", act_error},
};

/* Do what was ordered for this stage. Comes back with NULL (go on) or with a status to be returned to ORT. */
static OrtStatus *misbehave(enum Stage stage) {
    if (orders.trace) fprintf(stderr, "double: %s\n", stage_names[stage]);
    return orders.acts[stage] == NULL ? NULL : orders.acts[stage](stage);
}

#define ENTRIES(table) (sizeof(table) / sizeof((table)[0]))

static bool order_number(const char *key, const char *value) {
    static const struct {
        const char *key;
        long *target, least, most;
    } numbers[] = {
        {"api", &orders.api, 1, INT32_MAX},
        {"factories", &orders.factories, 0, MAX_FACTORIES},
        {"count", &orders.count, 0, MAX_DEVICES},
        {"virtual", &orders.virtual_device, 0, 1},
        {"vendor_id", &orders.vendor_id, 0, INT32_MAX},
        {"reasons", &orders.reasons, 0, UINT32_MAX},
        {"code", &orders.code, 1, 99},
        {"run_after", &orders.run_after, 0, INT32_MAX},
        {"slow_ms", &orders.slow_ms, 0, INT32_MAX},
        {"claim_first", &orders.claim_first, 0, INT32_MAX},
        {"delay_us", &orders.delay_us, 0, INT32_MAX},
        {"jitter_us", &orders.jitter_us, 0, 4000000}, /* extra_ns() has room for no more */
        {"slow_every", &orders.slow_every, 1, INT32_MAX},
        {"slow_by_us", &orders.slow_by_us, 0, INT32_MAX},
        {"drift_ns", &orders.drift_ns, 0, INT32_MAX},
        {"nan", &orders.nan, 0, 1},
        {"wrong_from", &orders.wrong_from, 0, INT32_MAX},
        {"lines", &orders.lines, 0, INT32_MAX},
        {"trace", &orders.trace, 0, 1},
    };
    for (size_t i = 0; i < ENTRIES(numbers); i++) {
        if (strcmp(key, numbers[i].key) != 0) continue;
        char *end;
        const long number = strtol(value, &end, 0);
        if (*value == '\0' || *end != '\0' || number < numbers[i].least || number > numbers[i].most) return false;
        *numbers[i].target = number;
        return true;
    }
    if (strcmp(key, "factor") == 0) {
        char *end;
        orders.factor = strtod(value, &end);
        return *value != '\0' && *end == '\0';
    }
    return false;
}

static bool order_text(const char *key, const char *value) {
    static const struct {
        const char *key, **target;
    } texts[] = {
        {"name", &orders.name},     {"vendor", &orders.vendor}, {"version", &orders.version},
        {"type", &orders.type},     {"claim", &orders.claim},   {"device_vendor", &orders.device_vendor},
        {"text", &orders.text},     {"stderr", &orders.stderr_line}, {"stdout", &orders.stdout_line},
        {"say", &orders.say},
    };
    for (size_t i = 0; i < ENTRIES(texts); i++) {
        if (strcmp(key, texts[i].key) != 0) continue;
        *texts[i].target = value;
        return true;
    }
    return false;
}

static bool order_pair(const char *key, const char *value) {
    Pairs *pairs;
    if (strncmp(key, "meta.", 5) == 0) {
        pairs = &orders.metadata;
        key += 5;
    } else if (strncmp(key, "option.", 7) == 0) {
        pairs = &orders.options;
        key += 7;
    } else {
        return false;
    }
    if (*key == '\0' || pairs->count == MAX_PAIRS) return false;
    pairs->pairs[pairs->count++] = (Pair){key, value};
    return true;
}

static bool order_action(const char *key, const char *value) {
    for (int stage = 0; stage < STAGES; stage++) {
        if (strcmp(key, stage_names[stage]) != 0) continue;
        for (size_t i = 0; i < ENTRIES(actions); i++) {
            if (strcmp(value, actions[i].name) != 0) continue;
            if (stage == LOAD && actions[i].act == act_error) return false; /* a constructor returns nothing */
            orders.acts[stage] = actions[i].act;
            return true;
        }
    }
    return false;
}

/* Take one order, "key=value". `order` is kept and changed. */
static void take_order(char *order) {
    char *equals = strchr(order, '=');
    if (equals != NULL) {
        *equals = '\0';
        const char *value = equals + 1;
        if (order_action(order, value) || order_number(order, value)) return;
        if (order_text(order, value) || order_pair(order, value)) return;
        *equals = '=';
    }
    if (orders.refused[0] == '\0') snprintf(orders.refused, sizeof orders.refused, "%s", order);
}

/* Take the orders in `text`, which `separator` parts. The copy made of it lives as long as the library. */
static char *copied_text;
static void take_orders(char *text, const char *separator) {
    while (text != NULL) {
        char *next = strstr(text, separator);
        if (next != NULL) {
            *next = '\0';
            next += strlen(separator);
        }
        if (*text != '\0') take_order(text);
        text = next;
    }
}

static char *copied_name;
static void take_orders_of_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *first = strstr(slash == NULL ? path : slash, "--");
    if (first == NULL) return;
    copied_name = strdup(first + 2);
    char *ending = strrchr(copied_name, '.'); /* the last dot: "factor=1.5.so" */
    if (ending != NULL && strcmp(ending, ".so") == 0) *ending = '\0';
    take_orders(copied_name, "--");
}

/* The `load` stage. Reading the orders here, and not when ORT asks, lets them also apply to loading itself. */
__attribute__((constructor)) static void when_loaded(void) {
    const char *environment = getenv("DOUBLE_EP");
    if (environment != NULL) {
        copied_text = strdup(environment);
        take_orders(copied_text, ",");
    }
    Dl_info own;
    if (dladdr(&orders, &own) != 0 && own.dli_fname != NULL) take_orders_of_file_name(own.dli_fname);
    (void)misbehave(LOAD);
}

__attribute__((destructor)) static void when_unloaded(void) {
    free(copied_text);
    free(copied_name);
}

/* ---- The kernel: a fused chain of elementwise operators ---------------------------------------------------------- */

typedef enum { OP_ADD, OP_MUL, OP_RELU, OP_IDENTITY, OPS } Op;
static const struct {
    const char *name;
    size_t inputs;
} op_facts[OPS] = {{"Add", 2}, {"Mul", 2}, {"Relu", 1}, {"Identity", 1}};

typedef struct {
    size_t rank;
    int64_t dims[MAX_RANK];
    float *data;
} Tensor;

typedef struct {
    Op op;
    size_t left, right, result; /* indices of values */
} Step;

/* OrtNodeComputeInfo, and behind it what is ours. Values are numbered: first the inputs, then the result of each
 * step. */
typedef struct Kernel Kernel;
struct Kernel {
    uint32_t version;
    OrtStatus *(*create_state)(Kernel *, void *context, void **state);
    OrtStatus *(*compute)(Kernel *, void *state, OrtKernelContext *);
    void (*release_state)(Kernel *, void *state);

    size_t input_count, step_count, output_count;
    Step *steps;
    size_t *outputs; /* the value of each output */
    _Atomic long computes; /* a session may be run by several threads at once */
};

static size_t element_count(const Tensor *tensor) {
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++) count *= (size_t)tensor->dims[i];
    return count;
}

/* The shape of `left op right` by numpy's rules; false where the shapes don't go together. */
static bool broadcast_shape(const Tensor *left, const Tensor *right, Tensor *result) {
    result->rank = left->rank > right->rank ? left->rank : right->rank;
    for (size_t back = 1; back <= result->rank; back++) {
        const int64_t a = back <= left->rank ? left->dims[left->rank - back] : 1;
        const int64_t b = back <= right->rank ? right->dims[right->rank - back] : 1;
        if (a != b && a != 1 && b != 1) return false;
        result->dims[result->rank - back] = a == 1 ? b : a;
    }
    return true;
}

/* Where in `tensor` the element lies that goes into element `index` of a result of shape `shape`. */
static size_t broadcast_index(const Tensor *tensor, const Tensor *shape, size_t index) {
    size_t position = 0, stride = 1;
    for (size_t back = 1; back <= tensor->rank; back++) {
        const size_t extent = (size_t)shape->dims[shape->rank - back];
        const size_t own = (size_t)tensor->dims[tensor->rank - back];
        if (own != 1) position += index % extent * stride;
        index /= extent;
        stride *= own;
    }
    return position;
}

static OrtStatus *run_step(const Step *step, Tensor *values) {
    const Tensor *left = &values[step->left], *right = &values[step->right];
    Tensor *result = &values[step->result];
    if (!broadcast_shape(left, right, result)) return failure(ORT_FAIL, "double: shapes that do not go together");
    const size_t count = element_count(result);
    result->data = allocate(count, sizeof(float));
    for (size_t i = 0; i < count; i++) {
        const float a = left->data[broadcast_index(left, result, i)];
        const float b = right->data[broadcast_index(right, result, i)];
        switch (step->op) {
        case OP_ADD: result->data[i] = a + b; break;
        case OP_MUL: result->data[i] = a * b; break;
        case OP_RELU: result->data[i] = a < 0 ? 0 : a; break;
        default: result->data[i] = a; break;
        }
    }
    return NULL;
}

static OrtStatus *read_input(const OrtKernelContext *context, size_t index, Tensor *tensor) {
    const OrtValue *value;
    OrtTensorInfo *info;
    void *data;
    TRY(ort.input(context, index, &value));
    TRY(ort.tensor_data((OrtValue *)value, &data)); /* ORT has no const form of this; nothing is written */
    tensor->data = data;
    TRY(ort.tensor_info(value, &info));
    OrtStatus *status = ort.rank(info, &tensor->rank);
    if (status == NULL && tensor->rank > MAX_RANK)
        status = failure(ORT_NOT_IMPLEMENTED, "double: more than %d dimensions", MAX_RANK);
    if (status == NULL) status = ort.dimensions(info, tensor->dims, tensor->rank);
    ort.release_tensor_info(info);
    return status;
}

static OrtStatus *write_output(OrtKernelContext *context, size_t index, const Tensor *tensor, bool wrong) {
    OrtValue *value;
    void *data;
    TRY(ort.output(context, index, tensor->dims, tensor->rank, &value));
    TRY(ort.tensor_data(value, &data));
    const size_t count = element_count(tensor);
    const float factor = wrong ? (float)orders.factor : 1;
    for (size_t i = 0; i < count; i++) ((float *)data)[i] = tensor->data[i] * factor;
    if (wrong && orders.nan && count > 0) *(float *)data = NAN;
    return NULL;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void busy_until(int64_t ns) {
    while (now_ns() < ns) continue;
}

/* A number below 2^32 that looks like chance: the finish of SplitMix64. It depends on nothing but `number`, so that
 * computes on several threads get theirs whatever the order. */
static uint64_t scrambled(uint64_t number) {
    uint64_t x = (number + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (x ^ x >> 31) >> 32;
}

/* What compute `number` takes beyond delay_us. */
static int64_t extra_ns(long number) {
    int64_t extra = (int64_t)number * orders.drift_ns;
    extra += (int64_t)((uint64_t)orders.jitter_us * 1000 * scrambled((uint64_t)number) >> 32);
    if (orders.slow_every > 0 && (number + 1) % orders.slow_every == 0) extra += (int64_t)orders.slow_by_us * 1000;
    return extra;
}

static OrtStatus *run_steps(const Kernel *kernel, Tensor *values, OrtKernelContext *context, bool wrong) {
    for (size_t i = 0; i < kernel->input_count; i++) TRY(read_input(context, i, &values[i]));
    for (size_t i = 0; i < kernel->step_count; i++) TRY(run_step(&kernel->steps[i], values));
    for (size_t i = 0; i < kernel->output_count; i++) TRY(write_output(context, i, &values[kernel->outputs[i]], wrong));
    return NULL;
}

static OrtStatus *kernel_compute(Kernel *kernel, void *state, OrtKernelContext *context) {
    (void)state;
    const int64_t start = now_ns();
    const long number = kernel->computes++;
    if (number >= orders.run_after) TRY(misbehave(COMPUTE));
    Tensor *values = allocate(kernel->input_count + kernel->step_count, sizeof *values);
    OrtStatus *status = run_steps(kernel, values, context, number >= orders.wrong_from);
    for (size_t i = 0; i < kernel->step_count; i++) free(values[kernel->input_count + i].data);
    free(values);
    busy_until(start + (int64_t)orders.delay_us * 1000);
    busy_until(now_ns() + extra_ns(number));
    return status;
}

static OrtStatus *kernel_create_state(Kernel *kernel, void *context, void **state) {
    (void)context;
    *state = kernel; /* ORT wants something that is not NULL */
    return NULL;
}

static void kernel_release_state(Kernel *kernel, void *state) {
    (void)kernel;
    (void)state;
}

static void kernel_free(Kernel *kernel) {
    if (kernel == NULL) return;
    free(kernel->steps);
    free(kernel->outputs);
    free(kernel);
}

/* ---- The EP: what it claims, and how that becomes a kernel ------------------------------------------------------- */

typedef struct Factory Factory;

typedef struct Ep Ep; /* OrtEp, and behind it what is ours */
struct Ep {
    uint32_t version;
    const char *(*get_name)(const Ep *);
    OrtStatus *(*get_capability)(Ep *, const OrtGraph *, OrtSupportInfo *);
    OrtStatus *(*compile)(Ep *, const OrtGraph **, const OrtNode **fused, size_t, Kernel **, OrtNode **context_nodes);
    void (*release_kernels)(Ep *, Kernel **, size_t);
    Function unused[8]; /* the rest of OrtEp at API 23, and some room: NULL is "not there" */

    const Factory *factory;
    const OrtLogger *logger; /* of the session, which outlives the EP */
};

/* The nodes of a graph, or the inputs or outputs of a node, as a new array the caller frees. */
static OrtStatus *list_nodes(const OrtGraph *graph, const OrtNode ***nodes, size_t *count) {
    *nodes = NULL;
    TRY(ort.node_count(graph, count));
    *nodes = allocate(*count, sizeof **nodes);
    return ort.nodes(graph, *nodes, *count);
}

static OrtStatus *list_inputs(const OrtNode *node, const OrtValueInfo ***values, size_t *count) {
    *values = NULL;
    TRY(ort.input_count(node, count));
    *values = allocate(*count, sizeof **values);
    return ort.inputs(node, *values, *count);
}

static OrtStatus *list_outputs(const OrtNode *node, const OrtValueInfo ***values, size_t *count) {
    *values = NULL;
    TRY(ort.output_count(node, count));
    *values = allocate(*count, sizeof **values);
    return ort.outputs(node, *values, *count);
}

static Op op_named(const char *name) {
    for (int op = 0; op < OPS; op++)
        if (strcmp(name, op_facts[op].name) == 0) return (Op)op;
    return OPS;
}

static OrtStatus *are_floats(const OrtValueInfo *const *values, size_t count, bool *answer) {
    for (size_t i = 0; i < count && *answer; i++) {
        const OrtTypeInfo *type = NULL;
        const OrtTensorInfo *tensor = NULL;
        int element = 0;
        if (values[i] != NULL) TRY(ort.value_type(values[i], &type));
        if (type != NULL) TRY(ort.tensor_info_of_type(type, &tensor));
        if (tensor != NULL) TRY(ort.element_type(tensor, &element));
        *answer = element == ELEMENT_FLOAT;
    }
    return NULL;
}

/* Whether `type` is one of the op types in orders.claim, "Add+Mul". */
static bool is_named(const char *type) {
    const size_t length = strlen(type);
    for (const char *part = orders.claim; part != NULL; part = strchr(part, '+')) {
        part += *part == '+';
        if (strcspn(part, "+") == length && strncmp(part, type, length) == 0) return true;
    }
    return false;
}

/* Whether the double claims this node: one of its operators, wanted by the orders, float32 all around. */
static OrtStatus *is_claimed(const OrtNode *node, bool *answer) {
    const char *type, *domain;
    *answer = false;
    TRY(ort.op_type(node, &type));
    TRY(ort.domain(node, &domain));
    if (op_named(type) == OPS || *domain != '\0') return NULL;
    if (strcmp(orders.claim, "all") != 0 && !is_named(type)) return NULL;

    const OrtValueInfo **inputs = NULL, **outputs = NULL;
    size_t input_count = 0, output_count = 0;
    *answer = true;
    OrtStatus *status = list_inputs(node, &inputs, &input_count);
    if (status == NULL) status = are_floats(inputs, input_count, answer);
    if (status == NULL) status = list_outputs(node, &outputs, &output_count);
    if (status == NULL) status = are_floats(outputs, output_count, answer);
    free(inputs);
    free(outputs);
    return status;
}

/* Claim `nodes[0..count)`. Everything as one group where the double can run the whole graph, so that delay_us and
 * run_after count once a run; else every node for itself: joining some of them could close a circle through a node
 * which is not ours. */
static OrtStatus *claim_nodes(OrtSupportInfo *support, const OrtNode **nodes, size_t count) {
    size_t claimed = 0;
    for (size_t i = 0; i < count && claimed < (size_t)orders.claim_first; i++) {
        bool answer;
        TRY(is_claimed(nodes[i], &answer));
        if (answer) nodes[claimed++] = nodes[i];
    }
    if (claimed == 0) return NULL;
    if (claimed == count) return ort_ep.fuse(support, nodes, count, NULL);
    for (size_t i = 0; i < claimed; i++) TRY(ort_ep.fuse(support, &nodes[i], 1, NULL));
    return NULL;
}

static OrtStatus *ep_get_capability(Ep *ep, const OrtGraph *graph, OrtSupportInfo *support) {
    TRY(misbehave(CAPABILITY));
    if (orders.say != NULL)
        TRY(ort.log_message(ep->logger, LOG_WARNING, orders.say, "double_ep.c", __LINE__, __func__));
    const OrtNode **nodes;
    size_t count;
    OrtStatus *status = list_nodes(graph, &nodes, &count);
    if (status == NULL) status = claim_nodes(support, nodes, count);
    free(nodes);
    return status;
}

/* The number of the value called like `value`; `known` is what was numbered so far. */
static OrtStatus *find_value(const OrtValueInfo *value, const char *const *known, size_t count, size_t *index) {
    const char *name;
    TRY(ort.value_name(value, &name));
    for (*index = 0; *index < count; ++*index)
        if (strcmp(known[*index], name) == 0) return NULL;
    return failure(ORT_FAIL, "double: value %s comes from nowhere", name);
}

static OrtStatus *plan_step(const OrtNode *node, Step *step, const char **names, size_t known) {
    const OrtValueInfo *inputs[2] = {NULL, NULL}, *output;
    const char *type;
    TRY(ort.op_type(node, &type));
    step->op = op_named(type);
    if (step->op == OPS) return failure(ORT_FAIL, "double: no operator %s", type);
    const size_t input_count = op_facts[step->op].inputs;
    TRY(ort.inputs(node, inputs, input_count));
    TRY(find_value(inputs[0], names, known, &step->left));
    TRY(find_value(inputs[input_count - 1], names, known, &step->right)); /* one input: it is both */
    TRY(ort.outputs(node, &output, 1));
    step->result = known;
    return ort.value_name(output, &names[known]);
}

/* Fill `kernel`. The order of its inputs and outputs is that of the fused node, which stands for the whole graph. The
 * nodes of a graph come in an order in which they can be run. */
static OrtStatus *plan_kernel(Kernel *kernel, const OrtNode **nodes, const OrtValueInfo **inputs,
                              const OrtValueInfo **outputs, const char **names) {
    size_t known = 0;
    for (; known < kernel->input_count; known++) TRY(ort.value_name(inputs[known], &names[known]));
    for (size_t i = 0; i < kernel->step_count; i++, known++) TRY(plan_step(nodes[i], &kernel->steps[i], names, known));
    for (size_t i = 0; i < kernel->output_count; i++) TRY(find_value(outputs[i], names, known, &kernel->outputs[i]));
    return NULL;
}

static OrtStatus *create_kernel(const OrtGraph *graph, const OrtNode *fused, Kernel **result) {
    const OrtNode **nodes = NULL;
    const OrtValueInfo **inputs = NULL, **outputs = NULL;
    const char **names = NULL;
    Kernel *kernel = allocate(1, sizeof *kernel);
    kernel->version = API_VERSION;
    kernel->create_state = kernel_create_state;
    kernel->compute = kernel_compute;
    kernel->release_state = kernel_release_state;
    OrtStatus *status = list_nodes(graph, &nodes, &kernel->step_count);
    if (status == NULL) status = list_inputs(fused, &inputs, &kernel->input_count);
    if (status == NULL) status = list_outputs(fused, &outputs, &kernel->output_count);
    if (status == NULL) {
        kernel->steps = allocate(kernel->step_count, sizeof *kernel->steps);
        kernel->outputs = allocate(kernel->output_count, sizeof *kernel->outputs);
        names = allocate(kernel->input_count + kernel->step_count, sizeof *names);
        status = plan_kernel(kernel, nodes, inputs, outputs, names);
    }
    free(names);
    free(nodes);
    free(inputs);
    free(outputs);
    if (status == NULL) {
        *result = kernel;
    } else {
        kernel_free(kernel);
    }
    return status;
}

static OrtStatus *ep_compile(Ep *ep, const OrtGraph **graphs, const OrtNode **fused, size_t count, Kernel **kernels,
                             OrtNode **context_nodes) {
    (void)ep;
    (void)context_nodes;
    TRY(misbehave(COMPILE));
    for (size_t i = 0; i < count; i++) TRY(create_kernel(graphs[i], fused[i], &kernels[i]));
    return NULL;
}

static void ep_release_kernels(Ep *ep, Kernel **kernels, size_t count) {
    (void)ep;
    for (size_t i = 0; i < count; i++) kernel_free(kernels[i]);
}

/* ---- The factory: devices and EPs -------------------------------------------------------------------------------- */

struct Factory { /* OrtEpFactory, and behind it what is ours */
    uint32_t version;
    const char *(*get_name)(const Factory *);
    const char *(*get_vendor)(const Factory *);
    OrtStatus *(*get_devices)(Factory *, const OrtHardwareDevice *const *, size_t, OrtEpDevice **, size_t most,
                              size_t *count);
    OrtStatus *(*create_ep)(Factory *, const OrtHardwareDevice *const *, const OrtKeyValuePairs *const *metadata,
                            size_t, const void *session_options, const OrtLogger *logger, Ep **);
    void (*release_ep)(Factory *, Ep *);
    uint32_t (*get_vendor_id)(const Factory *);
    const char *(*get_version)(const Factory *);
    OrtStatus *(*validate_compiled)(void);
    OrtStatus *(*create_allocator)(Factory *, const void *memory, const void *options, void **);
    void (*release_allocator)(Factory *, void *);
    OrtStatus *(*create_data_transfer)(Factory *, void **); /* ORT calls it without looking: it must be there */
    bool (*is_stream_aware)(const Factory *);
    Function create_sync_stream;
    OrtStatus *(*explain)(Factory *, const OrtHardwareDevice *, void *details); /* since API 24 */
    Function unused[8]; /* as in Ep */

    char *name;
    OrtHardwareDevice *hardware[MAX_DEVICES]; /* made by us, so ours to release */
};

static const char *ep_get_name(const Ep *ep) { return ep->factory->name; }

static const char *factory_get_name(const Factory *factory) { return factory->name; }

static const char *factory_get_vendor(const Factory *factory) {
    (void)factory;
    return orders.vendor;
}

static uint32_t factory_get_vendor_id(const Factory *factory) {
    (void)factory;
    return (uint32_t)orders.vendor_id;
}

static const char *factory_get_version(const Factory *factory) {
    (void)factory;
    return orders.version;
}

static OrtStatus *factory_create_data_transfer(Factory *factory, void **transfer) {
    (void)factory;
    *transfer = NULL; /* everything is in the CPU's memory */
    return NULL;
}

static bool factory_is_stream_aware(const Factory *factory) {
    (void)factory;
    return false;
}

/* The type of device number `index`: orders.type is "NPU" or a list, "CPU+GPU", gone through in turn. -1: no such. */
static int type_of_device(size_t index) {
    static const char *const types[] = {"CPU", "GPU", "NPU"}; /* OrtHardwareDeviceType */
    size_t parts = 1;
    for (const char *c = orders.type; *c != '\0'; c++) parts += *c == '+';
    const char *part = orders.type;
    for (index %= parts; index > 0; index--) part = strchr(part, '+') + 1;
    const size_t length = strcspn(part, "+");
    for (int type = 0; type < (int)ENTRIES(types); type++)
        if (strlen(types[type]) == length && strncmp(part, types[type], length) == 0) return type;
    return -1;
}

static OrtKeyValuePairs *pairs_of(const Pairs *pairs) {
    OrtKeyValuePairs *result;
    ort.create_pairs(&result);
    for (size_t i = 0; i < pairs->count; i++) ort.add_pair(result, pairs->pairs[i].key, pairs->pairs[i].value);
    return result;
}

/* Hardware for device number `index`. The CPU is the one the host found; a GPU or NPU is made up even where there are
 * real ones, so that tests see the same on every machine. */
static OrtStatus *hardware_for(Factory *factory, size_t index, const OrtHardwareDevice *const *found,
                               size_t found_count, const OrtHardwareDevice **result) {
    const int type = type_of_device(index);
    if (type < 0) return failure(ORT_FAIL, "double: order 'type=%s' is not understood", orders.type);
    for (size_t i = 0; type == HARDWARE_CPU && i < found_count; i++) {
        *result = found[i];
        if (ort.hardware_type(found[i]) == type) return NULL;
    }
    if (host_minor < HARDWARE_MINOR)
        return failure(ORT_NOT_IMPLEMENTED, "double: devices can be made up since ORT 1.24 only");
    const Pairs virtual_mark = {{{"is_virtual", "1"}}, (size_t)orders.virtual_device};
    OrtKeyValuePairs *metadata = pairs_of(&virtual_mark);
    OrtStatus *status = ort_ep.create_hardware(type, (uint32_t)orders.vendor_id, (uint32_t)index, orders.device_vendor,
                                               metadata, &factory->hardware[index]);
    ort.release_pairs(metadata);
    *result = factory->hardware[index];
    return status;
}

static void make_noise(void) {
    for (long i = 0; i < orders.lines; i++) {
        if (orders.stderr_line != NULL) fprintf(stderr, "%s\n", orders.stderr_line);
        if (orders.stdout_line != NULL) printf("%s\n", orders.stdout_line);
    }
    fflush(stdout);
}

static OrtStatus *factory_get_devices(Factory *factory, const OrtHardwareDevice *const *found, size_t found_count,
                                      OrtEpDevice **devices, size_t most, size_t *count) {
    make_noise();
    TRY(misbehave(DEVICES));
    OrtKeyValuePairs *metadata = pairs_of(&orders.metadata), *options = pairs_of(&orders.options);
    OrtStatus *status = NULL;
    *count = 0;
    while (status == NULL && *count < (size_t)orders.count && *count < most) {
        const OrtHardwareDevice *hardware = NULL;
        status = hardware_for(factory, *count, found, found_count, &hardware);
        if (status == NULL) status = ort_ep.create_device(factory, hardware, metadata, options, &devices[*count]);
        if (status == NULL) ++*count;
    }
    ort.release_pairs(metadata);
    ort.release_pairs(options);
    return status;
}

static OrtStatus *factory_create_ep(Factory *factory, const OrtHardwareDevice *const *devices,
                                    const OrtKeyValuePairs *const *metadata, size_t count, const void *session_options,
                                    const OrtLogger *logger, Ep **result) {
    (void)devices, (void)metadata, (void)count, (void)session_options;
    TRY(misbehave(CREATE));
    Ep *ep = allocate(1, sizeof *ep);
    ep->version = API_VERSION;
    ep->get_name = ep_get_name;
    ep->get_capability = ep_get_capability;
    ep->compile = ep_compile;
    ep->release_kernels = ep_release_kernels;
    ep->factory = factory;
    ep->logger = logger;
    *result = ep;
    return NULL;
}

static void factory_release_ep(Factory *factory, Ep *ep) {
    (void)factory;
    free(ep);
}

static OrtStatus *factory_explain(Factory *factory, const OrtHardwareDevice *hardware, void *details) {
    (void)factory, (void)hardware;
    TRY(misbehave(EXPLAIN));
    return ort_ep.set_details(details, (uint32_t)orders.reasons, (int32_t)orders.code, orders.text);
}

static Factory *create_factory(const char *registration_name) {
    Factory *factory = allocate(1, sizeof *factory);
    factory->version = API_VERSION;
    factory->get_name = factory_get_name;
    factory->get_vendor = factory_get_vendor;
    factory->get_devices = factory_get_devices;
    factory->create_ep = factory_create_ep;
    factory->release_ep = factory_release_ep;
    factory->get_vendor_id = factory_get_vendor_id;
    factory->get_version = factory_get_version;
    factory->create_data_transfer = factory_create_data_transfer;
    factory->is_stream_aware = factory_is_stream_aware;
    if (host_minor >= HARDWARE_MINOR && (orders.acts[EXPLAIN] != NULL || orders.reasons != 0)) {
        factory->version = HARDWARE_MINOR; /* ORT looks for this function from there on */
        factory->explain = factory_explain;
    }
    factory->name = strdup(orders.name != NULL ? orders.name : registration_name);
    return factory;
}

/* ---- What ORT looks up by name ----------------------------------------------------------------------------------- */

OrtStatus *CreateEpFactories(const char *registration_name, const ApiBase *base, const void *logger,
                             Factory **factories, size_t most, size_t *count);
OrtStatus *ReleaseEpFactory(Factory *factory);

OrtStatus *CreateEpFactories(const char *registration_name, const ApiBase *base, const void *logger,
                             Factory **factories, size_t most, size_t *count) {
    (void)logger;
    *count = 0;
    take_functions(base);
    if (orders.refused[0] != '\0') return failure(ORT_FAIL, "double: order '%s' is not understood", orders.refused);
    if (base->get_api((uint32_t)orders.api) == NULL)
        return failure(ORT_FAIL, "needs ORT API %ld, host is %s", orders.api, base->get_version());
    TRY(misbehave(FACTORY));
    while (*count < (size_t)orders.factories && *count < most)
        factories[(*count)++] = create_factory(registration_name);
    return NULL;
}

OrtStatus *ReleaseEpFactory(Factory *factory) {
    OrtStatus *status = misbehave(RELEASE);
    for (size_t i = 0; i < MAX_DEVICES; i++)
        if (factory->hardware[i] != NULL) ort_ep.release_hardware(factory->hardware[i]);
    free(factory->name);
    free(factory);
    return status;
}
