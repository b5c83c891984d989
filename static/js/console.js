// @ts-check
/** The entry of console pages: filters without a button, selections in tables, rows that follow what runs. */

import { setUpConnection } from "./shell/connection.js";
import "./console/copy.js";
import "./console/file-form.js";
import "./console/filter.js";
import "./console/select.js";
import "./shell/live-part.js";

setUpConnection();
