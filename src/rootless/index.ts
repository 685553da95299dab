// SPDX-License-Identifier: Apache-2.0
export { entranceOf, standsOutside } from "./enter.ts";
export type { Entrance } from "./enter.ts";
export { userRunFolder } from "./run-folder.ts";
export { accountName, hostTables, planMaps } from "./map-plan.ts";
export type { IdTables, MapPlan } from "./map-plan.ts";
export { lendCommand } from "./sub-ids.ts";
