// @ts-check
/** The entry of pages without a person: sign-in, invitation, reset. */

import "./shell/code-field.js";
import "./shell/passkey.js";
import { start } from "./shell/mount.js";
import { rememberZone } from "./shell/times.js";

rememberZone();
start();
