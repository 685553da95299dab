// SPDX-License-Identifier: Apache-2.0

/** The values of `nvmlReturn_t` that mean something here (nvml.h). */
export const NVML_SUCCESS = 0;
export const NVML_NOT_SUPPORTED = 3;
export const NVML_NOT_FOUND = 6;
export const NVML_INSUFFICIENT_SIZE = 7;
export const NVML_FUNCTION_NOT_FOUND = 13;

/** What to do about an answer, by the number of the answer. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [4, "this user may not ask the driver: look at the modes of /dev/nvidiactl and /dev/nvidia0, or run as root"],
  [9, "the driver's kernel module is not loaded: `modprobe nvidia`; when that fails, `dmesg` says why"],
  [15, "the GPU has fallen off the bus: look at `dmesg | grep -i xid`, then reboot"],
  [16, "reset the GPU (`nvidia-smi --gpu-reset`) or reboot"],
  [17, "the control group of this shell denies /dev/nvidiactl: run from another one"],
  [18, "the driver's files were updated while its old kernel module runs: reboot, or load the module anew"],
]);

/** What a user can do about an answer; undefined when nobody knows. */
export function returnCodeHint(code: number): string | undefined {
  return HINTS.get(code);
}
