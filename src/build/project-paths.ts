// SPDX-License-Identifier: Apache-2.0
/** Where a project's sources are in its image. */
export const APP = "/app";
/** The home of its user, which every user may write to. */
export const HOME = "/home/app";
/** Its user and group. */
export const USER_ID = 1000;
/** Its lines of /etc/passwd and /etc/group. */
export const PASSWD_LINE: string = `app:x:${USER_ID}:${USER_ID}:app:${HOME}:/bin/sh`;
export const GROUP_LINE: string = `app:x:${USER_ID}:`;
