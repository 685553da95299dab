// SPDX-License-Identifier: Apache-2.0
/** Where a project's sources are in its image. */
export const APP = "/app";
/** The home of its user, which every user may write to. */
export const HOME = "/home/app";
/** Its user and group. */
export const USER_ID = 1000;
