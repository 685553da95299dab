// SPDX-License-Identifier: Apache-2.0
/*
 * A libnvidia-ml.so.1 that answers what a file says: FAKE_NVML names it, a line is `KEY VALUE`. It has the functions that
 * src/gpu/nvml calls, with the signatures and structures of nvml.h; -DGENERATION chooses those of a driver's age:
 *
 *   1     process lists of 16 bytes an item, nothing with _v2 or _v3 but the first functions
 *   2     process lists with MIG instances by _v2
 *   3     ... by _v3, memory with a version
 *   535   the first drivers of that branch, whose _v3 fills 32 bytes an item
 *
 * A handle is (GPU + 1) * 256 + (MIG device + 1 or 0).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef GENERATION
#define GENERATION 3
#endif

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7 };

typedef unsigned long handle;
typedef unsigned long long u64;

struct process {
  unsigned pid;
  u64 memory;
#if GENERATION > 1
  unsigned instance, compute;
#endif
#if GENERATION == 535
  u64 secret;
#endif
};
struct memory { u64 total, free, used; };
struct memory2 { unsigned version; u64 total, reserved, free, used; };
struct pci { char old[16]; unsigned domain, bus, device, id, subsystem; char bus_id[32]; };
struct sample { unsigned pid; u64 time; unsigned sm, memory, encoder, decoder; };
struct attributes { unsigned sms, copy, decode, encode, jpeg, ofa, slices, compute; u64 megabytes; };

static char line[4096];

/* The value of a key, or null. */
static char *value(const char *key) {
  const char *path = getenv("FAKE_NVML");
  FILE *file = path ? fopen(path, "r") : 0;
  size_t length = strlen(key);
  if (!file) return 0;
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, key, length) || line[length] != ' ') continue;
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    return line + length + 1;
  }
  fclose(file);
  return 0;
}

static char *of(handle device, const char *field) {
  char key[128];
  if (device % 256) sprintf(key, "gpu%lu.mig%lu.%s", device / 256 - 1, device % 256 - 1, field);
  else sprintf(key, "gpu%lu.%s", device / 256 - 1, field);
  return value(key);
}

/* What is to happen to a call of this function instead. */
static int fault(const char *function, handle device) {
  char key[128], *text;
  sprintf(key, "%s.%lu", function, device ? device / 256 - 1 : 0);
  text = value(key);
  if (!text) return SUCCESS;
  if (!strcmp(text, "hang")) for (;;) pause();
  if (!strcmp(text, "crash")) *(volatile int *)0 = 1;
  return atoi(text);
}

#define FAULT(device) { int code = fault(__func__, (handle)(device)); if (code) return code; }

static int text_of(handle device, const char *field, char *out, unsigned size) {
  char *text = of(device, field);
  if (!text) return NOT_SUPPORTED;
  if (strlen(text) >= size) return INSUFFICIENT_SIZE;
  strcpy(out, text);
  return SUCCESS;
}

static int number_of(handle device, const char *field, unsigned *out) {
  char *text = of(device, field);
  if (!text) return NOT_SUPPORTED;
  *out = strtoul(text, 0, 10);
  return SUCCESS;
}

const char *nvmlErrorString(int code) {
  switch (code) {
  case 0: return "Success";
  case 3: return "Not Supported";
  case 4: return "Insufficient Permissions";
  case 6: return "Not Found";
  case 9: return "Driver Not Loaded";
  case 15: return "GPU is lost";
  case 18: return "Driver/library version mismatch";
  }
  return "Unknown Error";
}

#if GENERATION > 1
int nvmlInit_v2(void) { FAULT(0) return SUCCESS; }
#else
int nvmlInit(void) { FAULT(0) return SUCCESS; }
#endif

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
  FAULT(0)
  char *text = value("driver");
  if (!text || strlen(text) >= size) return NOT_SUPPORTED;
  strcpy(out, text);
  return SUCCESS;
}

