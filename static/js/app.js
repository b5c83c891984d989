// @ts-check
/** The entry of every page of a signed-in person: shell first, the rest where a page has it. */

import "./shell/drawer.js";
import "./shell/theme.js";
import "./shell/fragments.js";
import { setUpBell } from "./shell/bell.js";
import { setUpDialog } from "./shell/dialog.js";
import { setUpMenu } from "./shell/menu.js";
import { setUpPalette } from "./shell/palette.js";
import { start } from "./shell/mount.js";
import { setUpOfflineReading } from "./shell/offline-reading.js";
import { setUpShortcuts } from "./shell/shortcuts.js";
import { rememberZone } from "./shell/times.js";
import { explain } from "./shell/toasts.js";

rememberZone();
setUpMenu();
setUpDialog();
setUpShortcuts();
setUpBell();
setUpPalette();
start();
setUpOfflineReading().catch(explain);
