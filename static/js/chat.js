// @ts-check
/** The entry of chat pages. `app.js` starts the shell; this declares the parts of a conversation and opens the socket. */

import "./chat/card.js";
import "./chat/enhance.js";
import "./chat/reactions.js";
import "./chat/stream.js";
import "./chat/later.js";
import "./chat/thread.js";
import "./chat/threads.js";
import "./chat/typing.js";
import "./ask/beside.js";
import "./shell/following.js";
import { setUpActions } from "./chat/actions.js";
import { setUpList } from "./chat/list.js";
import { setUpPresence } from "./chat/presence.js";
import { setUpConnection } from "./shell/connection.js";

setUpActions();
setUpList();
setUpPresence();
setUpConnection();