#if GENERATION > 1
int nvmlSystemGetCudaDriverVersion_v2(int *out) {
#else
int nvmlSystemGetCudaDriverVersion(int *out) {
#endif
  FAULT(0)
  char *text = value("cuda");
  if (!text) return NOT_SUPPORTED;
  *out = atoi(text);
  return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *out) {
  FAULT(0)
  char *text = value("count");
  *out = text ? atoi(text) : 0;
  return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, handle *out) {
  FAULT((index + 1) * 256)
  *out = (index + 1) * 256;
  return SUCCESS;
}

int nvmlDeviceGetName(handle device, char *out, unsigned size) { FAULT(device) return text_of(device, "name", out, size); }
int nvmlDeviceGetUUID(handle device, char *out, unsigned size) { FAULT(device) return text_of(device, "uuid", out, size); }
int nvmlDeviceGetMinorNumber(handle device, unsigned *out) { FAULT(device) return number_of(device, "minor", out); }
int nvmlDeviceGetBrand(handle device, unsigned *out) { FAULT(device) return number_of(device, "brand", out); }
int nvmlDeviceGetMaxMigDeviceCount(handle device, unsigned *out) { FAULT(device) return number_of(device, "maxmig", out); }
int nvmlDeviceGetGpuInstanceId(handle device, unsigned *out) { FAULT(device) return number_of(device, "gi", out); }
int nvmlDeviceGetComputeInstanceId(handle device, unsigned *out) { FAULT(device) return number_of(device, "ci", out); }
int nvmlDeviceGetTemperature(handle device, int sensor, unsigned *out) {
  FAULT(device)
  return sensor == 0 ? number_of(device, "temperature", out) : INVALID_ARGUMENT;
}

#if GENERATION > 2
int nvmlDeviceGetPciInfo_v3(handle device, struct pci *out) {
#else
int nvmlDeviceGetPciInfo_v2(handle device, struct pci *out) {
#endif
  FAULT(device)
  char *text = of(device, "bus");
  if (!text) return NOT_SUPPORTED;
  if (sscanf(text, "%x:%x:%x", &out->domain, &out->bus, &out->device) != 3) return NOT_SUPPORTED;
  return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(handle device, int *major, int *minor) {
  FAULT(device)
  char *text = of(device, "capability");
  if (!text) return NOT_SUPPORTED;
  return sscanf(text, "%d.%d", major, minor) == 2 ? SUCCESS : NOT_SUPPORTED;
}

int nvmlDeviceGetUtilizationRates(handle device, unsigned *out) { FAULT(device) return number_of(device, "busy", out); }

static int memory_of(handle device, u64 *total, u64 *used) {
  char *text = of(device, "memory");
  if (!text) return NOT_SUPPORTED;
  return sscanf(text, "%llu %llu", total, used) == 2 ? SUCCESS : NOT_SUPPORTED;
}

/* What the driver keeps for itself counts as used here, and apart in the next. */
int nvmlDeviceGetMemoryInfo(handle device, struct memory *out) {
  FAULT(device)
  u64 total, used;
  int code = memory_of(device, &total, &used);
  if (code) return code;
  out->total = total, out->used = used + (256 << 20), out->free = total - out->used;
  return SUCCESS;
}

#if GENERATION > 2
int nvmlDeviceGetMemoryInfo_v2(handle device, struct memory2 *out) {
  FAULT(device)
  if (out->version != (sizeof *out | 2 << 24)) return 25;
  int code = memory_of(device, &out->total, &out->used);
  if (code) return code;
  out->reserved = 256 << 20, out->free = out->total - out->used - out->reserved;
  return SUCCESS;
}
#endif

int nvmlDeviceGetMigMode(handle device, unsigned *current, unsigned *pending) {
  FAULT(device)
  *pending = 0;
  return number_of(device, "migmode", current);
}

int nvmlDeviceGetMigDeviceHandleByIndex(handle device, unsigned index, handle *out) {
  FAULT(device)
  *out = device + index + 1;
  return of(*out, "uuid") ? SUCCESS : NOT_FOUND;
}

int nvmlDeviceGetAttributes_v2(handle device, struct attributes *out) {
  FAULT(device)
  char *text = of(device, "slices");
  if (!text) return NOT_SUPPORTED;
  memset(out, 0, sizeof *out);
  return sscanf(text, "%u %u %llu", &out->slices, &out->compute, &out->megabytes) == 3 ? SUCCESS : NOT_SUPPORTED;
}

/* `PID MEMORY INSTANCE COMPUTE;...`, -1 for what there is not. */
static int processes(handle device, const char *field, unsigned *count, struct process *out) {
  char *text = of(device, field), *item;
  unsigned room = *count, n = 0;
  char list[4096];
  strcpy(list, text ? text : "");
  for (item = strtok(list, ";"); item; item = strtok(0, ";"), n++) {
    unsigned pid;
    long long memory, instance, compute;
    if (sscanf(item, "%u %lld %lld %lld", &pid, &memory, &instance, &compute) != 4) return 999;
    if (n >= room) continue;
    memset(&out[n], 0xaa, sizeof *out);
    out[n].pid = pid, out[n].memory = memory;
#if GENERATION > 1
    out[n].instance = instance, out[n].compute = compute;
#endif
  }
  *count = n;
  return n > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#if GENERATION == 1
#define LIST(name) name
#elif GENERATION == 2
#define LIST(name) name##_v2
#else
#define LIST(name) name##_v3
#endif

int LIST(nvmlDeviceGetComputeRunningProcesses)(handle device, unsigned *count, struct process *out) {
  FAULT(device)
  /* The fault `whole` is that of a GPU and not of its parts. */
  if (device % 256 == 0 && fault("whole", device)) return fault("whole", device);
  return processes(device, "compute", count, out);
}

int LIST(nvmlDeviceGetGraphicsRunningProcesses)(handle device, unsigned *count, struct process *out) {
  FAULT(device)
  return processes(device, "graphics", count, out);
}

#if GENERATION == 535
int nvmlDeviceGetConfComputeMemSizeInfo(handle device, void *out) { return NOT_SUPPORTED; }
#endif

/* `PID TIME SM;...` */
int nvmlDeviceGetProcessUtilization(handle device, struct sample *out, unsigned *count, u64 since) {
  FAULT(device)
  char *text = of(device, "samples"), *item, list[4096];
  unsigned room = out ? *count : 0, n = 0;
  if (!text) return NOT_SUPPORTED;
  if (!strcmp(text, "none")) return NOT_FOUND;
  strcpy(list, text);
  for (item = strtok(list, ";"); item; item = strtok(0, ";"), n++) {
    struct sample one = {0};
    if (sscanf(item, "%u %llu %u", &one.pid, &one.time, &one.sm) != 3) return 999;
    if (n < room) out[n] = one;
  }
  *count = n;
  return n > room ? INSUFFICIENT_SIZE : SUCCESS;
}
