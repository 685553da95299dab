// SPDX-License-Identifier: Apache-2.0
export type { BuildEvent, BuildListener } from "./events.ts";
