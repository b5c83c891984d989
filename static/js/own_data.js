// @ts-check
/** The entry of the page of what is known of oneself: what is being packed shows how far it is, and then its file. */

import { setUpConnection } from "./shell/connection.js";
import "./shell/live-part.js";

setUpConnection();
