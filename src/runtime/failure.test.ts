// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { runtimeFailure } from "./failure.ts";

describe("a runtime's complaint", () => {
  it.each([
    ['exec: "nope": executable file not found in $PATH', "E_EXEC_NOENT", 127],
    ["exec /script: no such file or directory", "E_EXEC_NOENT", 127],
    ["exec /data.bin: exec format error", "E_EXEC_FORMAT", 126],
    ['exec: "/etc": permission denied', "E_EXEC_DENIED", 126],
    ["open executable: No such file or directory", "E_EXEC_NOENT", 127],
    ["open exec fifo: open /run/x/exec.fifo: no such file or directory", "E_RUNTIME", 125],
    ["remove /run/x/exec.fifo: no such file or directory", "E_RUNTIME", 125],
    ["error opening file `/run/x/status`: No such file or directory", "E_RUNTIME", 125],
    ["container `0123abcd` is not running", "E_RUNTIME", 125],
    ["container does not exist", "E_RUNTIME", 125],
    ["cannot start a container that has stopped", "E_RUNTIME", 125],
    ["container process is already dead", "E_RUNTIME", 125],
    ["something else", "E_RUNTIME", 125],
  ])("%s", (message, code, exitCode) => {
    expect(runtimeFailure("starting", message, "program")).toMatchObject({ code, exitCode });
  });
});
