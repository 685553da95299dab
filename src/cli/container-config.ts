// SPDX-License-Identifier: Apache-2.0
import type { InspectDocument } from "../engine/index.ts";

/** A yes or no of the `Config` of a container's `inspect` document. */
export function flagOfConfig({ Config: config }: InspectDocument, name: "OpenStdin" | "Tty"): boolean {
  return (
    typeof config === "object" &&
    config !== null &&
    Object.entries(config).some(([key, value]) => key === name && value === true)
  );
}
