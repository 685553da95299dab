// SPDX-License-Identifier: Apache-2.0
import { ATTACHING_CASES } from "./cases-attaching.ts";
import { FILE_CASES } from "./cases-files.ts";
import { ISOLATION_CASES } from "./cases-isolation.ts";
import { LIFE_CASES } from "./cases-life.ts";
import { LIMIT_CASES } from "./cases-limits.ts";
import { LISTING_CASES } from "./cases-listing.ts";
import { LOG_CASES } from "./cases-logs.ts";
import { NETWORK_CASES } from "./cases-networks.ts";
import { PROCESS_CASES } from "./cases-process.ts";
import { RESTART_CASES } from "./cases-restart.ts";
import { TEMPLATE_CASES } from "./cases-templates.ts";
import { VOLUME_CASES } from "./cases-volumes.ts";
import type { CompatibilityCase } from "./case.ts";

/** Every case. */
export const COMPATIBILITY_CASES: readonly CompatibilityCase[] = [
  ...PROCESS_CASES,
  ...FILE_CASES,
  ...LIMIT_CASES,
  ...ISOLATION_CASES,
  ...LIFE_CASES,
  ...LOG_CASES,
  ...LISTING_CASES,
  ...TEMPLATE_CASES,
  ...VOLUME_CASES,
  ...RESTART_CASES,
  ...NETWORK_CASES,
  ...ATTACHING_CASES,
];
