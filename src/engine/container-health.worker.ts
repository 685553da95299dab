// SPDX-License-Identifier: Apache-2.0
// What carries a container's health check out starts this program when the health has changed:
// `node container-health.worker.ts ROOT RUNROOT ID STATUS`. It records the event, and nothing else.
import { recordHealth } from "../containers/index.ts";
import { openStore } from "../store/index.ts";

const [root = "", runRoot = "", id = "", status = ""] = process.argv.slice(2);
const store = openStore({ root, runRoot });
recordHealth(store, id, status);
store.close();
