// SPDX-License-Identifier: Apache-2.0
export { entranceOf, standsOutside } from "./enter.ts";
export type { Entrance } from "./enter.ts";
export { rootlessFacts } from "./host-facts.ts";
export type { RootlessFacts } from "./host-facts.ts";
export { userRunFolder } from "./run-folder.ts";
